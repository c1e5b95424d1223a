// The tasks of the suite's workers.

import { library } from './library.js';

const { Channel, ContextKey, TimeoutCancellationError, newJob, select, stream, transfer } = library;

export const notATask = 42;

// ---- values

export const add = (scope, left, right) => left + right;
export const echo = (scope, value) => value;
export const list = (scope, ...args) => args;
export const count = (scope, ...args) => args.length;
export const later = async (scope, value) => {
  await null;
  return value;
};
export const thenable = (scope, value) => ({
  then(resolve) {
    resolve(value);
  },
});
export const kindOf = (scope, value) => Object.prototype.toString.call(value);
export const sendFunction = (scope) => scope.async('echo', () => {});
export const makeFunction = () => () => {};
export const makeBuffer = (scope, bytes) => {
  const buffer = new ArrayBuffer(bytes);
  new Uint8Array(buffer).fill(7);
  return transfer(buffer, [buffer]);
};
/** Sends a buffer away and tells how long it is afterwards. */
export const sendAndLook = async (scope) => {
  const buffer = new ArrayBuffer(16);
  const length = scope.async({ transfer: [buffer] }, 'byteLength', buffer);
  return [buffer.byteLength, await length];
};
export const byteLength = (scope, buffer) => buffer.byteLength;
export const sum = (scope, array) => array.reduce((a, b) => a + b, 0);
export const fill = (scope, array, value) => {
  array.fill(value);
};
export const answerPort = (scope, port) => {
  port.postMessage('from the worker');
  port.close();
};
export const blobText = (scope, blob) => blob.text();
/** Keeps a lock for as long as the thread lives, where there are locks. */
export const holdLock = (scope, name) =>
  new Promise((resolve) => {
    void navigator.locks.request(name, () => {
      resolve();
      return new Promise(() => {});
    });
  });
export const where = (scope) => [scope.workerName, scope.taskName];

/** On which workers it runs, and what it launches, after waiting, too. */
export async function whereAll(scope) {
  const names = [scope.workerName];
  await scope.delay(1);
  const children = [1, 2, 3].map(() => scope.async('where'));
  const local = scope.async((inner) => inner.workerName);
  names.push(...(await scope.awaitAll(children)).map(([name]) => name), await local);
  await scope.yield();
  names.push(scope.workerName, await scope.withContext('whereDeeper'));
  return names;
}
export const whereDeeper = async (scope) => (await scope.async('where'))[0];

// ---- failures

export function fail(scope, message) {
  throw new RangeError(message);
}
export async function failLater(scope, message) {
  await scope.yield();
  throw new RangeError(message);
}
export function failWithCause() {
  throw new Error('outer', {
    cause: new TypeError('middle', { cause: 'inner' }),
  });
}
export function failWithAggregate() {
  throw new AggregateError([new RangeError('one'), 'two'], 'several');
}
class CustomError extends Error {
  name = 'CustomError';
  code = 'E_CUSTOM';
}
export function failWithClass() {
  throw new CustomError('mine');
}
export function throwValue(scope, value) {
  throw value;
}
export function throwFunction() {
  throw function named() {};
}
export function rejectFalsy() {
  return Promise.reject();
}

// ---- waiting

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

// ---- the scope

export async function scopeState(scope) {
  return [scope.isActive, scope.isStopped, scope.signal.aborted];
}
export async function delays(scope) {
  const began = performance.now();
  await scope.delay(0);
  await scope.delay(-5);
  await scope.delay(30);
  const took = performance.now() - began;
  let wrong;
  try {
    await scope.delay(NaN);
  } catch (error) {
    wrong = [error.name, error.message];
  }
  return [took >= 28, wrong];
}
export async function order(scope, cells, who) {
  const take = () => Atomics.add(cells, 0, 1);
  const first = take();
  await scope.yield();
  return [who, first, take()];
}
export async function launchTwo(scope, cells) {
  const one = scope.async('order', cells, 'one');
  const two = scope.async('order', cells, 'two');
  return [await one, await two];
}
export async function ensureActive(scope, cells) {
  scope.ensureActive();
  Atomics.store(cells, 0, 1);
  while (!scope.isStopped);
  try {
    scope.ensureActive();
  } catch (error) {
    Atomics.store(cells, 1, error.name === 'CancellationError' ? 1 : 2);
    throw error;
  }
}
let kept;
export function keepScope(scope) {
  kept = scope;
}
export async function useKeptScope() {
  const errors = [];
  const attempt = async (call) => {
    try {
      await call();
      errors.push('none');
    } catch (error) {
      errors.push(error.name);
    }
  };
  await attempt(() => kept.launch('echo', 1));
  await attempt(() => kept.async('echo', 1));
  await attempt(() => kept.delay(1));
  await attempt(() => kept.ensureActive());
  return [errors, kept.isActive, kept.isStopped, kept.signal.aborted];
}
export async function callThere(scope, ...call) {
  return scope.async(...call);
}
export function withContextThere(scope, ...call) {
  const promise = scope.withContext(...call);
  return [promise instanceof Promise, promise].reduce(async (is, result) => [is, await result]);
}
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

