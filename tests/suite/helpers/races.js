// Races, each a pair of things that happen at about the same time. However they
// go, a job settles once.

import { assert } from 'chai';
import { CancellationError, Channel, Main, Mutex, Semaphore } from 'coworker';
import { cells, free, until } from './contexts.js';

/** Waits until all that was launched has been counted as ended. */
export async function balanced(context) {
  await until(() => {
    const { launched, completed } = context.stats();
    return launched === completed;
  });
}

/** Notes how often a job settles, and gives how. */
export async function settleOnce(job) {
  let settled = 0;
  let joined = 0;
  let outcome;
  const done = job.then(
    (value) => {
      settled++;
      outcome = { value };
    },
    (error) => {
      settled++;
      outcome = { error };
    },
  );
  await Promise.all([done, job.join().then(() => joined++)]);
  assert.deepEqual([settled, joined], [1, 1]);
  assert.isTrue(job.isCompleted);
  assert.isFalse(job.isActive);
  assert.equal(job.isCancelled, 'error' in outcome);
  return outcome;
}

/** Lets a random little time pass. */
export async function pause(pick) {
  const kind = pick(4);
  if (kind === 1) await null;
  if (kind === 2) await new Promise((resolve) => setTimeout(resolve));
  if (kind === 3) for (let i = pick(50); i > 0; i--) await null;
}

export const isCancellation = (error) => error instanceof CancellationError;
const isStress = (error) => error instanceof RangeError && error.message === 'stress';

