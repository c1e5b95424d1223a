// Tasks that wait, or are busy until something happens.

/** Notes in a shared cell that it runs, then waits to be cancelled. */
export async function wait(scope, cells, index = 0) {
  if (cells) Atomics.add(cells, index, 1);
  await scope.delay(1e9);
}
export const delay = (scope, ms) => scope.delay(ms);
/** Null: its time is over. */
export const waitFor = (scope, ms) =>
  scope.withTimeoutOrNull(ms, (inner) => inner.awaitCancellation());
export async function delayAndReturn(scope, ms, value) {
  await scope.delay(ms);
  return value;
}
/** Is busy until it is stopped. */
export function spin(scope, cells) {
  if (cells) Atomics.store(cells, 0, 1);
  while (!scope.isStopped);
  return 'stopped';
}
/** Is busy until the cell is set. */
export function block(scope, cells, index = 0) {
  while (Atomics.load(cells, index) === 0);
}
/** The same, and says that it is. */
export function occupy(scope, cells) {
  Atomics.store(cells, 1, 1);
  block(scope, cells);
}
/** Blocks its worker until another thread has done something. */
export function waitForCell(scope, cells, index) {
  Atomics.wait(cells, index, 0, 10_000);
  return Atomics.load(cells, index);
}
/** Blocks its worker until so many others have come here, too. */
export function meet(scope, cells, count) {
  Atomics.add(cells, 0, 1);
  for (let come; (come = Atomics.load(cells, 0)) < count;) {
    Atomics.wait(cells, 0, come, 50);
  }
  return scope.workerName;
}
/** Waits for a cell in a way that the library knows nothing of. */
export async function untilCell(scope, cells) {
  Atomics.store(cells, 1, 1);
  while (Atomics.load(cells, 0) === 0) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  return 'ended';
}
/** Waits as `fetch` would, for the signal alone. */
export function waitForSignal(scope, cells) {
  const { signal } = scope;
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      if (cells) Atomics.store(cells, 1, signal.reason instanceof Error ? 1 : 2);
      reject(signal.reason);
    });
    if (cells) Atomics.store(cells, 0, 1);
  });
}
export async function signalReason(scope, cells) {
  const { signal } = scope;
  Atomics.store(cells, 0, 1);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  const { name, cause } = signal.reason;
  Atomics.store(cells, 1, name === 'CancellationError' ? 1 : 2);
  Atomics.store(cells, 2, cause?.message === 'why' ? 1 : 2);
}
export async function ignoreCancel(scope, cells, value) {
  Atomics.store(cells, 0, 1);
  await new Promise((resolve) => {
    scope.signal.addEventListener('abort', resolve);
  });
  return value;
}
export function mark(scope, cells, index) {
  Atomics.add(cells, index, 1);
}
export async function cleanUp(scope, cells) {
  try {
    Atomics.store(cells, 0, 1);
    await scope.delay(1e9);
  } finally {
    Atomics.store(cells, 1, 1);
    try {
      await scope.delay(1e9);
    } catch {
      Atomics.store(cells, 2, 1);
    }
  }
}
/** A bit of work that keeps its worker from idling. */
export function work(scope) {
  const end = performance.now() + 0.2;
  while (performance.now() < end);
  return scope.isActive;
}
