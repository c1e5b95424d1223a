// Mutexes and semaphores, on the page and across workers.

import { before, describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, IllegalStateError, Main, Mutex, MutexOwnerError } from 'coworker';
import { CoworkerError, MutexPoisonedError, Semaphore } from 'coworker';
import { cells, failure, random, thrown, turns, until, using } from './helpers/contexts.js';

before(() => Main.ready);

describe('a mutex', () => {
  it('is held by one at a time', async () => {
    const mutex = new Mutex();
    assert.isFalse(mutex.isLocked);
    await mutex.lock();
    assert.isTrue(mutex.isLocked);
    assert.isFalse(mutex.tryLock());
    let got = false;
    const second = mutex.lock().then(() => (got = true));
    await turns();
    assert.isFalse(got);
    mutex.unlock();
    await second;
    assert.isTrue(mutex.isLocked);
    mutex.unlock();
    assert.isTrue(mutex.tryLock());
    mutex.unlock();
  });

  it('is recovered only if it is poisoned', async () => {
    const mutex = new Mutex();
    assert.isFalse(mutex.isPoisoned);
    assert.isFalse(mutex.recover());
    assert.isFalse(mutex.isLocked);
    await mutex.lock(undefined, 'me');
    assert.isFalse(mutex.recover('me'));
    assert.isTrue(mutex.holdsLock('me'));
    mutex.unlock('me');
    const error = new MutexPoisonedError('gone');
    assert.instanceOf(error, CoworkerError);
    assert.equal(error.code, 'CW_EPOISONED');
    assert.equal(error.name, 'MutexPoisonedError');
  });

  it('may begin locked', async () => {
    const mutex = new Mutex({ locked: true });
    assert.isTrue(mutex.isLocked);
    const waiting = mutex.lock();
    mutex.unlock();
    await waiting;
    assert.isFalse(new Mutex({ locked: false }).isLocked);
    const error = thrown(() => new Mutex({ locked: 1 }));
    assert.instanceOf(error, TypeError);
    assert.include(error.message, '`options.locked`');
  });

  it('serves who waits in order of arrival', async () => {
    const mutex = new Mutex({ locked: true });
    const order = [];
    const jobs = [0, 1, 2, 3].map((i) =>
      Main.async(async (scope) => {
        await mutex.withLock(scope, async () => {
          order.push(i);
          await scope.yield();
        });
      }),
    );
    await turns(2);
    jobs[2].cancel();
    mutex.unlock();
    await Promise.allSettled(jobs);
    assert.deepEqual(order, [0, 1, 3]);
    assert.isFalse(mutex.isLocked);
  });

  it('knows its owner', async () => {
    const mutex = new Mutex();
    const [me, you] = [{}, {}];
    assert.isFalse(mutex.holdsLock(me));
    await mutex.lock(undefined, me);
    assert.deepEqual([mutex.holdsLock(me), mutex.holdsLock(you)], [true, false]);
    for (const wrong of [you, undefined]) {
      const error = thrown(() => mutex.unlock(wrong));
      assert.instanceOf(error, MutexOwnerError);
      assert.equal(error.code, 'CW_EOWNER');
      assert.include(error.message, '`owner`');
    }
    assert.isTrue(mutex.holdsLock(me), 'nothing has changed');
    for (const error of [
      thrown(() => mutex.tryLock(me)),
      await failure(mutex.lock(undefined, me)),
    ]) {
      assert.instanceOf(error, IllegalStateError);
      assert.include(error.message, 'same owner');
    }
    assert.isFalse(mutex.tryLock(you));
    mutex.unlock(me);
    assert.isFalse(mutex.isLocked);
    assert.isTrue(mutex.tryLock(you));
    mutex.unlock(you);
  });

  it('takes any value for an owner', async () => {
    const mutex = new Mutex();
    for (const owner of ['text', 7, NaN, null, false, 5n, Symbol('one'), () => {}, {}]) {
      await mutex.lock(undefined, owner);
      assert.isTrue(mutex.holdsLock(owner));
      assert.isFalse(mutex.holdsLock('another'));
      mutex.unlock(owner);
    }
    await mutex.lock();
    assert.isTrue(mutex.holdsLock(undefined), 'no owner');
    mutex.unlock();
    assert.isFalse(mutex.holdsLock(undefined));
  });

  it('is handed over with the owner of who waits', async () => {
    const mutex = new Mutex({ locked: true });
    const waiting = mutex.lock(undefined, 'next');
    mutex.unlock();
    assert.isTrue(mutex.holdsLock('next'));
    await waiting;
    mutex.unlock('next');
  });

  it('cannot be unlocked by nobody', async () => {
    const mutex = new Mutex();
    const error = thrown(() => mutex.unlock());
    assert.instanceOf(error, IllegalStateError);
    assert.include(error.message, 'not locked');
    assert.isTrue(mutex.tryLock(), 'it can be used on');
    mutex.unlock();
  });

  it('is unlocked however a body ends', async () => {
    const mutex = new Mutex();
    const own = new RangeError('own');
    await Main.async(async (scope) => {
      assert.equal(await mutex.withLock(scope, () => 5), 5);
      assert.equal(await mutex.withLock(scope, async () => mutex.isLocked), true);
      assert.equal(await mutex.withLock(scope, () => mutex.holdsLock('me'), 'me'), true);
      const bodies = [
        () => {
          throw own;
        },
        () => Promise.reject(own),
      ];
      for (const body of bodies) assert.equal(await failure(mutex.withLock(scope, body)), own);
    });
    assert.isFalse(mutex.isLocked);
    const job = Main.async((scope) => mutex.withLock(scope, () => scope.delay(1e9)));
    await until(() => mutex.isLocked);
    job.cancel();
    assert.instanceOf(await failure(job), CancellationError);
    assert.isFalse(mutex.isLocked);
    assert.equal(await mutex.withLock(undefined, () => 6), 6);
    assert.instanceOf(await failure(mutex.withLock()), TypeError);
  });

  it('is not taken by who is cancelled while it waits', async () => {
    const mutex = new Mutex({ locked: true });
    const waiting = Main.async((scope) => mutex.lock(scope));
    await turns();
    waiting.cancel('enough');
    assert.instanceOf(await failure(waiting), CancellationError);
    mutex.unlock();
    assert.isFalse(mutex.isLocked);
  });

  it('that is free is taken without a look at cancellation', async () => {
    const mutex = new Mutex();
    const job = Main.async(async (scope) => {
      scope.cancel();
      await mutex.lock(scope);
      assert.isTrue(mutex.isLocked);
      assert.instanceOf(await failure(mutex.lock(scope)), CancellationError);
    });
    await job.join();
    assert.isTrue(mutex.isLocked);
  });

  it('refuses what is no scope', () => {
    const error = thrown(() => new Mutex().lock('me'));
    assert.instanceOf(error, TypeError);
    assert.include(error.message, '`scope`');
  });

  it('cannot be used by a handle that was given up', async () => {
    const mutex = new Mutex();
    mutex.dispose();
    mutex.dispose();
    const calls = [
      () => mutex.lock(),
      () => mutex.tryLock(),
      () => mutex.unlock(),
      () => mutex.isLocked,
      () => mutex.holdsLock({}),
    ];
    for (const call of calls) {
      const error = thrown(call);
      assert.instanceOf(error, IllegalStateError);
      assert.include(error.message, 'released');
    }
    assert.instanceOf(await failure(mutex.withLock(undefined, () => {})), IllegalStateError);
    // A wait that has begun, and a body, keep the mutex.
    const kept = new Mutex({ locked: true });
    const other = kept.lock();
    const body = kept.withLock(undefined, () => 7);
    kept.unlock();
    await other;
    kept.unlock();
    kept.dispose();
    assert.equal(await body, 7);
  });
});

