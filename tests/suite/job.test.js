// Handles to jobs: their states, and cancelling them.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Main, TimeoutCancellationError } from 'coworker';
import { cells, failure, until, using } from './helpers/contexts.js';

const states = (job) => [job.isActive, job.isCompleted, job.isCancelled];
/** Whether it has ended by now is for its worker to decide. */
const assertCancelled = (job) => assert.deepEqual([job.isActive, job.isCancelled], [false, true]);
const ACTIVE = [true, false, false];
const COMPLETED = [false, true, false];
const FAILED = [false, true, true];

const began = (at) => until(() => Atomics.load(at, 0) > 0);

describe('a job', () => {
  it('has a state at each stage', async () => {
    await using(1, async (context) => {
      const gate = cells(context);
      const job = context.async('block', gate);
      assert.deepEqual(states(job), ACTIVE);
      Atomics.store(gate, 0, 1);
      await job;
      assert.deepEqual(states(job), COMPLETED);
      const failed = context.async('fail', 'x');
      await failed.join();
      assert.deepEqual(states(failed), FAILED);
    });
  });

  it('is cancelling until its body is over', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('untilCell', at);
      await until(() => Atomics.load(at, 1) === 1);
      job.cancel();
      assertCancelled(job);
      Atomics.store(at, 0, 1);
      await job.join();
      assert.deepEqual(states(job), FAILED);
    });
  });

  it('loses its result if it is cancelled before its end', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('ignoreCancel', at, 'result');
      await began(at);
      job.cancel(new Error('too late'));
      const error = await failure(job);
      assert.instanceOf(error, CancellationError);
      assert.equal(error.cause.message, 'too late');
    });
  });

  it('is joined whatever its end, early and late', async () => {
    await using(1, async (context) => {
      const jobs = [context.async('add', 1, 2), context.async('fail', 'x'), context.async('wait')];
      jobs[2].cancel();
      for (const job of [...jobs, ...jobs]) {
        assert.equal(await job.join(), undefined);
        assert.isTrue(job.isCompleted);
      }
    });
  });
});

describe('cancelling a job', () => {
  it('gives its error the cause', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('wait', at);
      await began(at);
      const cause = new RangeError('not needed any more');
      job.cancel(cause);
      const error = await failure(job);
      assert.equal(error.constructor, CancellationError);
      assert.equal(error.code, 'CW_ECANCELED');
      assert.include(error.message, 'not needed any more');
      assert.instanceOf(error.cause, RangeError);
      assert.equal(error.cause.message, cause.message);
    });
  });

  it('needs no cause, and takes any value', async () => {
    await using(1, async (context) => {
      const without = context.async('wait');
      without.cancel();
      const error = await failure(without);
      assert.equal(error.constructor, CancellationError);
      assert.isUndefined(error.cause);
      for (const cause of ['text', null, 0, { a: 1 }]) {
        const job = context.async('wait');
        job.cancel(cause);
        assert.deepEqual((await failure(job)).cause, cause);
      }
    });
  });

  it('before it has started keeps it from starting', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const blocker = context.async('block', at);
      const job = context.async('mark', at, 1);
      job.cancel();
      assertCancelled(job);
      Atomics.store(at, 0, 1);
      assert.instanceOf(await failure(job), CancellationError);
      await blocker;
      assert.equal(at[1], 0);
    });
  });

  it('ends a delay at once', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('wait', at);
      await began(at);
      await job.cancelAndJoin('enough');
      assert.deepEqual(states(job), FAILED);
      assert.equal((await failure(job)).cause, 'enough');
    });
  });

  it('aborts the signal', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('waitForSignal', at);
      await began(at);
      job.cancel();
      assert.equal((await failure(job)).constructor, CancellationError);
      assert.equal(at[1], 1);
    });
  });

  it('gives the signal the error with the cause', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('signalReason', at);
      await began(at);
      job.cancel(new Error('why'));
      await failure(job);
      assert.deepEqual([at[1], at[2]], [1, 1]);
    });
  });

  it('stops a busy loop that asks', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('spin', at);
      await began(at);
      job.cancel();
      assert.equal((await failure(job)).constructor, CancellationError);
    });
  });

  it('makes ensureActive() throw', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('ensureActive', at);
      await began(at);
      job.cancel('stop');
      assert.equal((await failure(job)).cause, 'stop');
      assert.equal(at[1], 1);
    });
  });

  it('runs finally blocks, in which waiting ends at once', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('cleanUp', at);
      await began(at);
      job.cancel();
      await failure(job);
      assert.deepEqual([at[1], at[2]], [1, 1]);
    });
  });

  it('twice keeps the first cause', async () => {
    await using(1, async (context) => {
      const job = context.async('wait');
      job.cancel('first');
      job.cancel('second');
      assert.equal((await failure(job)).cause, 'first');
    });
  });

  it('does nothing after its end', async () => {
    await using(1, async (context) => {
      const job = context.async('add', 1, 2);
      await job.join();
      job.cancel('late');
      await job.cancelAndJoin('later');
      assert.deepEqual(states(job), COMPLETED);
      assert.equal(await job, 3);
    });
  });

  it('reaches the whole tree below', async () => {
    await using(4, async (context) => {
      const at = cells(context);
      const job = context.async('tree', 4, at);
      await until(() => Atomics.load(at, 0) === 16);
      await job.cancelAndJoin();
      await until(() => {
        const { launched, completed } = context.stats();
        return launched === completed;
      });
      assert.equal(context.stats().launched, 31);
      assert.equal(context.stats().cancelled, 31);
    });
  });

  it('leaves others alone', async () => {
    await using(2, async (context) => {
      const at = cells(context);
      const other = context.async('untilCell', at);
      const job = context.async('wait');
      await job.cancelAndJoin();
      Atomics.store(at, 0, 1);
      assert.equal(await other, 'ended');
    });
  });
});

