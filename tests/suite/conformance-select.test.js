// What select, mutexes and semaphores have to do, case by case, on the main
// thread's loop, where the order of everything is fixed. A case that needs a
// dispatcher which runs things in place has it replaced by that loop.

import { before, describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Channel, ClosedSendError, IllegalStateError, Main } from 'coworker';
import { Mutex, Semaphore, Unconfined, select, selectUnbiased } from 'coworker';
import { failure } from './helpers/contexts.js';
import { marks } from './helpers/marks.js';

before(() => Main.ready);

describe('select', () => {
  it('case 181: takes the first ready clause; unbiased, each as often', async () => {
    const rounds = 1000;
    await Main.async(async (scope) => {
      const first = scope.async(() => 10);
      const second = scope.async(() => 11);
      await scope.joinAll([first, second]);
      const clauses = (add) => {
        add.onAwait(first, (value) => value);
        add.onAwait(second, (value) => value);
      };
      for (let i = 0; i < rounds; i++) assert.equal(await select(scope, clauses), 10);
      const counts = { 10: 0, 11: 0 };
      for (let i = 0; i < rounds; i++) counts[await selectUnbiased(scope, clauses)]++;
      assert.isAtLeast(counts[10], rounds / 4);
      assert.isAtLeast(counts[11], rounds / 4);
    });
  });

  it('case 182: that sends waits for a receiver, who goes on before the clause', async () => {
    const mark = marks();
    await Main.async(async (scope) => {
      const channel = new Channel(Channel.RENDEZVOUS);
      mark(1);
      scope.launch(async (inner) => {
        mark(3);
        assert.equal(await channel.receive(inner), 'value');
        mark(4);
      });
      mark(2);
      await select(scope, (clauses) => clauses.onSend(channel, 'value', () => mark(5)));
      mark(6);
    });
    mark.end(6);
  });

  it('case 184: that sends throws at a closed channel; an older element is delivered', async () => {
    const mark = marks();
    await Main.async(async (scope) => {
      const channel = new Channel(Channel.RENDEZVOUS);
      mark(1);
      scope.launch(async (inner) => {
        mark(2);
        await channel.send('older', inner);
        mark(4);
      });
      await scope.yield();
      channel.close();
      const sending = select(scope, (clauses) => clauses.onSend(channel, 'younger', mark.never));
      assert.instanceOf(await failure(sending), ClosedSendError);
      mark(3);
      assert.equal(await channel.receive(scope), 'older');
      await scope.yield();
      mark(5);
    });
    mark.end(5);
  });

  it('case 185: throws for one channel in two clauses, which works on', async () => {
    const mark = marks();
    await Main.async(async (scope) => {
      const channel = new Channel(Channel.RENDEZVOUS);
      mark(1);
      const twice = select(scope, (clauses) => {
        clauses.onSend(channel, 1, mark.never);
        clauses.onReceive(channel, mark.never);
      });
      assert.instanceOf(await failure(twice), IllegalStateError);
      mark(2);
      scope.launch(async (inner) => {
        mark(3);
        await channel.send(2, inner);
        mark(5);
      });
      await scope.yield();
      mark(4);
      assert.equal(await channel.receive(scope), 2);
      await scope.yield();
      mark(6);
    });
    mark.end(6);
  });

  it('case 187: takes the first job to end, and leaves the other alone', async () => {
    const mark = marks();
    await Main.async(async (scope) => {
      mark(1);
      const slow = scope.async(async (inner) => {
        mark(3);
        await inner.yield();
        mark(5);
        await inner.yield();
        mark(8);
        return 'slow';
      });
      const quick = scope.async(() => {
        mark(4);
        return 'quick';
      });
      mark(2);
      const result = await select(scope, (clauses) => {
        clauses.onAwait(slow, mark.never);
        clauses.onAwait(quick, (value) => {
          mark(6);
          return value;
        });
      });
      assert.equal(result, 'quick');
      assert.isTrue(slow.isActive);
      mark(7);
      assert.equal(await scope.await(slow), 'slow');
      mark(9);
    });
    mark.end(9);
  });

  it('case 188: throws what the first ready clause has failed with', async () => {
    const mark = marks();
    await Main.async((scope) =>
      scope.supervisorScope(async (inner) => {
        const cause = new RangeError('failed before');
        const failed = inner.async(() => {
          throw cause;
        });
        const done = inner.async(() => 1);
        await inner.joinAll([failed, done]);
        mark(1);
        const selecting = select(inner, (clauses) => {
          clauses.onAwait(failed, mark.never);
          clauses.onAwait(done, mark.never);
        });
        assert.equal(await failure(selecting), cause);
        mark(2);
      }),
    );
    mark.end(2);
  });
});