describe('a semaphore', () => {
  it('gives out its permits', async () => {
    const semaphore = new Semaphore(2);
    assert.equal(semaphore.availablePermits, 2);
    await semaphore.acquire();
    assert.isTrue(semaphore.tryAcquire());
    assert.isFalse(semaphore.tryAcquire());
    assert.equal(semaphore.availablePermits, 0);
    const third = semaphore.acquire();
    semaphore.release();
    await third;
    assert.equal(semaphore.availablePermits, 0);
    semaphore.release();
    semaphore.release();
    const error = thrown(() => semaphore.release());
    assert.instanceOf(error, IllegalStateError);
    assert.include(error.message, 'acquire()');
    assert.equal(semaphore.availablePermits, 2);
  });

  it('may begin with some of them', async () => {
    const semaphore = new Semaphore(3, { available: 1 });
    assert.equal(semaphore.availablePermits, 1);
    assert.equal(new Semaphore(2, { available: 0 }).availablePermits, 0);
    semaphore.release();
    semaphore.release();
    assert.equal(semaphore.availablePermits, 3);
  });

  it('checks the counts', () => {
    for (const permits of [0, -1, 1.5, NaN, Infinity, 2 ** 31, '2', undefined]) {
      const error = thrown(() => new Semaphore(permits));
      assert.instanceOf(error, RangeError);
      assert.include(error.message, '`permits`');
    }
    for (const available of [-1, 3, 0.5, '1']) {
      const error = thrown(() => new Semaphore(2, { available }));
      assert.instanceOf(error, RangeError);
      assert.include(error.message, '`options.available`');
    }
  });

  it('lends a permit to a body', async () => {
    const semaphore = new Semaphore(2);
    let most = 0;
    let now = 0;
    await Main.async(async (scope) => {
      for (let i = 0; i < 10; i++) {
        scope.launch(async (inner) => {
          await semaphore.withPermit(inner, async () => {
            most = Math.max(most, ++now);
            await inner.yield();
            now--;
          });
        });
      }
      const own = new RangeError('own');
      const fail = () => {
        throw own;
      };
      assert.equal(await failure(semaphore.withPermit(scope, fail)), own);
      assert.equal(await semaphore.withPermit(scope, () => 'result'), 'result');
    });
    assert.deepEqual([most, semaphore.availablePermits], [2, 2]);
  });

  it('loses no permit when waiters are cancelled at random', async () => {
    const pick = random(7);
    for (let round = 0; round < 30; round++) {
      const permits = 1 + pick(3);
      const semaphore = new Semaphore(permits);
      const jobs = Array.from({ length: 12 }, () =>
        Main.async((scope) =>
          semaphore.withPermit(scope, async () => {
            for (let i = pick(3); i > 0; i--) await scope.yield();
          }),
        ),
      );
      for (const job of jobs) {
        if (pick(3) === 0) await turns();
        if (pick(2) === 0) job.cancel();
      }
      for (const { status, reason } of await Promise.allSettled(jobs)) {
        if (status === 'rejected') assert.instanceOf(reason, CancellationError);
      }
      assert.equal(semaphore.availablePermits, permits);
    }
  });

  it('cannot be used by a handle that was given up', () => {
    const semaphore = new Semaphore(1);
    semaphore.dispose();
    const calls = [
      () => semaphore.acquire(),
      () => semaphore.tryAcquire(),
      () => semaphore.release(),
      () => semaphore.availablePermits,
    ];
    for (const call of calls) assert.include(thrown(call).message, 'released');
  });
});

