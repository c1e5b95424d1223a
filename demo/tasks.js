// Tasks of the pools, for showing how failures and cancellation go through a
// tree, and what becomes of tasks that do not end. `counts` lies in shared memory: [started, ended by cancellation].

const LONG = 60_000;

async function waitForever(scope, counts) {
  Atomics.add(counts, 0, 1);
  try {
    await scope.delay(LONG);
  } finally {
    Atomics.add(counts, 1, 1);
  }
}

/** Launches children of which one fails: that cancels the others and this. */
export async function buildReport(scope, counts, chapters) {
  for (let number = 1; number <= chapters; number++) {
    scope.launch('writeChapter', counts, number, number === 5);
  }
}

export async function writeChapter(scope, counts, number, isBroken) {
  if (!isBroken) return waitForever(scope, counts);
  await scope.delay(400);
  throw new RangeError(`chapter ${number} has no end`);
}

/** A tree: every branch launches branches, down to leaves that only wait. */
export async function growTree(scope, counts, width, depth) {
  if (depth > 0) {
    for (let i = 0; i < width; i++) scope.launch('growTree', counts, width, depth - 1);
  }
  await waitForever(scope, counts);
}

/** Never looks whether it is cancelled. */
export function loopForEver() {
  for (;;);
}

/** Waits until there is one on each worker; then the one on the worker of that name loops. */
export function meetAndLoop(scope, meeting, count, name) {
  Atomics.add(meeting, 0, 1);
  while (Atomics.load(meeting, 0) < count);
  if (scope.workerName === name) loopForEver();
}
