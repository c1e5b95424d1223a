// Tasks that launch others: families, trees, many at once.

// ---- children and what becomes of them

/** Launches a child and returns at once; the child ends later. */
export function leaveChild(scope, cells) {
  scope.launch('markLater', cells, 0);
  return 'left';
}
export async function markLater(scope, cells, index) {
  for (let turn = 0; turn < 5; turn++) await scope.yield();
  Atomics.add(cells, index, 1);
}
/** Waits with a child that fails; its siblings leave marks when cancelled. */
export async function failingFamily(scope, cells) {
  scope.launch('cleanUpAt', cells, 0);
  scope.launch('cleanUpAt', cells, 1);
  scope.launch('failWhen', cells, 2);
  await scope.delay(1e9);
}
export async function cleanUpAt(scope, cells, index) {
  try {
    Atomics.add(cells, 2, 1);
    await scope.delay(1e9);
  } finally {
    Atomics.add(cells, index, 1);
  }
}
/** Fails once `enough` others have noted that they run. */
export async function failWhen(scope, cells, enough) {
  while (Atomics.load(cells, 2) < enough) await scope.yield();
  throw new RangeError('the child failed');
}
export async function catchChild(scope) {
  try {
    await scope.async('fail', 'not to be caught');
  } catch (error) {
    return `caught ${error.message}`;
  }
  return 'nothing';
}
export async function cancelChild(scope) {
  const child = scope.async('wait');
  child.cancel(new Error('not needed'));
  try {
    await child;
  } catch (error) {
    return [error.name, error.cause?.message, child.isCancelled];
  }
  return 'nothing';
}
export async function fib(scope, n) {
  if (n < 2) return n;
  const left = scope.async('fib', n - 1);
  const right = scope.async('fib', n - 2);
  return (await left) + (await right);
}
/** A tree whose leaves wait for ever. */
export async function tree(scope, depth, cells) {
  if (depth === 0) {
    Atomics.add(cells, 0, 1);
    await scope.delay(1e9);
  }
  scope.launch('tree', depth - 1, cells);
  scope.launch('tree', depth - 1, cells);
}
export async function manyFail(scope, count) {
  for (let i = 0; i < count; i++) scope.launch('failLater', `child ${i}`);
  await scope.delay(1e9);
}
/** True if both waits for a failed child give the same error. */
export async function errorTwiceSafely(scope) {
  const child = scope.async('wait');
  child.cancel();
  const errors = [];
  for (let i = 0; i < 2; i++) await child.catch((error) => errors.push(error));
  return errors[0] === errors[1];
}
export async function parentOfWaiting(scope, cells) {
  scope.launch('cleanUpAt', cells, 0);
  await scope.async('cleanUpAt', cells, 1);
}
/** Launches a child when it is cancelled already. */
export async function launchLate(scope, cells) {
  Atomics.store(cells, 0, 1);
  try {
    await scope.delay(1e9);
  } finally {
    const child = scope.launch('mark', cells, 2);
    Atomics.store(cells, 1, child.isCancelled ? 1 : 2);
  }
}

// ---- many

/** Counts how many run at once: now, at most, and in all. */
export function countInside(scope, cells) {
  const now = Atomics.add(cells, 0, 1) + 1;
  for (let most = Atomics.load(cells, 1); most < now; most = Atomics.load(cells, 1)) {
    Atomics.compareExchange(cells, 1, most, now);
  }
  for (let i = 0; i < 20_000; i++) Atomics.load(cells, 3); // takes a little while
  Atomics.add(cells, 2, 1);
  Atomics.sub(cells, 0, 1);
}

export async function launchCounters(scope, count, cells) {
  for (let i = 0; i < count; i++) scope.launch('countInside', cells);
}
/** Puts a number into the next free cell: cells[0] counts them. */
export function note(scope, cells, number) {
  cells[Atomics.add(cells, 0, 1) + 1] = number;
}
/** Launches so many children at once. */
export async function launchMany(scope, cells, count) {
  for (let i = 0; i < count; i++) scope.launch('note', cells, i);
}
export function launchOn(scope, count) {
  return scope.awaitAll(Array.from({ length: count }, (_, i) => scope.async('add', i, 1)));
}
/** Two jobs note their numbers in the order in which they run. */
export async function submitTwo(scope, cells) {
  const jobs = [1, 2].map((number) => scope.launch('noteNumber', cells, number));
  await scope.joinAll(jobs);
}
export const noteNumber = (scope, cells, number) => {
  Atomics.store(cells, Atomics.add(cells, 7, 1), number);
};

// ---- the stress tests

export async function maybeFail(scope, yields, fails) {
  for (let i = 0; i < yields; i++) await scope.yield();
  if (fails) throw new RangeError('stress');
  return yields;
}
export async function family(scope, children, yields, failing) {
  const all = [];
  for (let i = 0; i < children; i++) {
    all.push(scope.async('maybeFail', yields, i < failing));
  }
  for (const child of all) await child.join();
  return children;
}
export async function grow(scope, depth, yields) {
  for (let i = 0; i < yields; i++) await scope.yield();
  if (depth > 0) {
    scope.launch('grow', depth - 1, yields);
    scope.launch('grow', depth - 1, yields);
    await scope.async('grow', depth - 1, yields);
  }
  return depth;
}
