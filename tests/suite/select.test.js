// Waiting for the first of several things, on the page and on workers.

import { before, describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Channel, ClosedReceiveError, ClosedSendError } from 'coworker';
import {
  IllegalStateError,
  Main,
  Mutex,
  newCompletableDeferred,
  newJob,
  select,
  selectUnbiased,
} from 'coworker';
import { cells, failure, thrown, turns, using } from './helpers/contexts.js';

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
        ['`mutex`', (clauses) => clauses.onLock(new Channel(), never)],
        ['`channel`', (clauses) => clauses.onSend({}, 1, never)],
        ['`channel`', (clauses) => clauses.onReceive(new Mutex(), never)],
        ['`channel`', (clauses) => clauses.onReceiveCatching(null, never)],
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

describe('select with channels', () => {
  it('receives what is there, and what comes', async () => {
    const [empty, full] = [new Channel(), new Channel(1)];
    const value = { the: 'very value' };
    full.trySend(value);
    const build = (clauses) => {
      clauses.onReceive(empty, never);
      clauses.onReceive(full, (received) => received);
    };
    assert.equal(await selecting(build), value);
    const waiting = selecting(build);
    await turns();
    await full.send(2);
    assert.equal(await waiting, 2);
    assert.isFalse(empty.trySend(1).success, 'nobody waits there any more');
  });

  it('sends to one channel only', async () => {
    const lost = [];
    const onUndelivered = (value) => lost.push(value);
    const [full, free] = [new Channel(0, { onUndelivered }), new Channel(1, { onUndelivered })];
    const build = (clauses) => {
      clauses.onSend(full, 'full', () => 'full');
      clauses.onSend(free, 'free', () => 'free');
    };
    assert.equal(await selecting(build), 'free');
    const waiting = selecting(build);
    await turns();
    assert.equal(await full.receive(), 'full');
    assert.equal(await waiting, 'full');
    assert.equal(free.tryReceive().value, 'free');
    assert.isTrue(free.isEmpty);
    assert.deepEqual(lost, [], 'a loser keeps its value');
  });

  it('throws what a channel was closed with', async () => {
    const [closed, failed] = [new Channel(), new Channel()];
    closed.close();
    const cause = new RangeError('cause');
    failed.close(cause);
    const receiving = (channel) => selecting((clauses) => clauses.onReceive(channel, never));
    const sending = (channel) => selecting((clauses) => clauses.onSend(channel, 1, never));
    assert.instanceOf(await failure(receiving(closed)), ClosedReceiveError);
    assert.instanceOf(await failure(sending(closed)), ClosedSendError);
    assert.equal(await failure(receiving(failed)), cause);
    assert.equal(await failure(sending(failed)), cause);
    const late = new Channel();
    const waiting = receiving(late);
    await turns();
    late.close(cause);
    assert.equal(await failure(waiting), cause);
  });

  it('tells of a closed channel, if it shall', async () => {
    const channel = new Channel(1);
    const catching = () =>
      selecting((clauses) => clauses.onReceiveCatching(channel, (result) => result));
    channel.trySend(7);
    assert.deepEqual(await catching(), { success: true, closed: false, value: 7 });
    const waiting = catching();
    await turns();
    const cause = new RangeError('cause');
    channel.close(cause);
    for (const result of [await waiting, await catching()]) {
      assert.deepEqual([result.success, result.closed], [false, true]);
      assert.equal(result.cause, cause);
    }
  });

  it('that is cancelled gives up what it sends, and what it got', async () => {
    const lost = [];
    const channel = new Channel(0, { onUndelivered: (value) => lost.push(value) });
    const sending = selecting((clauses) => clauses.onSend(channel, 'sent', never));
    await turns();
    sending.cancel();
    await sending.join();
    assert.deepEqual(lost, ['sent']);
    await Main.async(async (scope) => {
      const receiving = scope.async((inner) =>
        select(inner, (clauses) => clauses.onReceive(channel, never)),
      );
      await scope.yield();
      await channel.send('handed over', scope);
      receiving.cancel();
      await scope.join(receiving);
    });
    assert.deepEqual(lost, ['sent', 'handed over']);
  });

  it('works across threads, with any values', async () => {
    await using(2, async (context) => {
      const channel = new Channel(2);
      const job = context.async('receiveSelected', channel);
      const values = [1, 'text', { a: [1, 2] }, /only cloned/u, new Map([[1, 2]])];
      await Main.async(async (scope) => {
        for (const value of values) {
          await select(scope, (clauses) => {
            clauses.onSend(channel, value, () => {});
            clauses.onTimeout(60_000, never);
          });
        }
      });
      channel.close();
      const [received, isClosed] = await job;
      assert.deepEqual(received, values);
      assert.isTrue(isClosed);
    });
  });

  it('refuses a value that cannot be sent, and is not begun', async () => {
    await using(1, async (context) => {
      const [channel, other] = [new Channel(), new Channel(1)];
      await context.async('kindOf', channel); // shared from now on
      const selectingBoth = selecting((clauses) => {
        clauses.onSend(other, 1, never);
        clauses.onSend(channel, () => {}, never);
      });
      assert.instanceOf(await failure(selectingBoth), TypeError);
      assert.isTrue(other.isEmpty);
    });
  });

  it('never blocks for good in opposite orders', async () => {
    await using(2, async (context) => {
      const [one, two] = [new Channel(), new Channel()];
      const at = cells(context);
      await Promise.all([
        context.async('exchange', one, two, at, 500),
        context.async('exchange', two, one, at, 500),
      ]);
      assert.deepEqual([at[0], at[1]], [500, 500]);
    });
  });
});