describe('across workers', () => {
  for (const workers of [1, 2, 4]) {
    it(`a mutex lets one in at a time, ${workers} workers`, async () => {
      await using(workers, async (context) => {
        const at = cells(context);
        const mutex = new Mutex();
        const jobs = Array.from({ length: 8 }, (_, i) =>
          context.async('addUnderLock', mutex, at, 50, i % 3),
        );
        const here = Main.async(async (scope) => {
          for (let i = 0; i < 20; i++) {
            await mutex.withLock(scope, async () => {
              const before = at[0];
              await scope.yield();
              at[0] = before + 1;
            });
          }
        });
        await Promise.all([...jobs, here]);
        assert.equal(at[0], 8 * 50 + 20);
        assert.isFalse(mutex.isLocked);
      });
    });

    it(`a semaphore lets no more in than it has permits, ${workers} workers`, async () => {
      await using(workers, async (context) => {
        const at = cells(context);
        const semaphore = new Semaphore(2);
        const jobs = Array.from({ length: 6 }, (_, i) =>
          context.async('usePermits', semaphore, at, 40, i % 3),
        );
        await Promise.all(jobs);
        assert.equal(at[0], 0);
        assert.isAtMost(at[1], 2);
        assert.equal(semaphore.availablePermits, 2);
      });
    });
  }

  it('waits are over when their task is cancelled, or has ended', async () => {
    await using(2, async (context) => {
      const mutex = new Mutex({ locked: true });
      const job = context.async('lockBound', mutex);
      await turns(3);
      job.cancel();
      assert.instanceOf(await failure(job), CancellationError);
      assert.isTrue(await context.async('leaveLocking', mutex));
      mutex.unlock();
      assert.isFalse(mutex.isLocked);
      assert.equal(await context.async('lockBound', mutex), 'locked');
    });
  });

  it('an owner is known on its own thread only', async () => {
    await using(1, async (context) => {
      const mutex = new Mutex();
      await mutex.lock(undefined, 'me');
      assert.equal(await context.async('unlockThere', mutex, 'me'), 'MutexOwnerError');
      assert.isTrue(mutex.holdsLock('me'));
      mutex.unlock('me');
      assert.equal(await context.async('unlockThere', mutex), 'IllegalStateError');
      await mutex.lock();
      assert.equal(await context.async('unlockThere', mutex), 'unlocked');
    });
  });

  it('a handle that is given up leaves the others', async () => {
    await using(1, async (context) => {
      const semaphore = new Semaphore(3, { available: 2 });
      assert.deepEqual(await context.async('disposeThere', semaphore), [2, 'IllegalStateError']);
      assert.equal(semaphore.availablePermits, 2);
      const mutex = new Mutex();
      const [back] = await context.async('echo', [mutex]);
      assert.instanceOf(back, Mutex);
      mutex.dispose();
      assert.isTrue(back.tryLock());
    });
  });
});
