// Jobs without a body.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CompletableDeferred,
  CompletableJob,
  Deferred,
  Main,
  newCompletableDeferred,
  newJob,
  newSupervisorJob,
} from 'coworker';
import { cells, failure, until, using } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';
import { refused } from './helpers/refused.js';

describe('jobs without a body', () => {
  it('end once', async () => {
    await Main.ready;
    for (const make of [newJob, newSupervisorJob, newCompletableDeferred]) {
      const job = make();
      assert.equal(flags(job), '100');
      assert.isTrue(job.complete());
      assert.isFalse(job.complete());
      assert.isFalse(job.completeExceptionally(new Error('late')));
      job.cancel();
      assert.equal(flags(job), '010');
      const failed = make();
      assert.isTrue(failed.completeExceptionally(new Error('A')));
      assert.isFalse(failed.completeExceptionally(new Error('B')));
      assert.isFalse(failed.complete());
      assert.equal(flags(failed), '011');
      const cancelled = make();
      cancelled.cancel();
      assert.isFalse(cancelled.complete());
      assert.equal(flags(cancelled), '011');
    }
    assert.instanceOf(newSupervisorJob(), CompletableJob);
    assert.instanceOf(newCompletableDeferred(), CompletableDeferred);
    assert.instanceOf(newCompletableDeferred(), Deferred);
  });

  it('are joined and awaited from anywhere', async () => {
    await Main.ready;
    const job = newJob();
    const joined = job.join();
    job.complete();
    assert.isUndefined(await joined);
    const value = { method() {} };
    const deferred = newCompletableDeferred();
    const results = [deferred, deferred.toPromise(), deferred.then((v) => v)];
    deferred.complete(value);
    for (const result of await Promise.all(results)) assert.strictEqual(result, value);
    assert.strictEqual(deferred.getCompleted(), value);
    const error = new Error('A');
    const failed = newCompletableDeferred();
    failed.completeExceptionally(error);
    assert.strictEqual(await failure(failed), error);
    assert.isUndefined(await failed.join());
  });

  it('fail with any value', async () => {
    await Main.ready;
    for (const value of [undefined, null, 0, 'text']) {
      const deferred = newCompletableDeferred();
      assert.isTrue(deferred.completeExceptionally(value));
      assert.equal(flags(deferred), '011');
      let got = 'nothing';
      await deferred.catch((error) => (got = error));
      assert.strictEqual(got, value);
      assert.equal(flags(deferred), '011');
    }
  });

  it('wait for what is launched below them', () =>
    onMain(2, async (scope, expect) => {
      const deferred = newCompletableDeferred(scope.job);
      scope.launch({ job: deferred }, async (inner) => {
        await inner.yield();
        expect(1);
      });
      deferred.complete('value');
      assert.equal(flags(deferred), '100');
      assert.equal(await scope.await(deferred), 'value');
      expect(2);
    }));

  it('lose their value to a failure below', () =>
    onMain(1, async (scope, expect) => {
      const error = new Error('A');
      const deferred = newCompletableDeferred();
      scope.launch({ job: deferred }, () => {
        throw error;
      });
      assert.isTrue(deferred.complete('value'));
      assert.strictEqual(await failure(scope.await(deferred)), error);
      assert.strictEqual(await failure(deferred), error);
      expect(1);
    }));

  it('serve on workers', async () => {
    await using(2, async (context) => {
      const supervisor = newSupervisorJob();
      const at = cells(context);
      const told = [];
      const handler = (error) => told.push(error.message);
      const failing = context.launch({ job: supervisor, handler }, 'fail', 'alone');
      const waiting = context.launch({ job: supervisor }, 'cleanUp', at);
      await failing.join();
      await until(() => Atomics.load(at, 0) === 1);
      await until(() => told.length > 0);
      assert.deepEqual(told, ['alone']);
      assert.equal(flags(supervisor), '100');
      await supervisor.cancelAndJoin();
      assert.equal(flags(waiting), '011');
      assert.equal(at[1], 1, 'the finally block has run');
    });
  });

  it('are refused what is no parent', async () => {
    await Main.ready;
    for (const make of [newJob, newSupervisorJob, newCompletableDeferred]) {
      await refused(() => make(5), TypeError, '`parent`', 'a Job', 'got 5');
      await refused(() => make({}), TypeError, 'an object of Object');
      await refused(() => make(null), TypeError, 'got null');
    }
  });
});
