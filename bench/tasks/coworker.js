// The tasks of the benchmarks, as functions that coworker runs.

export function add(_scope, a, b) {
  return a + b;
}

export function nothing() {}

export function length(_scope, array) {
  return array.length;
}

/** Tells that it has begun, and never looks whether it should stop. */
export function loop(_scope, cells) {
  Atomics.store(cells, 0, 1);
  for (;;);
}
