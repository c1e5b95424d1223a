// Handles to jobs: which job they are of, and what they can do with it.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  CoworkerError,
  Deferred,
  GlobalScope,
  IllegalStateError,
  Job,
  Main,
  newJob,
} from 'coworker';
import { failure, nativeOptions, open, thrown, using } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';
import { refused } from './helpers/refused.js';

describe('a handle to a job', () => {
  it('is the same wherever it comes from', () =>
    onMain(3, async (scope, expect) => {
      assert.strictEqual(scope.job, scope.job);
      const job = scope.launch((inner) => {
        expect(2);
        assert.strictEqual(inner.job, job);
        assert.strictEqual(job.parent, scope.job);
      });
      let own;
      const now = scope.launch({ start: 'undispatched' }, async (inner) => {
        own = inner.job;
        expect(1);
        await inner.yield();
        expect(3);
      });
      assert.strictEqual(own, now);
      const bare = newJob(scope.job);
      assert.strictEqual(bare.parent, scope.job);
      assert.strictEqual(newJob(bare).parent, bare);
      bare.cancel();
      await scope.coroutineScope(async (inner) => {
        assert.notEqual(inner.job, scope.job);
        assert.strictEqual(inner.job.parent, scope.job);
        const child = inner.launch(() => {});
        assert.strictEqual(child.parent, inner.job);
      });
    }));

  it('is no promise unless it is a Deferred', async () => {
    await Main.ready;
    const launch = async () => Main.launch((scope) => scope.awaitCancellation());
    const job = await launch(); // would wait for the job otherwise
    assert.equal(job.constructor, Job);
    assert.isUndefined(job.then);
    assert.equal(flags(job), '100');
    await job.cancelAndJoin();
    const deferred = Main.async(() => 5);
    assert.equal(deferred.constructor, Deferred);
    await using(1, async (context) => {
      assert.equal(context.launch('add', 1, 2).constructor, Job);
      assert.equal(context.async('add', 1, 2).constructor, Deferred);
    });
    // A body may return its own handle.
    const own = await Main.async((scope) => scope.job);
    assert.equal(own.constructor, Job);
  });

  it('knows no parent at the top', async () => {
    await Main.ready;
    const job = Main.launch((scope) => scope.awaitCancellation());
    const detached = GlobalScope.launch({ job: null }, (scope) => scope.awaitCancellation());
    assert.isUndefined(job.parent);
    assert.isUndefined(detached.parent);
    assert.isUndefined(newJob().parent);
    await using(1, async (context) => {
      const task = context.launch('wait');
      assert.isUndefined(task.parent);
    });
    await Promise.all([job.cancelAndJoin(), detached.cancelAndJoin()]);
    const child = await Main.async((scope) => {
      const below = scope.launch((inner) => inner.yield());
      assert.strictEqual(below.parent, scope.job);
      return below;
    });
    assert.isUndefined(child.parent);
  });

  it('is the same on a worker', async () => {
    await using(2, async (context) => {
      const results = [true, true, true, true, 'handlesThere', 'wait'];
      const active = [true, false, false];
      assert.deepEqual(await context.async('handlesThere'), [...results, undefined, active]);
      assert.deepEqual(await context.async('handlesBelow'), [...results, 'handlesBelow', active]);
    });
  });

  it('is started once, by whatever waits for it', () =>
    onMain(4, async (scope, expect) => {
      const lazy = (mark) => scope.async({ start: 'lazy' }, () => expect(mark));
      const one = lazy(1);
      assert.isTrue(one.start());
      assert.isFalse(one.start());
      await scope.join(one);
      await scope.await(lazy(2));
      await scope.joinAll([lazy(3)]);
      await scope.awaitAll([lazy(4)]);
      const active = scope.launch(() => {});
      assert.isFalse(active.start());
    }));

  it('is started by a plain await and join, too', async () => {
    await Main.ready;
    assert.equal(await Main.async({ start: 'lazy' }, () => 5), 5);
    const job = Main.launch({ start: 'lazy' }, () => {});
    await job.join();
    assert.equal(flags(job), '010');
  });

  it('tells how it was cancelled', async () => {
    await Main.ready;
    const cause = new Error('A');
    const job = newJob();
    job.cancel(cause);
    const error = job.getCancellationError();
    assert.equal(error.constructor, CancellationError);
    assert.strictEqual(error.cause, cause);
    const own = new CancellationError('of mine');
    const other = newJob();
    newJob(other); // so that it is cancelling only until the child ends
    other.cancel(own);
    assert.strictEqual(other.getCancellationError(), own);
    const failed = Main.async(() => {
      throw cause;
    });
    await failed.join();
    assert.strictEqual(failed.getCancellationError().cause, cause);
    await refused(() => newJob().getCancellationError(), IllegalStateError, "'Job'", 'isCancelled');
    thrown(() => Main.async(() => {}).getCancellationError());
  });

  it('cancels its children with one cause', () =>
    onMain(2, async (scope, expect) => {
      const cause = new Error('A');
      const wait = (mark) => async (inner) => {
        const error = await failure(inner.awaitCancellation());
        assert.strictEqual(error.cause, cause);
        expect(mark);
      };
      scope.launch(wait(1));
      scope.launch(wait(2));
      await scope.yield();
      scope.job.cancelChildren(cause);
      assert.isTrue(scope.isActive);
      const done = newJob();
      done.complete();
      done.cancelChildren();
      assert.equal(flags(done), '010');
    }));

  it('cannot be used with jobs of another module', async () => {
    await Main.ready;
    const context = await open(1, await nativeOptions());
    const foreign = context.async('wait');
    try {
      await onMain(0, async (scope) => {
        const part = "job 'wait' is of another WebAssembly module";
        await refused(() => scope.join(foreign), CoworkerError, part, '`await job.join()`');
        await refused(() => scope.await(foreign), CoworkerError, part);
        const own = scope.async(() => 1);
        await refused(() => scope.awaitAll([own, foreign]), CoworkerError, part);
        await refused(() => scope.launch({ job: foreign }, () => {}), CoworkerError, part);
        await refused(() => scope.withContext({ job: foreign }, () => {}), CoworkerError, part);
        await refused(() => newJob(foreign), CoworkerError, part);
      });
    } finally {
      await context.close({ cancel: true });
    }
  });
});
