// The tasks of the benchmarks, as functions that coworker runs.

export function add(_scope, a, b) {
  return a + b;
}

export function nothing() {}

export function length(_scope, array) {
  return array.length;
}
