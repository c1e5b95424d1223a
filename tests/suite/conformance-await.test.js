// What async and await have to do, case by case, on Main, whose order is fixed.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError } from 'coworker';
import { failure, turns, uncaught } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';

describe('async and await', () => {
  it('case 38: the same value each time', () =>
    onMain(5, async (scope, expect) => {
      expect(1);
      const value = { of: 42 };
      const job = scope.async(() => {
        expect(3);
        return value;
      });
      expect(2);
      assert.isTrue(job.isActive);
      assert.strictEqual(await scope.await(job), value);
      expect(4);
      assert.equal(flags(job), '010');
      assert.strictEqual(await scope.await(job), value);
      expect(5);
    }));

  it("case 40: a child's failure that is caught has cancelled its parent", async () => {
    const error = new Error('A');
    const errors = await uncaught(async () => {
      await onMain(5, async (scope, expect) => {
        expect(1);
        const outer = scope.async({ job: null }, async (middle) => {
          expect(2);
          const inner = middle.async(() => {
            expect(3);
            throw error;
          });
          assert.strictEqual(await failure(middle.await(inner)), error);
          expect(4);
          return 42;
        });
        assert.strictEqual(await failure(scope.await(outer)), error);
        expect(5);
        assert.isTrue(scope.isActive);
      });
      await turns(2);
    });
    assert.lengthOf(errors, 0);
  });

  it('case 41: a failure counts for more than cancellation', () =>
    onMain(3, async (scope, expect) => {
      const error = new Error('A');
      const job = scope.async({ job: null, start: 'atomic' }, () => {
        expect(1);
        throw error;
      });
      job.cancel();
      assert.strictEqual(await failure(scope.await(job)), error);
      expect(2);
      assert.strictEqual(await failure(scope.await(job)), error);
      expect(3);
      assert.isUndefined(error.suppressed);
    }));

  it('case 43: a value does not override cancellation', () =>
    onMain(7, async (scope, expect) => {
      expect(1);
      const job = scope.async(async (inner) => {
        expect(3);
        try {
          await inner.yield();
          expect.never();
        } catch {
          expect(6);
        }
        return 'a value';
      });
      expect(2);
      await scope.yield();
      expect(4);
      job.cancel();
      expect(5);
      assert.equal((await failure(scope.await(job))).constructor, CancellationError);
      expect(7);
    }));
});

describe('awaiting several', () => {
  it('case 44: the first failure is thrown, and the others go on', () =>
    onMain(1, async (scope, expect) => {
      const error = new Error('A');
      const done = scope.async(() => 1);
      const failing = scope.async({ job: null }, () => {
        throw error;
      });
      const infinite = scope.async((inner) => inner.awaitCancellation());
      assert.strictEqual(await failure(scope.awaitAll([done, failing, infinite])), error);
      expect(1);
      assert.equal(flags(done), '010');
      assert.equal(flags(failing), '011');
      assert.equal(flags(infinite), '100');
      infinite.cancel();
    }));

  it('case 46: of none, without being suspended', () =>
    onMain(3, async (scope, expect) => {
      scope.launch(() => expect(3));
      assert.deepEqual(await scope.awaitAll([]), []);
      expect(1);
      await scope.joinAll([]);
      expect(2);
    }));

  it('case 47: awaitAll() starts lazy ones, in their order', () =>
    onMain(5, async (scope, expect) => {
      expect(1);
      const jobs = [2, 3, 4].map((mark) =>
        scope.async({ start: 'lazy' }, () => {
          expect(mark);
          return mark;
        }),
      );
      assert.deepEqual(await scope.awaitAll(jobs), [2, 3, 4]);
      expect(5);
    }));

  it('case 47: joinAll() starts lazy ones, one after the other', () =>
    onMain(8, async (scope, expect) => {
      expect(1);
      const jobs = [2, 4, 6].map((mark) =>
        scope.launch({ start: 'lazy' }, async (inner) => {
          expect(mark);
          await inner.yield();
          expect(mark + 1);
        }),
      );
      await scope.joinAll(jobs);
      expect(8);
    }));

  it('case 47: joinAll() throws no failure', () =>
    onMain(3, async (scope, expect) => {
      const error = new Error('A');
      const jobs = [1, 2, 3].map((mark) =>
        scope.async({ job: null, start: 'lazy' }, () => {
          expect(mark);
          if (mark === 2) throw error;
        }),
      );
      assert.isUndefined(await scope.joinAll(jobs));
      assert.deepEqual(jobs.map(flags), ['010', '011', '010']);
      assert.strictEqual(await failure(scope.await(jobs[1])), error);
    }));
});
