// What jobs tell of their end: by getCompleted(), and by functions that are called then.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, IllegalStateError, Main, newJob } from 'coworker';
import { cells, failure, thrown, turns, uncaught, until, using } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';
import { refused } from './helpers/refused.js';

describe('a body', () => {
  it('goes on to where it waits before others begin', async () => {
    await Main.ready;
    const marks = [];
    Main.launch(async () => {
      marks.push(1);
      await null;
      await null;
      marks.push(2);
    });
    const last = Main.launch(() => marks.push(3));
    // As when a wake-up comes before the turn that is due.
    last.owner.realm.pumpNow();
    assert.deepEqual(marks, [1]);
    await last.join();
    assert.deepEqual(marks, [1, 2, 3]);
  });

  it('is not held up by asking for the outcome of another', () =>
    onMain(3, async (scope, expect) => {
      const one = scope.async(() => expect(1));
      await scope.join(one);
      scope.launch(() => expect(3));
      assert.isUndefined(one.getCompleted());
      await null;
      expect(2);
    }));
});

describe('getCompleted()', () => {
  it('gives the value, or throws the failure itself', async () => {
    await Main.ready;
    const value = { of: 5 };
    const error = new Error('A');
    const good = Main.async(() => value);
    const bad = Main.async(() => {
      throw error;
    });
    for (const job of [good, bad]) {
      for (const call of ['getCompleted', 'getCompletionErrorOrUndefined']) {
        const refusal = thrown(() => job[call]()); // at once: they run in the next turn
        assert.equal(refusal.constructor, IllegalStateError);
        assert.include(refusal.message, 'has not completed; await it');
      }
    }
    await Promise.all([good.join(), bad.join()]);
    assert.strictEqual(good.getCompleted(), value);
    assert.isUndefined(good.getCompletionErrorOrUndefined());
    assert.strictEqual(
      thrown(() => bad.getCompleted()),
      error,
    );
    assert.strictEqual(bad.getCompletionErrorOrUndefined(), error);
  });

  it('works as soon as the job is complete', () =>
    onMain(4, async (scope, expect) => {
      const value = { of: 5 };
      const error = new Error('A');
      const good = scope.async(() => value);
      const bad = scope.async({ job: null }, () => {
        throw error;
      });
      // Within the turn in which they end, before anybody who awaits is told.
      good.invokeOnCompletion(() => {
        expect(1);
        assert.strictEqual(good.getCompleted(), value);
      });
      bad.invokeOnCompletion(() => {
        expect(2);
        assert.strictEqual(bad.getCompletionErrorOrUndefined(), error);
      });
      scope.launch(() => {
        expect(3);
        assert.strictEqual(good.getCompleted(), value);
        assert.strictEqual(
          thrown(() => bad.getCompleted()),
          error,
        );
      });
      await scope.yield();
      expect(4);
      assert.strictEqual(await good, value);
      assert.strictEqual(await failure(bad), error);
    }));

  it('has the value of a task, early and late', async () => {
    await using(1, async (context) => {
      const job = context.async('echo', { of: [5] });
      let early;
      // Called by the core, perhaps before the news of the value is read.
      job.invokeOnCompletion(() => (early = job.getCompleted()));
      assert.deepEqual(await job, { of: [5] });
      await until(() => early);
      assert.deepEqual(early, { of: [5] });
      assert.strictEqual(job.getCompleted(), await job);
    });
  });
});

describe('invokeOnCompletion()', () => {
  it('calls in the order of registering', async () => {
    await Main.ready;
    const job = newJob();
    const calls = [];
    job.invokeOnCompletion(() => calls.push('one'));
    job.invokeOnCompletion(() => calls.push('early'), { onCancelling: true });
    const handle = job.invokeOnCompletion(() => calls.push('disposed'));
    job.invokeOnCompletion(() => calls.push('two'));
    handle.dispose();
    handle.dispose();
    job.cancel();
    assert.deepEqual(calls, ['early', 'one', 'two']);
    handle.dispose();
  });

  it('calls at once if it is late, unless told otherwise', async () => {
    await Main.ready;
    const error = new Error('A');
    const failed = newJob();
    failed.completeExceptionally(error);
    await turns();
    for (const job of [failed, newJob(failed)]) {
      const calls = [];
      for (const onCancelling of [false, true]) {
        job.invokeOnCompletion((e) => calls.push(e), { onCancelling });
        const options = { onCancelling, invokeImmediately: false };
        job.invokeOnCompletion(() => calls.push('never'), options).dispose();
      }
      assert.lengthOf(calls, 2);
      assert.strictEqual(calls[0], calls[1]);
      await turns();
      assert.lengthOf(calls, 2);
    }
  });

  it('tells a job that is cancelling of its cause', async () => {
    await Main.ready;
    const cause = new CancellationError('why');
    const job = newJob();
    const child = newJob(job);
    const waits = Main.launch({ job: child }, async (scope) => {
      await failure(scope.awaitCancellation());
    });
    await until(() => waits.isActive);
    await turns();
    job.cancel(cause);
    assert.equal(flags(job), '001');
    const calls = [];
    job.invokeOnCompletion((error) => calls.push(['early', error]), { onCancelling: true });
    assert.deepEqual(calls, [['early', cause]]);
    job.invokeOnCompletion((error) => calls.push(['end', error]));
    assert.lengthOf(calls, 1);
    await job.join();
    assert.lengthOf(calls, 2);
    assert.strictEqual(calls[1][1], cause);
  });

  it('hears of jobs that end on workers', async () => {
    await using(2, async (context) => {
      const calls = [];
      const error = await failure(
        new Promise((_resolve, reject) => {
          context.async('fail', 'there').invokeOnCompletion(reject);
        }),
      );
      assert.equal(error.constructor, RangeError);
      assert.equal(error.message, 'there');
      const at = cells(context);
      const job = context.launch('cleanUp', at);
      const disposed = job.invokeOnCompletion(() => calls.push('disposed'));
      job.invokeOnCompletion(() => calls.push('early'), { onCancelling: true });
      await until(() => Atomics.load(at, 0) === 1);
      disposed.dispose();
      job.cancel();
      // Within the call, unless the worker ends the job meanwhile.
      await until(() => calls.length > 0);
      await job.join();
      await turns(2);
      assert.deepEqual(calls, ['early']);
    });
  });

  it('reports what a function throws, and calls the others', async () => {
    await Main.ready;
    const error = new Error('of the handler');
    const calls = [];
    const errors = await uncaught(async () => {
      const job = newJob();
      job.invokeOnCompletion(() => {
        throw error;
      });
      job.invokeOnCompletion(() => calls.push('other'));
      assert.isTrue(job.complete());
      await turns(3);
    });
    assert.deepEqual(calls, ['other']);
    assert.lengthOf(errors, 1);
    assert.strictEqual(errors[0], error);
  });

  it('refuses what is no function, and no options', async () => {
    await Main.ready;
    await refused(() => newJob().invokeOnCompletion(5), TypeError, '`call`', 'got 5');
    await refused(() => newJob().invokeOnCompletion(() => {}, null), TypeError, '`options`');
  });
});