function isTimeout(error, limit = 'timeout') {
  assert.equal(error.constructor, TimeoutCancellationError);
  assert.instanceOf(error, CancellationError);
  assert.equal(error.limit, limit);
  assert.include(error.message, `the ${limit}, `);
}

describe('a timeout', () => {
  it('cancels a job that waits', async () => {
    await using(1, async (context) => {
      const job = context.async({ timeout: 20 }, 'wait');
      isTimeout(await failure(job));
      assert.deepEqual(states(job), FAILED);
    });
  });

  it('cancels a job that is busy', async () => {
    await using(1, async (context) => {
      isTimeout(await failure(context.async({ timeout: 20 }, 'spin')));
    });
  });

  it('counts from the start', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const blocker = context.async('block', at);
      const late = context.async({ deadline: 5 }, 'wait');
      const job = context.async({ timeout: 5 }, 'wait');
      const quick = context.async({ timeout: 5 }, 'mark', at, 1);
      await until(() => late.isCancelled); // as much time has passed
      assert.isFalse(job.isCancelled);
      Atomics.store(at, 0, 1);
      isTimeout(await failure(late), 'deadline');
      isTimeout(await failure(job));
      await Promise.all([blocker, quick]);
      assert.equal(at[1], 1);
    });
  });

  it('of zero cancels at once', async () => {
    await using(1, async (context) => {
      isTimeout(await failure(context.async({ timeout: 0 }, 'wait')));
    });
  });

  it('that does not run out changes nothing', async () => {
    await using(2, async (context) => {
      for (const timeout of [10_000, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
        assert.equal(await context.async({ timeout }, 'add', 1, 2), 3);
      }
    });
  });

  it('cancels what is below', async () => {
    await using(2, async (context) => {
      const at = cells(context);
      isTimeout(await failure(context.async({ timeout: 50 }, 'tree', 3, at)));
      await until(() => {
        const { launched, completed } = context.stats();
        return launched === completed;
      });
    });
  });

  it('works for children', async () => {
    await using(1, async (context) => {
      const job = context.async('callThere', { timeout: 10 }, 'wait');
      const error = await failure(job);
      assert.instanceOf(error, CancellationError);
    });
  });
});

