// What states jobs have to have, case by case, on Main, whose order is fixed.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, newCompletableDeferred, newJob, Main } from 'coworker';
import { failure, turns, uncaught } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';
import {
  ACTIVE,
  CANCELLED,
  CANCELLING,
  COMPLETED,
  NEW,
  assertCancelled,
} from './helpers/states.js';

describe('states of jobs', () => {
  it('case 1: a lazy job that ends well, after its child', () =>
    onMain(5, async (scope, expect) => {
      const job = scope.launch({ start: 'lazy' }, (inner) => {
        expect(2);
        inner.launch(() => expect(4));
      });
      assert.equal(flags(job), NEW);
      assert.strictEqual(job.parent, scope.job);
      assert.isTrue(job.start());
      assert.equal(flags(job), ACTIVE);
      expect(1);
      await scope.yield();
      expect(3);
      assert.equal(flags(job), ACTIVE);
      assert.strictEqual(job.parent, scope.job);
      await scope.yield();
      expect(5);
      assert.equal(flags(job), COMPLETED);
      assert.isUndefined(job.parent);
    }));

  it('case 2: a completing job whose child fails', async () => {
    const error = new Error('A');
    const errors = await uncaught(async () => {
      await onMain(7, async (scope, expect) => {
        const job = scope.launch({ start: 'lazy', job: null }, (inner) => {
          expect(2);
          inner.launch(async (child) => {
            expect(4);
            await child.yield();
            expect(6);
            throw error;
          });
        });
        assert.equal(flags(job), NEW);
        assert.isTrue(job.start());
        expect(1);
        await scope.yield();
        expect(3);
        assert.equal(flags(job), ACTIVE);
        await scope.yield();
        expect(5);
        assert.equal(flags(job), ACTIVE);
        await scope.yield();
        expect(7);
        assert.equal(flags(job), CANCELLED);
      });
      await turns(3);
    });
    assert.lengthOf(errors, 1);
    assert.strictEqual(errors[0], error);
  });

  it('case 4: a handler runs once, within cancel()', async () => {
    await Main.ready;
    const job = newJob();
    const calls = [];
    job.invokeOnCompletion((error) => calls.push(error));
    assert.equal(flags(job), ACTIVE);
    assert.lengthOf(calls, 0);
    job.cancel();
    assert.lengthOf(calls, 1);
    assert.equal(calls[0].constructor, CancellationError);
    assert.equal(flags(job), CANCELLED);
    job.cancel();
    await turns(2);
    assert.lengthOf(calls, 1);
  });

  for (const step of [0, 2]) {
    it(`case 5: handlers dispose of themselves${step ? ', half of them before' : ''}`, async () => {
      await Main.ready;
      const job = newJob();
      const calls = Array.from({ length: 100 }, () => 0);
      const handles = calls.map((_, index) =>
        job.invokeOnCompletion((error) => {
          assert.isUndefined(error);
          calls[index]++;
          handles[index].dispose();
        }),
      );
      for (let index = 0; step && index < 100; index += step) handles[index].dispose();
      assert.isTrue(job.complete());
      const wanted = calls.map((_, index) => (step && index % step === 0 ? 0 : 1));
      assert.deepEqual(calls, wanted);
      await turns(2);
      assert.deepEqual(calls, wanted);
    });
  }

  it('case 7: a child of a cancelled job is not active', async () => {
    await Main.ready;
    const parent = newJob();
    parent.cancel();
    assert.isFalse(parent.isActive);
    const child = newJob(parent);
    assert.equal(flags(child), CANCELLED);
  });

  it('case 8: join() waits for the children of a bare job', () =>
    onMain(6, async (scope, expect) => {
      const parent = newJob();
      expect(1);
      scope.launch({ job: parent, start: 'undispatched' }, async (inner) => {
        expect(2);
        try {
          await inner.yield();
          expect.never();
        } finally {
          expect(5);
        }
      });
      expect(3);
      parent.cancel();
      expect(4);
      assert.equal(flags(parent), CANCELLING);
      await scope.join(parent);
      expect(6);
      assert.equal(flags(parent), CANCELLED);
    }));

  it('case 10: an early handler hears of a normal end', () =>
    onMain(4, async (scope, expect) => {
      const job = scope.launch(() => expect(2));
      job.invokeOnCompletion(
        (error) => {
          assert.isUndefined(error);
          expect(3);
        },
        { onCancelling: true },
      );
      expect(1);
      await scope.join(job);
      expect(4);
      assert.equal(flags(job), COMPLETED);
    }));

  it('case 11: a bare child is cancelled, or fails', async () => {
    await Main.ready;
    const error = new Error('A');
    const parent = newJob();
    newJob(parent).cancel();
    assert.equal(flags(parent), ACTIVE);
    const child = newJob(parent);
    assert.isTrue(child.completeExceptionally(error));
    assert.equal(flags(child), CANCELLED);
    assert.equal(flags(parent), CANCELLED);
    assert.strictEqual(parent.getCancellationError().cause, error);
  });

  it('case 13: the last child completes its parent', async () => {
    await Main.ready;
    const parent = newJob();
    const child = newJob(parent);
    assert.equal(flags(parent), ACTIVE);
    assert.isTrue(parent.complete());
    assert.isFalse(parent.complete());
    assert.equal(flags(parent), ACTIVE);
    assert.equal(flags(child), ACTIVE);
    assert.isTrue(child.complete());
    assert.equal(flags(child), COMPLETED);
    assert.equal(flags(parent), COMPLETED);
  });

  it('case 14: children see a failure as the cause of their cancellation', () =>
    onMain(5, async (scope, expect) => {
      const error = new Error('A');
      const parent = newJob();
      expect(1);
      scope.launch({ job: parent }, async (inner) => {
        expect(2);
        try {
          await inner.awaitCancellation();
        } catch (caught) {
          assertCancelled(caught, error);
          expect(4);
        }
      });
      await scope.yield();
      expect(3);
      assert.isTrue(parent.completeExceptionally(error));
      await scope.join(parent);
      expect(5);
      assertCancelled(parent.getCancellationError(), error);
    }));

  it('case 16: a deferred child is cancelled, or fails', async () => {
    await Main.ready;
    const error = new Error('A');
    const parent = newCompletableDeferred();
    newCompletableDeferred(parent).cancel();
    assert.equal(flags(parent), ACTIVE);
    const child = newCompletableDeferred(parent);
    assert.isTrue(child.completeExceptionally(error));
    assert.equal(flags(child), CANCELLED);
    assert.equal(flags(parent), CANCELLED);
    assert.strictEqual(await failure(parent), error);
  });

  it('case 17: awaiting a deferred waits for its children', () =>
    onMain(6, async (scope, expect) => {
      const deferred = newCompletableDeferred();
      expect(1);
      scope.launch({ job: deferred, start: 'undispatched' }, async (inner) => {
        expect(2);
        await inner.yield();
        expect(5);
      });
      expect(3);
      assert.isTrue(deferred.complete('OK'));
      assert.isFalse(deferred.complete('late'));
      assert.equal(flags(deferred), ACTIVE);
      expect(4);
      assert.equal(await scope.await(deferred), 'OK');
      expect(6);
      assert.equal(flags(deferred), COMPLETED);
    }));
});
