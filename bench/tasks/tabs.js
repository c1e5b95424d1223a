// The tasks of the benchmarks of tabs.

export { add } from './coworker.js';

/** Tells that it has begun, and keeps its worker so long. */
export function keep(scope, ms) {
  scope.progress(0);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
