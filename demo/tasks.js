// Tasks of the pools, for showing how failures and cancellation go through a
// tree, and what becomes of tasks that do not end.

const LONG = 60_000;
/** Longer than a worker would share with another task. */
const LOOK_MS = 5;

/** A part of a tree, which ends when it is cancelled. */
export async function branch(scope) {
  await scope.delay(LONG);
}

export async function writeChapter(scope, number, isBroken) {
  await scope.delay(isBroken ? 400 : LONG);
  throw new RangeError(`chapter ${number} has no end`);
}

/** Never looks whether it is cancelled. */
export function loopForEver() {
  for (;;);
}

/** Loops on the worker of that name; on others it ends soon. */
export function loopOn(scope, name) {
  if (scope.workerName === name) loopForEver();
  const end = performance.now() + LOOK_MS;
  while (performance.now() < end);
}
