// How jobs have to start and end, case by case, on Main, whose order is fixed.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, newJob } from 'coworker';
import { failure, turns, uncaught } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';
import { ACTIVE, CANCELLED, CANCELLING, COMPLETED, NEW } from './helpers/states.js';

describe('ends of jobs', () => {
  it("case 31: join() does not throw a child's failure", async () => {
    const error = new Error('A');
    const errors = await uncaught(async () => {
      await onMain(1, async (scope, expect) => {
        const job = scope.launch({ job: null }, (inner) => {
          inner.launch(() => {
            throw error;
          });
        });
        assert.isUndefined(await scope.join(job));
        expect(1);
        assert.equal(flags(job), CANCELLED);
      });
      await turns(3);
    });
    assert.lengthOf(errors, 1);
    assert.strictEqual(errors[0], error);
  });

  it('case 32: a lazy job is started once', () =>
    onMain(9, async (scope, expect) => {
      expect(1);
      const job = scope.launch({ start: 'lazy' }, async (inner) => {
        expect(5);
        await inner.yield();
        expect(7);
      });
      expect(2);
      await scope.yield();
      await scope.yield();
      expect(3);
      assert.equal(flags(job), NEW);
      assert.isTrue(job.start());
      assert.isFalse(job.start());
      assert.equal(flags(job), ACTIVE);
      expect(4);
      await scope.yield();
      expect(6);
      assert.equal(flags(job), ACTIVE);
      await scope.yield();
      expect(8);
      assert.equal(flags(job), COMPLETED);
      assert.isFalse(job.start());
      await scope.join(job);
      expect(9);
    }));

  it('case 34: a lazy job that is cancelled before its start', () =>
    onMain(2, async (scope, expect) => {
      const job = scope.async({ start: 'lazy' }, () => expect.never());
      job.cancel();
      assert.equal(flags(job), CANCELLED);
      assert.isFalse(job.start());
      const error = await failure(scope.await(job));
      assert.equal(error.constructor, CancellationError);
      expect(1);
      assert.strictEqual(await failure(scope.await(job)), error);
      expect(2);
    }));

  it('case 35: a lazy job that is cancelled while it runs', () =>
    onMain(4, async (scope, expect) => {
      const job = scope.async({ start: 'lazy' }, async (inner) => {
        expect(2);
        await inner.awaitCancellation();
        expect.never();
      });
      expect(1);
      assert.isTrue(job.start());
      await scope.yield();
      expect(3);
      job.cancel();
      assert.equal(flags(job), CANCELLING);
      assert.equal((await failure(scope.await(job))).constructor, CancellationError);
      expect(4);
      assert.equal(flags(job), CANCELLED);
    }));

  it('case 37: nothing runs below a job that has failed', async () => {
    const error = new Error('A');
    const told = [];
    const handler = (failure) => told.push(failure);
    const errors = await uncaught(async () => {
      await onMain(2, async (scope, expect) => {
        const failed = scope.launch({ job: null, handler }, () => {
          throw error;
        });
        await scope.join(failed);
        expect(1);
        assert.equal(flags(failed), CANCELLED);
        assert.lengthOf(told, 1);
        const below = scope.launch({ job: failed, handler }, () => expect.never());
        await scope.join(below);
        assert.equal(flags(below), CANCELLED);
        const bare = newJob(failed);
        assert.equal(flags(bare), CANCELLED);
        const lower = scope.launch({ job: bare, handler }, () => expect.never());
        await scope.join(lower);
        assert.equal(flags(lower), CANCELLED);
        expect(2);
      });
      await turns(2);
    });
    assert.lengthOf(errors, 0);
    assert.lengthOf(told, 1);
    assert.strictEqual(told[0], error);
  });
});