// ---- what tasks leave behind

export function leaveTimer(scope, cells, index) {
  setTimeout(() => Atomics.add(cells, index, 1), 1);
}
export function leavePromise(scope, cells, index) {
  void (async () => {
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    Atomics.add(cells, index, 1);
  })();
}
export function leaveMicrotasks(scope, cells, index) {
  void (async () => {
    for (let turn = 0; turn < 50; turn++) await null;
    Atomics.add(cells, index, 1);
  })();
}
export function leaveFetch(scope, url, cells, index) {
  const done = () => Atomics.add(cells, index, 1);
  fetch(url).then(done, done);
}
export function leaveRejection(scope, message) {
  void Promise.reject(new RangeError(message));
}
export function leaveThrow(scope, message) {
  setTimeout(() => {
    throw new RangeError(message);
  });
}

// ---- errors that nobody catches

const never = () => new Promise(() => {});
const throwLater = (message) =>
  setTimeout(() => {
    throw new RangeError(message);
  });

/** Waits for what never comes, since its callback throws. */
export async function crashInTimer(scope, message) {
  throwLater(message);
  await never();
}
/** The same by a promise that nobody looks at. */
export async function crashByPromise(scope, message) {
  void Promise.reject(new RangeError(message));
  await never();
}
/** Throws what is no error. */
export async function crashWithText(scope, text) {
  setTimeout(() => {
    throw text;
  });
  await never();
}
/** Crashes deep inside of scopes, with children on this worker and elsewhere; counts what is cleaned up. */
export function crashInside(scope, message, cells) {
  const cleaned = async (child, wait) => {
    try {
      await wait(child);
    } finally {
      Atomics.add(cells, 0, 1);
    }
  };
  const start = 'undispatched';
  return cleaned(scope, () =>
    scope.coroutineScope(async (inner) => {
      inner.launch({ start }, (child) => cleaned(child, () => child.delay(1e9)));
      inner.launch('delayAndMark', cells);
      await inner.withTimeout(1e9, async (limited) => {
        limited.launch({ start }, (child) => cleaned(child, () => child.awaitCancellation()));
        limited.signal.addEventListener('abort', () => Atomics.add(cells, 1, 1));
        throwLater(message);
        await limited.delay(1e9);
      });
    }),
  );
}
/** Waits, and counts that it has ended, however it does. */
export async function delayAndMark(scope, cells) {
  try {
    await scope.delay(1e9);
  } finally {
    Atomics.add(cells, 2, 1);
  }
}
/** Crashes, and goes on afterwards as if nothing had happened. */
export async function crashAndGoOn(scope, message, cells) {
  throwLater(message);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const child = scope.launch('add', 1, 2);
  const own = scope.launch(() => {});
  const waited = await scope.delay(1).catch((error) => error.name);
  const inside = await scope.coroutineScope(() => scope.yield()).catch((error) => error.name);
  const went = child.isCancelled && own.isCancelled && !scope.isActive;
  Atomics.store(cells, 0, went && waited === inside ? 1 : 2);
  return new Map([[message, message]]);
}
/** Crashes, or loops for ever, with a permit and a mutex. */
export function crashWithin(scope, semaphore, mutex, cells, loops) {
  return semaphore.withPermit(scope, () =>
    mutex.withLock(scope, async () => {
      Atomics.store(cells, 0, 1);
      while (loops);
      throwLater('within');
      await never();
    }),
  );
}
/** Leaves the crash to a function of its own. */
export function crashByChild(scope, message) {
  return scope.supervisorScope(async (inner) => {
    inner.launch({ name: 'child' }, async () => {
      throwLater(message);
      await never();
    });
  });
}