describe('a mutex', () => {
  it('case 190: unlocking queues who waits; the caller goes on', async () => {
    const mark = marks();
    await Main.async(async (scope) => {
      const mutex = new Mutex();
      mark(1);
      scope.launch(async (inner) => {
        mark(3);
        await mutex.lock(inner);
        mark(7);
        mutex.unlock();
      });
      await mutex.lock(scope);
      mark(2);
      await scope.yield();
      mark(4);
      assert.isFalse(mutex.tryLock());
      mark(5);
      mutex.unlock();
      mark(6);
      await scope.yield();
      mark(8);
      assert.isFalse(mutex.isLocked);
    });
    mark.end(8);
  });

  it('case 91: is free again if whom it was handed to is cancelled', async () => {
    const mark = marks();
    await Main.async(async (scope) => {
      const mutex = new Mutex({ locked: true });
      mark(1);
      const job = scope.launch(async (inner) => {
        mark(2);
        await mutex.lock(inner);
        mark.never();
      });
      await scope.yield();
      mark(3);
      mutex.unlock();
      assert.isTrue(mutex.isLocked); // handed over
      job.cancel();
      mark(4);
      await scope.yield();
      assert.isFalse(mutex.isLocked);
      mark(5);
      await scope.join(job);
      assert.isTrue(job.isCancelled);
    });
    mark.end(5);
  });

  // A body of JavaScript goes on after an `await` once the call that has resumed
  // it is over, so no waiter has run yet when the first unlock comes back.
  for (const [name, options] of [
    ['unconfined', { context: Unconfined }],
    ['undispatched', { start: 'undispatched' }],
  ]) {
    it(`case 107: passes ten thousand ${name} waiters after one unlock`, async () => {
      const waiters = 10_000;
      const last = waiters + 3;
      const mark = marks();
      await Main.async(async (scope) => {
        const mutex = new Mutex({ locked: true });
        const jobs = [];
        mark(1);
        for (let i = 0; i < waiters; i++) {
          const job = scope.launch(options, async (inner) => {
            await mutex.lock(inner);
            mark(3 + i);
            mutex.unlock();
          });
          jobs.push(job);
        }
        mark(2);
        mutex.unlock();
        assert.equal(mark.passed, 2);
        await scope.joinAll(jobs);
        mark(last);
        assert.isFalse(mutex.isLocked);
      });
      mark.end(last);
    });
  }
});

describe('a semaphore', () => {
  it('case 191: gives no permit to waiters that are cancelled, last one first', async () => {
    await Main.async(async (scope) => {
      const semaphore = new Semaphore(1);
      await semaphore.acquire(scope);
      const jobs = [0, 1].map(() =>
        scope.async(async (inner) => {
          await semaphore.acquire(inner);
          assert.fail('this must not be reached');
        }),
      );
      await scope.yield();
      jobs[1].cancel();
      jobs[0].cancel();
      assert.equal(semaphore.availablePermits, 0);
      semaphore.release();
      assert.equal(semaphore.availablePermits, 1);
      await scope.joinAll(jobs);
      assert.equal(semaphore.availablePermits, 1);
      for (const job of jobs) {
        assert.instanceOf(job.getCompletionErrorOrUndefined(), CancellationError);
      }
    });
  });
});
