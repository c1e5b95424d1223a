// What the workers may run.

export function add(_scope, a, b) {
  return a + b;
}

/** Takes and gives what only structured clone can carry. */
export function invert(_scope, map) {
  return new Map([...map].map(([key, value]) => [value, key]));
}

export async function waitForever(scope) {
  await scope.delay(1e9);
}

export async function nested(scope, numbers) {
  const sums = numbers.map((number) => scope.async('add', number, 1));
  return Promise.all(sums);
}

/** Takes long enough for another worker to take the next task. */
export function whereAmI(scope) {
  const end = performance.now() + 5;
  while (performance.now() < end);
  return scope.workerName;
}

export function fail(_scope, text) {
  throw new RangeError(text);
}