/** A bit of work that keeps its worker from idling. */
export function work(scope) {
  const end = performance.now() + 0.2;
  while (performance.now() < end);
  return scope.isActive;
}

/** Takes all memory of JavaScript that its worker may have. */
export function fillMemory() {
  for (const all = []; ;) all.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
}
/** Ends its worker, where a worker can do that. */
export function die() {
  process.exit(3);
}

// ---- mutexes, semaphores, select

/**
 * Adds one to the first cell in two steps, so that others must not come in
 * between; the second one counts how often that was begun.
 */
export async function addUnderLock(scope, mutex, cells, times, yields = 0) {
  for (let i = 0; i < times; i++) {
    await mutex.withLock(scope, async () => {
      Atomics.add(cells, 1, 1);
      const before = cells[0];
      try {
        for (let turn = 0; turn < yields; turn++) await scope.yield();
      } finally {
        cells[0] = before + 1;
      }
    });
  }
  return times;
}
/** Counts in the first cell who has a permit, in the second how many had at most. */
export async function usePermits(scope, semaphore, cells, times, yields = 0) {
  for (let i = 0; i < times; i++) {
    await semaphore.withPermit(scope, async () => {
      const now = Atomics.add(cells, 0, 1) + 1;
      for (let most; (most = Atomics.load(cells, 1)) < now;) {
        Atomics.compareExchange(cells, 1, most, now);
      }
      try {
        for (let turn = 0; turn < yields; turn++) await scope.yield();
      } finally {
        Atomics.sub(cells, 0, 1);
      }
    });
  }
  return times;
}
/** Waits by the scope that the handle belongs to, which is this task's. */
export async function lockBound(scope, mutex) {
  await mutex.lock();
  mutex.unlock();
  return 'locked';
}
/** Ends with a wait under way that nobody waits for. */
export function leaveLocking(scope, mutex) {
  void mutex.lock().catch(() => {});
  return mutex.isLocked;
}
/** Unlocks what somebody else has locked; the owner's error is told. */
export function unlockThere(scope, mutex, owner) {
  try {
    mutex.unlock(owner);
  } catch (error) {
    return error.name;
  }
  return 'unlocked';
}
/** What is left of a handle that was given up. */
export function disposeThere(scope, semaphore) {
  const before = semaphore.availablePermits;
  semaphore.dispose();
  try {
    semaphore.release();
  } catch (error) {
    return [before, error.name];
  }
  return [before, 'released'];
}
export const sameHandle = (scope, mutex) => mutex;
/** Locks the mutexes, in this order, one or the other, so many times. */
export async function lockEither(scope, mutexes, cells, times) {
  for (let i = 0; i < times; i++) {
    const locked = await select(scope, (clauses) => {
      for (const mutex of mutexes) clauses.onLock(mutex, () => mutex);
    });
    Atomics.add(cells, 0, 1);
    if (i % 3 === 0) await scope.yield();
    locked.unlock();
  }
}
/** Sends to one channel or receives from the other, so many times. */
export async function exchange(scope, out, back, cells, times) {
  for (let i = 0; i < times; i++) {
    await select(scope, (clauses) => {
      const sends = () => clauses.onSend(out, i, () => Atomics.add(cells, 0, 1));
      if (i % 2 === 0) sends();
      clauses.onReceive(back, () => Atomics.add(cells, 1, 1));
      if (i % 2 === 1) sends();
    });
  }
}
/** Counts in the first cell what it is about to send by select. */
export async function sendSelected(scope, channel, first, times, cells) {
  for (let i = 0; i < times; i++) {
    Atomics.add(cells, 0, 1);
    await select(scope, (clauses) => {
      clauses.onSend(channel, first + i, () => {});
      clauses.onTimeout(1e9, () => {});
    });
  }
}
/** Counts in the second cell what it has received by select. */
export async function receiveSome(scope, channel, times, cells) {
  for (let i = 0; i < times; i++) {
    await select(scope, (clauses) => {
      clauses.onReceive(channel, () => Atomics.add(cells, 1, 1));
      clauses.onTimeout(1e9, () => {});
    });
  }
}
/** Receives by select until the channel is closed; gives what came. */
export async function receiveSelected(scope, channel) {
  const all = [];
  for (;;) {
    const result = await select(scope, (clauses) => {
      clauses.onReceiveCatching(channel, (received) => received);
      clauses.onTimeout(10_000, () => 'too late');
    });
    if (!result.success) return [all, result.closed];
    all.push(result.value);
  }
}

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

