// Tasks that their workers do not survive, or that cannot be stopped but by killing; and
// tasks that count beside these.

// ---- loops, and who waits for their end

/** Takes all memory of JavaScript that its worker may have. */
export function fillMemory() {
  for (const all = []; ;) all.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
}
/** Ends its worker, where a worker can do that. */
export function die() {
  process.exit(3);
}

/** Never looks whether it is to stop, and never lets anybody else run. */
export function loopForEver(scope, cells) {
  if (cells) Atomics.store(cells, 0, 1);
  for (;;);
}
/** Sends what takes a message, and then loops. */
export async function sendAndLoop(scope, channel, cells) {
  Atomics.store(cells, 1, 1);
  while (Atomics.load(cells, 2) === 0);
  await channel.send({ pattern: /sent/ });
  loopForEver(scope, cells);
}
/** The same after it has waited. */
export async function waitAndLoop(scope, cells) {
  await scope.delay(1);
  loopForEver(scope, cells);
}
const realm = crypto.randomUUID();
/** Which thread's copy of this module it runs in. */
export const realmOf = () => realm;
/** Waits on a worker that somebody is going to lose. */
export async function waitForNews(scope, cells, index) {
  Atomics.add(cells, index, 1);
  await scope.awaitCancellation();
}
/** The same in a scope of its own, below another wait. */
export async function waitInside(scope, cells, index) {
  await scope.coroutineScope(async (inner) => {
    const child = inner.launch((own) => waitForNews(own, cells, index));
    await inner.withTimeout(60_000, () => child.join());
  });
}
/** Launches children that loop, and one that waits; waits for all of them. */
export async function launchLoops(scope, cells) {
  scope.launch('loopForEver', cells);
  scope.launch('waitForNews', cells, 1);
  await scope.delay(Infinity);
}
/** Keeps a mutex locked while it loops. */
export async function lockAndLoop(scope, mutex, cells) {
  await mutex.lock(scope);
  loopForEver(scope, cells);
}

// ---- counting beginnings

/** Counts that it has begun, before it does anything else. */
const begin = (cells, token) => Atomics.add(cells, token, 1);

export function beginAndAdd(scope, cells, token, number) {
  begin(cells, token);
  return number + 1;
}
export async function beginAndWait(scope, cells, token, ms) {
  begin(cells, token);
  await scope.delay(ms);
  await scope.yield();
  return token;
}
/** Three children on whichever workers, which count behind its own cell, and one here. */
export async function beginFamily(scope, cells, token) {
  begin(cells, token);
  return scope.coroutineScope(async (inner) => {
    const there = [1, 2, 3].map((i) => inner.async('beginAndAdd', cells, token + i, i));
    const here = inner.async((child) => child.withTimeout(60_000, () => child.delay(1)));
    await inner.awaitAll([...there, here]);
    return token;
  });
}
export async function beginAndLock(scope, mutex, cells, token) {
  begin(cells, token);
  await mutex.withLock(scope, () => scope.delay(1));
}
export async function beginAndTakePermit(scope, semaphore, cells, token) {
  begin(cells, token);
  await semaphore.withPermit(scope, () => scope.yield());
}
export async function beginAndSend(scope, channel, cells, token, count) {
  begin(cells, token);
  for (let i = 0; i < count; i++) await channel.send(i);
}
export async function beginAndReceive(scope, channel, cells, token, count) {
  begin(cells, token);
  for (let i = 0; i < count; i++) await channel.receive();
}
export function beginAndLoop(scope, cells, token) {
  begin(cells, token);
  for (;;);
}
/** Loops after it has waited, and with a mutex locked if it gets it. */
export async function waitAndLoopLocked(scope, mutex, cells, token) {
  begin(cells, token);
  await scope.delay(1);
  mutex.tryLock();
  for (;;);
}
/** Has children that loop, and one that waits. */
export async function familyOfLoops(scope, cells, token) {
  begin(cells, token);
  scope.launch('beginAndLoop', cells, token + 1);
  scope.launch('loop_for_ever', cells.byteOffset + 4 * (token + 2));
  scope.launch('beginAndWait', cells, token + 3, 60_000);
  await scope.delay(60_000);
}
