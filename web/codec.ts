/**
 * The codec that carries arguments and results through shared memory.
 *
 * A {@link Writer} puts values into memory that another thread's
 * {@link Reader} takes them from, if that delivers exactly what structured
 * clone would deliver, and declines everything else. Thrown values are made
 * plain data first, by {@link encodeError}.
 */
export {
  type CarriedError,
  type CarriedErrorParts,
  type CarriedValue,
  decodeError,
  encodeError,
  type ErrorExtra,
  type ErrorMaker,
} from './codec-error.js';
export { type Heap } from './codec-heap.js';
export { Reader } from './codec-read.js';
export { DECLINED, DOES_NOT_FIT, Writer } from './codec-write.js';