// ---- scopes, and functions that a task launches on its own worker

/** Marks come in this order: 'body', 'child', 'after'. */
export async function scopeThere(scope) {
  const marks = [];
  const result = await scope.coroutineScope((inner) => {
    inner.launch(async (child) => {
      await child.yield();
      marks.push('child', child.workerName === scope.workerName);
    });
    marks.push('body');
    return 'result';
  });
  marks.push('after');
  return [result, marks];
}
/** A scope throws what its child has thrown, as the same object. */
export async function failingScopeThere(scope) {
  const thrown = new RangeError('of the child');
  try {
    await scope.coroutineScope((inner) => {
      inner.launch(() => {
        throw thrown;
      });
    });
  } catch (error) {
    return [error === thrown, scope.isActive];
  }
  return 'nothing';
}
/** The same for a task's failure, which comes from another job of the worker. */
export async function supervisorThere(scope) {
  const told = [];
  const handler = (error) => told.push(error.message, error.constructor.name);
  const result = await scope.supervisorScope(async (inner) => {
    const failing = inner.launch({ handler }, 'fail', 'alone');
    const other = inner.async('add', 1, 2);
    await inner.join(failing);
    return inner.await(other);
  });
  return [result, told];
}
export async function timeoutsThere(scope) {
  const nothing = await scope.withTimeoutOrNull(1, (inner) => inner.awaitCancellation());
  const value = await scope.withTimeoutOrNull(60_000, () => 'in time');
  let name;
  try {
    await scope.withTimeout(1, (inner) => inner.awaitCancellation());
  } catch (error) {
    name = error.name;
  }
  return [nothing, value, name, scope.isActive];
}
/** Cleans up by waiting although it is cancelled. */
export async function nonCancellableThere(scope, cells) {
  try {
    Atomics.store(cells, 0, 1);
    await scope.awaitCancellation();
  } finally {
    await scope.nonCancellable(async (safe) => {
      await safe.yield();
      Atomics.store(cells, 1, safe.isActive ? 1 : 2);
    });
  }
}
/** Values that are found on whichever worker a job runs. */
export async function valueThere(scope, name) {
  const key = new ContextKey(name);
  const other = new ContextKey('unknown');
  const local = await scope.async((child) => child.get(key));
  const changed = await scope.withContext({ values: [key.with('changed')] }, (inner) => [
    inner.get(key),
    inner.async('getValue', name),
  ]);
  return [
    scope.get(key),
    local,
    await scope.async('getValue', name),
    changed[0],
    await changed[1],
    await scope.async({ values: [key.with('own')] }, 'getValue', name),
    scope.get(other) === undefined,
  ];
}
export const getValue = (scope, name) => scope.get(new ContextKey(name));
/** Handles to jobs, as a worker has them. */
export async function handlesThere(scope) {
  const child = scope.launch((inner) => inner.yield());
  const task = scope.launch('wait');
  const bare = newJob(scope.job);
  const results = [
    child.parent === scope.job,
    task.parent === scope.job,
    bare.parent === scope.job,
    await scope.coroutineScope((inner) => inner.job.parent === scope.job),
    scope.job.name,
    task.name,
    scope.job.parent?.name,
    [scope.job.isActive, scope.job.isCompleted, scope.job.isCancelled],
  ];
  bare.complete();
  task.cancel();
  return results;
}
export const handlesBelow = (scope) => scope.async('handlesThere');
/** What a worker refuses. */
export async function badInputThere(scope) {
  const errors = [];
  const calls = [
    () => scope.async({ start: 'undispatched' }, 'add', 1, 2),
    () => scope.launch({ job: 5 }, 'add', 1, 2),
    () => scope.join('job'),
    () => newJob('parent'),
  ];
  for (const call of calls) {
    try {
      await call();
      errors.push('none');
    } catch (error) {
      errors.push(`${error.name}: ${error.message}`);
    }
  }
  return errors;
}
/** A failure that nobody on the worker takes. */
export async function leaveFailure(scope, message) {
  const job = scope.launch({ job: null }, () => {
    throw new RangeError(message);
  });
  await scope.join(job);
  return [job.isCancelled, scope.isActive];
}

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
// ---- scopes inside of tasks