describe('a deadline', () => {
  it('counts from the launch', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const blocker = context.async('block', at);
      const job = context.async({ deadline: 20 }, 'mark', at, 1);
      await until(() => job.isCancelled);
      Atomics.store(at, 0, 1);
      isTimeout(await failure(job), 'deadline');
      await blocker;
      assert.equal(at[1], 0);
    });
  });

  it('cancels a job that waits, or is busy', async () => {
    await using(1, async (context) => {
      isTimeout(await failure(context.async({ deadline: 20 }, 'wait')), 'deadline');
      isTimeout(await failure(context.async({ deadline: 20 }, 'spin')), 'deadline');
    });
  });

  it('and a timeout: the first one counts, and is told', async () => {
    await using(1, async (context) => {
      const first = { timeout: 10, deadline: 60_000 };
      const error = await failure(context.async(first, 'wait'));
      isTimeout(error);
      assert.include(error.message, '10 ms after the job began');
      const second = { timeout: 60_000, deadline: 10 };
      isTimeout(await failure(context.async(second, 'wait')), 'deadline');
      assert.equal(await context.async({ timeout: 60_000, deadline: 60_000 }, 'add', 1, 2), 3);
    });
  });

  it('is known in other threads, too', async () => {
    await using(1, async (context) => {
      assert.equal(await context.async('limitThere', { deadline: 10 }, 'wait'), 'deadline');
      assert.equal(await context.async('limitThere', { timeout: 10 }, 'wait'), 'timeout');
      assert.equal((await failure(context.async('failsWithDeadline'))).limit, 'deadline');
    });
  });

  it('is for functions of this thread, too', async () => {
    await Main.ready;
    const wait = (scope) => scope.awaitCancellation();
    isTimeout(await failure(Main.async({ deadline: 10 }, wait)), 'deadline');
    isTimeout(await failure(Main.async({ timeout: 10 }, wait)));
  });
});

describe('an abort signal', () => {
  /** A signal that tells how many listen to it. */
  function watched(signal) {
    let count = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = function (...args) {
      count++;
      return addEventListener.apply(this, args);
    };
    signal.removeEventListener = function (...args) {
      count--;
      return removeEventListener.apply(this, args);
    };
    return () => count;
  }

  it('that is aborted already cancels at once', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const signal = AbortSignal.abort(new RangeError('before'));
      const job = context.async({ signal }, 'mark', at, 0);
      assertCancelled(job);
      const error = await failure(job);
      assert.equal(error.constructor, CancellationError);
      assert.equal(error.cause.message, 'before');
    });
  });

  it('cancels later, with its reason for the cause', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const controller = new AbortController();
      const { signal } = controller;
      const job = context.async({ signal }, 'wait', at);
      await began(at);
      assert.deepEqual(states(job), ACTIVE);
      controller.abort(new RangeError('later'));
      assertCancelled(job);
      const error = await failure(job);
      assert.instanceOf(error.cause, RangeError);
      assert.equal(error.cause.message, 'later');
    });
  });

  it('has a reason if none was given', async () => {
    await using(1, async (context) => {
      const controller = new AbortController();
      const job = context.async({ signal: controller.signal }, 'wait');
      controller.abort();
      assert.equal((await failure(job)).cause.name, 'AbortError');
    });
  });

  it('is not listened to any more after the end', async () => {
    await using(1, async (context) => {
      const { signal } = new AbortController();
      const listeners = watched(signal);
      const job = context.async({ signal }, 'add', 1, 2);
      assert.equal(listeners(), 1);
      await job;
      assert.equal(listeners(), 0);
      const failed = context.async({ signal }, 'fail', 'x');
      await failed.join();
      assert.equal(listeners(), 0);
    });
  });

  it('serves many jobs', async () => {
    await using(2, async (context) => {
      const controller = new AbortController();
      const { signal } = controller;
      const listeners = watched(signal);
      await context.async({ signal }, 'add', 1, 2);
      const jobs = Array.from({ length: 50 }, () => context.async({ signal }, 'wait'));
      assert.equal(listeners(), 1); // hosts warn of many
      await jobs[7].cancelAndJoin('only you');
      controller.abort('all of you');
      for (const [index, job] of jobs.entries()) {
        assert.equal((await failure(job)).cause, index === 7 ? 'only you' : 'all of you');
      }
      assert.equal(listeners(), 0);
    });
  });
});
