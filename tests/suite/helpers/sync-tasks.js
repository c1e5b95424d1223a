// Tasks with mutexes and semaphores, and with select.

import { library } from './library.js';

const { select } = library;

// ---- mutexes and semaphores

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

// ---- select

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