/** Each race: launches jobs and gives checks of how they ended. */
export const races = {
  async 'a cancel and the end'(context, pick) {
    const job = context.async('maybeFail', pick(4), false);
    await pause(pick);
    job.cancel('race');
    const { value, error } = await settleOnce(job);
    if (error) assert.isTrue(isCancellation(error), String(error));
    else assert.isBelow(value, 4);
  },

  async 'a cancel and a failure'(context, pick) {
    const job = context.async('maybeFail', pick(4), true);
    await pause(pick);
    job.cancel('race');
    const { error } = await settleOnce(job);
    assert.isTrue(isCancellation(error) || isStress(error), String(error));
  },

  async 'a failing child and the join of its parent'(context, pick) {
    const children = 1 + pick(6);
    const job = context.async('family', children, pick(3), 1);
    await pause(pick);
    const { error } = await settleOnce(job);
    assert.isTrue(isStress(error), String(error));
  },

  async 'several failing children'(context, pick) {
    const children = 2 + pick(8);
    const job = context.async('family', children, pick(3), children);
    const { error } = await settleOnce(job);
    assert.isTrue(isStress(error), String(error));
  },

  async 'a cancel and a tree that grows'(context, pick) {
    const job = context.async('grow', 1 + pick(3), pick(3));
    await pause(pick);
    await pause(pick);
    job.cancel();
    const { error } = await settleOnce(job);
    if (error) assert.isTrue(isCancellation(error), String(error));
  },

  async 'a timeout and the end'(context, pick) {
    const timeout = pick(4);
    const job = context.async({ timeout }, 'delayAndReturn', pick(4), 'value');
    const { value, error } = await settleOnce(job);
    if (error) assert.equal(error.name, 'TimeoutCancellationError');
    else assert.equal(value, 'value');
  },

  async 'a timeout and a cancel'(context, pick) {
    const job = context.async({ timeout: pick(3) }, 'wait');
    await pause(pick);
    job.cancel('race');
    const { error } = await settleOnce(job);
    assert.isTrue(isCancellation(error), String(error));
  },

  async 'an abort signal and the end'(context, pick) {
    const controller = new AbortController();
    const { signal } = controller;
    const job = context.async({ signal }, 'maybeFail', pick(4), false);
    await pause(pick);
    controller.abort('race');
    const { error } = await settleOnce(job);
    if (error) assert.isTrue(isCancellation(error), String(error));
  },

  async 'a cancel of a job that waits for its signal'(context, pick) {
    const job = context.async('waitForSignal');
    await pause(pick);
    job.cancel('race');
    const { error } = await settleOnce(job);
    assert.isTrue(isCancellation(error), String(error));
  },

  async 'a cancel and arguments sent as a message'(context, pick) {
    const job = context.async('echo', { regexp: /x/, number: pick(100) });
    await pause(pick);
    job.cancel('race');
    const { value, error } = await settleOnce(job);
    if (error) assert.isTrue(isCancellation(error), String(error));
    else assert.instanceOf(value.regexp, RegExp);
  },

  async 'a cancel of a job here with children there'(context, pick) {
    const yields = pick(4);
    const job = Main.async(async (scope) => {
      for (let i = 0; i < 3; i++) {
        scope.launch(context, 'maybeFail', yields, false);
      }
      return scope.async(context, 'maybeFail', yields, false);
    });
    await pause(pick);
    job.cancel('race');
    const { error } = await settleOnce(job);
    if (error) assert.isTrue(isCancellation(error), String(error));
  },

  async 'sending, receiving, cancelling and closing'(context, pick) {
    const SENDERS = 3;
    const EACH = 5;
    const noted = cells(context, SENDERS * EACH);
    const capacity = [Channel.RENDEZVOUS, 1, Channel.CONFLATED, Channel.UNLIMITED][pick(4)];
    const onUndelivered = (value) => Atomics.sub(noted, value, 1);
    const channel = new Channel(capacity, { onUndelivered });
    const jobs = [];
    for (let i = 0; i < SENDERS; i++) {
      jobs.push(context.async('sendNoting', channel, noted, i * EACH, EACH));
      jobs.push(context.async('receiveNoting', channel, noted, pick(3)));
    }
    const settled = jobs.map(settleOnce);
    for (let i = pick(4); i > 0; i--) {
      await pause(pick);
      jobs[pick(jobs.length)].cancel('race');
    }
    await pause(pick);
    if (pick(2)) channel.close();
    await pause(pick);
    channel.cancel('race');
    for (const { error } of await Promise.all(settled)) {
      if (!error || error.name === 'ClosedSendError') continue;
      assert.isTrue(isCancellation(error), String(error));
    }
    // What was sent was received or given back, once.
    await until(() => noted.every((count) => count === 0));
    channel.dispose();
    free(context, noted);
  },

  async 'cancels and waits for a mutex'(context, pick) {
    const mutex = new Mutex({ locked: true });
    const at = cells(context);
    const jobs = Array.from({ length: 2 + pick(6) }, () =>
      context.async('addUnderLock', mutex, at, 1 + pick(3), pick(2)),
    );
    await pause(pick);
    mutex.unlock();
    await cancelSome(jobs, pick);
    assert.isFalse(mutex.isLocked);
    assert.equal(at[0], at[1], 'one at a time');
    free(context, at);
  },

  async 'cancels and waits for permits'(context, pick) {
    const permits = 1 + pick(3);
    const semaphore = new Semaphore(permits);
    const at = cells(context);
    const jobs = Array.from({ length: 2 + pick(6) }, () =>
      context.async('usePermits', semaphore, at, 1 + pick(3), pick(2)),
    );
    await cancelSome(jobs, pick);
    assert.equal(semaphore.availablePermits, permits);
    assert.equal(at[0], 0);
    assert.isAtMost(at[1], permits);
    free(context, at);
  },

  async 'selects of two mutexes in opposite orders'(context, pick) {
    const mutexes = [new Mutex(), new Mutex()];
    const at = cells(context);
    const times = 1 + pick(20);
    const jobs = [mutexes, mutexes.toReversed(), mutexes].map((order) =>
      context.async('lockEither', order, at, times),
    );
    await Promise.all(jobs);
    assert.equal(at[0], times * jobs.length);
    for (const mutex of mutexes) assert.isFalse(mutex.isLocked);
    free(context, at);
  },

  async 'selects of two channels in opposite orders'(context, pick) {
    const [one, two] = [new Channel(), new Channel()];
    const at = cells(context);
    const times = 1 + pick(20);
    const jobs = [
      context.async('exchange', one, two, at, times),
      context.async('exchange', two, one, at, times),
    ];
    await Promise.all(jobs);
    assert.deepEqual([at[0], at[1]], [times, times]);
    free(context, at);
  },

  async 'cancels and selects that send and receive'(context, pick) {
    const lost = [];
    const channel = new Channel(pick(3), { onUndelivered: (value) => lost.push(value) });
    const at = cells(context);
    const jobs = [];
    for (let i = 0; i < 4; i++) {
      jobs.push(context.async('sendSelected', channel, i * 100, 5, at));
      jobs.push(context.async('receiveSome', channel, 5, at));
    }
    await pause(pick);
    for (const job of jobs) if (pick(3) === 0) job.cancel('race');
    await pause(pick);
    for (const job of jobs) job.cancel('the end');
    for (const job of jobs) {
      const { error } = await settleOnce(job);
      if (error) assert.isTrue(isCancellation(error), String(error));
    }
    channel.cancel();
    // The hook is called here, by messages of the workers.
    await until(() => lost.length + at[1] >= at[0]);
    assert.equal(lost.length + at[1], at[0]);
    assert.equal(new Set(lost).size, lost.length, 'each once');
    free(context, at);
  },
};

/** Cancels some of the jobs while they run; the others end well. */
async function cancelSome(jobs, pick) {
  const kept = jobs.filter((job) => {
    if (pick(2) === 0) return true;
    void pause(pick).then(() => job.cancel('race'));
    return false;
  });
  for (const job of jobs) {
    const { error } = await settleOnce(job);
    if (kept.includes(job)) assert.isUndefined(error);
    else if (error) assert.isTrue(isCancellation(error), String(error));
  }
}