/**
 * Waits for a cell, cancels the job that it was called from by withContext(),
 * then may fail.
 */
export function cancelCaller(scope, cells, message) {
  while (Atomics.load(cells, 2) === 0);
  scope.job.parent.cancel('from the block');
  Atomics.store(cells, 1, scope.isActive ? 2 : 1);
  Atomics.store(cells, 0, 1);
  if (message !== undefined) throw new RangeError(message);
  return 'a value';
}
/** Is busy in a block until its time limit has run out. */
export async function busyTooLong(scope, ms) {
  const end = performance.now() + 10_000;
  let ranOut = false;
  const result = await scope.withTimeoutOrNull(ms, (inner) => {
    while (inner.isActive && performance.now() < end);
    ranOut = !inner.isActive;
    return 'value';
  });
  return [result, scope.isStopped, ranOut];
}
export { exercise, play } from './scenarios.js';
/** Blocks that are busy until their time limit has run out. */
export async function busyBlocks(scope, ms) {
  const end = performance.now() + 10_000;
  const spinIn = (inner) => {
    while (inner.isActive && performance.now() < end);
  };
  return [
    await scope.withTimeoutOrNull(ms, (inner) => (spinIn(inner), 'plain')),
    await scope.withTimeoutOrNull(ms, async (inner) => (spinIn(inner), 'async')),
    await scope.withTimeoutOrNull(ms, async (inner) => {
      await null;
      spinIn(inner);
      return 'late';
    }),
  ];
}
// ---- channels

export async function sendNumbers(scope, channel, from, count) {
  for (let i = 0; i < count; i++) await channel.send(from + i);
}
export async function sendValues(scope, channel, values) {
  for (const value of values) await channel.send(value);
  channel.close();
}
export async function receiveAll(scope, channel) {
  const received = [];
  for await (const value of channel) received.push(value);
  return received;
}
export const receiveOne = (scope, channel) => channel.receive();
/** What came of an attempt to receive, once the value is there. */
export async function tryToReceive(scope, channel) {
  const result = channel.tryReceive();
  return { ...result, value: await result.value };
}
/** Sends back what comes, until there is no more. */
export async function echoAll(scope, from, to) {
  await from.consumeEach(scope, (value) => to.send(value));
  to.close();
}
export const nestedSend = (scope, { list: [, { channel }] }, value) => channel.send(value);
/** A channel of this worker's, with a value in it. */
export async function makeChannel(scope, value) {
  const channel = new Channel(4);
  await channel.send(value);
  return { channel };
}
/** Gives a channel to a sibling by a clone, with something that only that carries. */
export const passOn = (scope, channel, value) =>
  scope.async('sendWith', { channel, pattern: /x/g }, value);
export async function sendWith(scope, { channel, pattern }, value) {
  await channel.send([pattern, value]);
}
/** A function, which cannot be sent. */
export const sendFunctionTo = async (scope, channel) => {
  await channel.send(() => {});
};
/** Keeps a handle beyond its task. */
let keptChannel;
export const keepChannel = (scope, channel) => {
  keptChannel = channel;
};
/** The same with one that comes through a channel, which it takes without waiting for it. */
export async function keepTaken(scope, carrier, byIterator) {
  const iterator = carrier.iterator(scope);
  if (byIterator) await iterator.hasNext();
  keptChannel = byIterator ? iterator.next() : carrier.tryReceive().value;
}
export const useKeptChannel = async () => {
  const results = [];
  results.push(keptChannel.trySend(1).success);
  await keptChannel.send(2).catch((error) => results.push(error.name));
  keptChannel.dispose();
  try {
    keptChannel.trySend(3);
  } catch (error) {
    results.push(error.name);
  }
  return results;
};
export const closeWith = (scope, channel, error) => channel.close(error);
export async function failAtChannel(scope, channel) {
  try {
    await channel.receive();
  } catch (error) {
    return [error.name, error.message, error instanceof Error];
  }
  return [];
}
/** Many handles, none of which is released. */
export async function forgetChannels(scope, count) {
  for (let i = 0; i < count; i++) {
    const channel = new Channel(Channel.UNLIMITED);
    await channel.send({ text: 'x'.repeat(100) });
  }
}
/** Sends until somebody refuses; notes in the cells what was sent ... */
export async function sendNoting(scope, channel, cells, from, count) {
  for (let i = from; i < from + count; i++) {
    Atomics.add(cells, i, 1);
    await channel.send(i);
  }
}
/** ... and takes that back for what it receives, until there is no more. */
export async function receiveNoting(scope, channel, cells, pauses) {
  for await (const value of channel) {
    Atomics.sub(cells, value, 1);
    for (let i = 0; i < pauses; i++) await scope.yield();
  }
}
export async function broadcastNumbers(scope, broadcast, count) {
  for (let i = 1; i <= count; i++) {
    await broadcast.send({ number: i, text: 'long enough for a block' });
    await scope.yield();
  }
  broadcast.close();
}
/** The numbers that a subscriber has seen. */
export async function subscribe(scope, broadcast) {
  const seen = [];
  for await (const { number } of broadcast.openSubscription()) seen.push(number);
  return seen;
}

