export { type Heap } from './codec-format.js';
export { DECLINED, DOES_NOT_FIT, Writer } from './codec-write.js';
export { Reader } from './codec-read.js';
