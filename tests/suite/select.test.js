// Waiting for the first of several things, on the page and on workers.

import { before, describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, IllegalStateError, Main, Mutex } from 'coworker';
import { newCompletableDeferred, newJob, select, selectUnbiased } from 'coworker';
import { failure, thrown, turns } from './helpers/contexts.js';

before(() => Main.ready);

/** Selects in a job of its own. */
const selecting = (build) => Main.async((scope) => select(scope, build));
const never = () => assert.fail('this clause must not win');

describe('select', () => {
  it('gives what the function of the winning clause returns', async () => {
    assert.equal(await selecting((clauses) => clauses.onTimeout(0, () => 5)), 5);
    const later = async () => {
      await turns();
      return 'later';
    };
    assert.equal(await selecting((clauses) => clauses.onTimeout(0, later)), 'later');
    const own = new RangeError('own');
    for (const fail of [
      () => {
        throw own;
      },
      () => Promise.reject(own),
    ]) {
      assert.equal(await failure(selecting((clauses) => clauses.onTimeout(0, fail))), own);
    }
  });

  it('waits for the end of a job, however it ends', async () => {
    for (const end of ['complete', 'cancel']) {
      const [job, other] = [newJob(), newJob()];
      const result = selecting((clauses) => {
        clauses.onJoin(other, never);
        clauses.onJoin(job, () => end);
      });
      await turns();
      job[end]();
      assert.equal(await result, end);
      assert.isTrue(other.isActive);
      assert.equal(await selecting((clauses) => clauses.onJoin(job, () => 'late')), 'late');
      other.complete();
    }
  });

  it('waits for results', async () => {
    const [one, two] = [newCompletableDeferred(), newCompletableDeferred()];
    const result = selecting((clauses) => {
      clauses.onAwait(one, never);
      clauses.onAwait(two, (value) => [value]);
    });
    await turns();
    two.complete('two');
    assert.deepEqual(await result, ['two']);
    const failing = selecting((clauses) => clauses.onAwait(one, never));
    const cause = new RangeError('one');
    one.completeExceptionally(cause);
    assert.equal(await failure(failing), cause);
    assert.equal(await failure(selecting((clauses) => clauses.onAwait(one, never))), cause);
  });

  it('starts lazy jobs', async () => {
    await Main.async(async (scope) => {
      const ran = [];
      const lazy = (name) => scope.async({ start: 'lazy' }, () => (ran.push(name), name));
      const [awaited, joined] = [lazy('awaited'), lazy('joined')];
      const winner = await select(scope, (clauses) => {
        clauses.onAwait(awaited, (value) => value);
        clauses.onJoin(joined, never);
      });
      assert.equal(winner, 'awaited');
      await scope.join(joined);
      assert.deepEqual(ran, ['awaited', 'joined']);
    });
  });

  it('waits no longer than the time', async () => {
    const job = newJob();
    const begun = performance.now();
    const winner = await selecting((clauses) => {
      clauses.onJoin(job, never);
      clauses.onTimeout(1e9, never);
      clauses.onTimeout(Infinity, never);
      clauses.onTimeout(9.5, () => 'time');
    });
    assert.equal(winner, 'time');
    assert.isAtLeast(performance.now() - begun, 9);
    for (const ms of [0, -1, -Infinity]) {
      assert.equal(
        await selecting((clauses) => {
          clauses.onJoin(job, never);
          clauses.onTimeout(ms, () => 'at once');
        }),
        'at once',
      );
    }
    job.cancel();
  });

  it('locks one mutex only', async () => {
    const [one, two] = [new Mutex({ locked: true }), new Mutex({ locked: true })];
    const build = (clauses) => {
      clauses.onLock(one, never);
      clauses.onLock(two, () => two.holdsLock('me'), 'me');
    };
    const waiting = selecting(build);
    await turns();
    two.unlock();
    assert.isTrue(await waiting);
    one.unlock();
    assert.isFalse(one.isLocked);
    const again = await failure(selecting((clauses) => clauses.onLock(two, never, 'me')));
    assert.instanceOf(again, IllegalStateError);
    assert.isTrue(two.holdsLock('me'));
    two.unlock('me');
    assert.isTrue(await selecting((clauses) => clauses.onLock(one, () => one.isLocked)));
  });

  it('leaves everything alone when it is cancelled', async () => {
    const mutex = new Mutex({ locked: true });
    const job = newJob();
    const waiting = selecting((clauses) => {
      clauses.onLock(mutex, never);
      clauses.onJoin(job, never);
      clauses.onTimeout(1e9, never);
    });
    await turns();
    waiting.cancel('enough');
    assert.instanceOf(await failure(waiting), CancellationError);
    assert.isTrue(job.isActive);
    mutex.unlock();
    assert.isFalse(mutex.isLocked);
    job.complete();
  });

  it('gives a lock back that it got but may not use', async () => {
    await Main.async(async (scope) => {
      const mutex = new Mutex({ locked: true });
      const job = scope.async((inner) => select(inner, (clauses) => clauses.onLock(mutex, never)));
      await scope.yield();
      mutex.unlock();
      assert.isTrue(mutex.isLocked); // handed over
      job.cancel();
      await scope.join(job);
      assert.isTrue(job.isCancelled);
      assert.isFalse(mutex.isLocked);
    });
  });

  it('that need not wait does not look at cancellation', async () => {
    const job = Main.async(async (scope) => {
      scope.cancel();
      assert.equal(await select(scope, (clauses) => clauses.onTimeout(0, () => 5)), 5);
      const waiting = select(scope, (clauses) => clauses.onTimeout(1, never));
      assert.instanceOf(await failure(waiting), CancellationError);
    });
    await job.join();
    assert.instanceOf(job.getCompletionErrorOrUndefined(), CancellationError);
  });

  it('refuses an object in two clauses, which can be used on', async () => {
    const mutex = new Mutex();
    const job = newJob();
    const [open, ended] = [newCompletableDeferred(), newCompletableDeferred()];
    ended.complete(1);
    await ended;
    for (const twice of [
      (clauses) => clauses.onLock(mutex, never),
      (clauses) => clauses.onJoin(job, never),
      (clauses) => clauses.onAwait(open, never),
      (clauses) => clauses.onAwait(ended, never),
    ]) {
      const error = await failure(
        selecting((clauses) => {
          twice(clauses);
          clauses.onTimeout(0, never);
          twice(clauses);
        }),
      );
      assert.instanceOf(error, IllegalStateError);
      assert.include(error.message, 'the same object');
    }
    assert.isTrue(mutex.tryLock());
    assert.isTrue(job.complete());
    assert.isTrue(open.complete(2));
    assert.equal(await selecting((clauses) => clauses.onAwait(open, (value) => value)), 2);
  });

  it('takes each of several ready clauses now and then, if it is unbiased', async () => {
    await Main.async(async (scope) => {
      const counts = [0, 0, 0];
      for (let i = 0; i < 300; i++) {
        await selectUnbiased(scope, (clauses) => {
          counts.forEach((_, index) => clauses.onTimeout(0, () => counts[index]++));
        });
      }
      for (const count of counts) assert.isAtLeast(count, 50);
    });
  });

  it('checks its arguments', async () => {
    await Main.async(async (scope) => {
      const errorOf = (build) => thrown(() => select(scope, build));
      const job = newJob(scope.job);
      for (const [part, build] of [
        ['`job`', (clauses) => clauses.onJoin({}, never)],
        ['`job`', (clauses) => clauses.onAwait(job, never)],
        ['`ms`', (clauses) => clauses.onTimeout('1', never)],
        ['`ms`', (clauses) => clauses.onTimeout(NaN, never)],
        ['`mutex`', (clauses) => clauses.onLock({}, never)],
        ['`then`', (clauses) => clauses.onTimeout(1)],
        ['`then`', (clauses) => clauses.onJoin(job, 5)],
        ['`build`', undefined],
      ]) {
        const error = errorOf(build);
        assert.instanceOf(error, TypeError);
        assert.include(error.message, part);
      }
      job.complete();
      assert.include(thrown(() => select({}, () => {})).message, '`scope`');
      for (const count of [0, 65]) {
        const error = errorOf((clauses) => {
          for (let i = 0; i < count; i++) clauses.onTimeout(1, never);
        });
        assert.instanceOf(error, RangeError);
        assert.include(error.message, `got ${count}`);
      }
      const most = select(scope, (clauses) => {
        for (let i = 0; i < 64; i++) clauses.onTimeout(63 - i, () => i);
      });
      assert.equal(await most, 63);
      let kept;
      await select(scope, (clauses) => {
        kept = clauses;
        clauses.onTimeout(0, () => {});
      });
      assert.instanceOf(
        thrown(() => kept.onTimeout(0, () => {})),
        IllegalStateError,
      );
      const own = new RangeError('own');
      const fail = () => {
        throw own;
      };
      assert.equal(errorOf(fail), own);
    });
  });
});