/** Two jobs note their numbers in the order in which they run. */
export async function submitTwo(scope, cells) {
  const jobs = [1, 2].map((number) => scope.launch('noteNumber', cells, number));
  await scope.joinAll(jobs);
}
export const noteNumber = (scope, cells, number) => {
  Atomics.store(cells, Atomics.add(cells, 7, 1), number);
};
// ---- killing

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

// ---- limits, progress and streams

/** Which time limit ended a child. */
export async function limitThere(scope, options, task) {
  const job = scope.supervisorScope((inner) => inner.async(options, task));
  return (await job.catch((error) => error)).limit;
}
export function failsWithDeadline() {
  throw new TimeoutCancellationError('on purpose', { limit: 'deadline' });
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
export async function report(scope, values) {
  for (const value of values) scope.progress(value);
}
/** Reports, and waits for a cell each time. */
export async function reportSlowly(scope, cells, count) {
  for (let i = 0; i < count; i++) {
    scope.progress(i);
    while (Atomics.load(cells, 0) <= i) await scope.yield();
  }
  return count;
}
export async function reportFromInside(scope) {
  scope.progress('outside');
  await scope.coroutineScope(async (inner) => {
    inner.progress('inside');
    await inner.nonCancellable((deep) => deep.progress('deep'));
  });
  await scope.withTimeout(60_000, (inner) => inner.progress('limited'));
}
export function reportFunction(scope) {
  scope.progress(() => {});
}
/** Listens to a child, and gives what that has told. */
export async function listenThere(scope, values) {
  const heard = [];
  const options = { onProgress: (value) => heard.push(value) };
  const job = scope.async(options, 'report', values);
  await job;
  const looped = [];
  const other = scope.async({ start: 'lazy' }, 'report', values);
  const all = other.progress({ scope });
  other.start();
  for await (const value of all) looped.push(value);
  return [heard, looped];
}
export async function* countTo(scope, count) {
  for (let i = 1; i <= count; i++) yield i;
}
/** Notes how far it is, and that it has cleaned up. */
export async function* countCells(scope, cells) {
  try {
    for (let i = 1; ; i++) {
      Atomics.store(cells, 0, i);
      yield i;
    }
  } finally {
    Atomics.store(cells, 1, 1);
    Atomics.notify(cells, 1);
  }
}
export async function* waitInStream(scope, cells) {
  try {
    yield 1;
    await scope.awaitCancellation();
  } finally {
    Atomics.store(cells, 1, 1);
  }
}
export async function* failAfter(scope, count) {
  for (let i = 1; i <= count; i++) yield i;
  throw new RangeError('no more');
}
export function* plainGenerator() {
  yield* ['a', 'b'];
}
export async function* values(scope, list) {
  for (const one of list) yield one;
}
export async function* mapsAndTransfers() {
  yield new Map([[1, 'one']]);
  const buffer = new ArrayBuffer(8);
  yield transfer(buffer, [buffer]);
}
/** Streams from another task, and leaves early. */
export async function sumOfStream(scope, count, most) {
  let sum = 0;
  for await (const value of stream(scope, { credit: 2 }, 'countTo', count).values(scope)) {
    sum += value;
    if (value === most) break;
  }
  return sum;
}
