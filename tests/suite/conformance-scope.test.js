// What scopes inside of a body and changes of elements have to do, case by case.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError } from 'coworker';
import { cells, failure, using } from './helpers/contexts.js';
import { flags, hangs, onMain } from './helpers/marks.js';

/** Blocks this thread until a worker has set a cell. */
function spinUntil(at, index) {
  const end = performance.now() + 10_000;
  while (Atomics.load(at, index) === 0) {
    if (performance.now() > end) throw new Error('the worker did not come that far');
  }
}

describe('scopes, elements and what cannot be cancelled', () => {
  it('case 58: a scope returns after all below', () =>
    onMain(9, async (scope, expect) => {
      expect(1);
      const result = await scope.coroutineScope((inner) => {
        expect(2);
        inner.launch((child) => {
          expect(4);
          child.launch(() => expect(7));
          expect(5);
        });
        inner.launch(() => expect(6));
        expect(3);
        return 42;
      });
      assert.equal(result, 42);
      expect(8);
      await scope.yield();
      expect(9);
    }));

  it('case 59: a scope fails, its caller goes on', () =>
    onMain(6, async (scope, expect) => {
      const wrong = new RangeError('A');
      expect(1);
      const error = await failure(
        scope.coroutineScope((inner) => {
          inner.launch(hangs(expect, 2, 4));
          inner.launch(() => {
            expect(3);
            throw wrong;
          });
          return 1;
        }),
      );
      assert.strictEqual(error, wrong);
      expect(5);
      await scope.yield();
      assert.isTrue(scope.isActive);
      expect(6);
    }));

  it('case 61: the outer job of a scope with a hanging child is cancelled', () =>
    onMain(6, async (scope, expect) => {
      const job = scope.launch(async (outer) => {
        const error = await failure(
          outer.coroutineScope((inner) => {
            expect(1);
            inner.launch(hangs(expect, 2, 4));
          }),
        );
        assert.instanceOf(error, CancellationError);
        expect(5);
      });
      await scope.yield();
      await scope.yield();
      expect(3);
      await scope.cancelAndJoin(job);
      expect(6);
      assert.equal(flags(job), '011');
    }));

  it('case 62: a failure wins over the cancellation of the outer job', () =>
    onMain(10, async (scope, expect) => {
      const kinds = [
        (outer, block) => outer.coroutineScope(block),
        (outer, block) => outer.supervisorScope(block),
        (outer, block) => outer.withContext({ name: 'changed' }, block),
      ];
      for (const [index, open] of kinds.entries()) {
        const wrong = new RangeError('A');
        const job = scope.launch(async (outer) => {
          expect(3 * index + 1);
          const error = await failure(
            open(outer, async (inner) => {
              await inner.yield();
              outer.cancel();
              assert.isFalse(inner.isActive);
              expect(3 * index + 2);
              throw wrong;
            }),
          );
          assert.strictEqual(error, wrong);
          expect(3 * index + 3);
        });
        await scope.join(job);
        assert.equal(flags(job), '011');
        assert.instanceOf(job.getCancellationError(), CancellationError);
      }
      expect(10);
    }));

  it('case 64: withContext() of a cancelled caller does not begin', () =>
    onMain(4, async (scope, expect) => {
      let begun = false;
      const cause = new CancellationError('own');
      const job = scope.launch(async (outer) => {
        expect(1);
        outer.cancel(cause);
        const begin = () => (begun = true);
        assert.strictEqual(await failure(outer.withContext(begin)), cause);
        expect(2);
        assert.strictEqual(await failure(outer.withContext({ name: 'changed' }, begin)), cause);
        expect(3);
      });
      await scope.join(job);
      assert.isFalse(begun);
      expect(4);
    }));

  it('case 65: withContext() here does not dispatch, neither in nor out', async () => {
    await onMain(5, async (scope, expect) => {
      expect(1);
      scope.launch(() => expect(5));
      expect(2);
      const result = await scope.withContext(() => {
        expect(3);
        return 'OK';
      });
      assert.equal(result, 'OK');
      expect(4);
    });
    await onMain(8, async (scope, expect) => {
      expect(1);
      scope.launch(async (child) => {
        expect(4);
        expect(5);
        await child.yield();
        expect(8);
      });
      expect(2);
      const result = await scope.withContext(async (inner) => {
        expect(3);
        await inner.yield();
        expect(6);
        return 'OK';
      });
      assert.equal(result, 'OK');
      expect(7);
    });
  });

  it('case 67: a value from another context is lost if the caller is cancelled', () =>
    using(1, (context) =>
      onMain(7, async (scope, expect) => {
        const at = cells(context);
        expect(1);
        const job = scope.launch({ job: null }, async (outer) => {
          expect(3);
          const error = await failure(outer.withContext(context, 'cancelCaller', at));
          assert.instanceOf(error, CancellationError);
          assert.equal(error.cause, 'from the block');
          expect(7);
        });
        expect(2);
        await scope.yield();
        expect(4);
        Atomics.store(at, 2, 1);
        spinUntil(at, 0);
        assert.equal(flags(job), '001');
        assert.equal(at[1], 1); // and there it is seen, too
        expect(5);
        await scope.yield();
        expect(6);
        await scope.join(job);
        assert.equal(flags(job), '011');
      }),
    ));

  it('case 68: a failure from there is not', () =>
    using(1, (context) =>
      onMain(6, async (scope, expect) => {
        const at = cells(context);
        expect(1);
        const job = scope.launch({ job: null }, async (outer) => {
          expect(3);
          const error = await failure(outer.withContext(context, 'cancelCaller', at, 'A'));
          assert.equal(error.constructor, RangeError);
          assert.equal(error.message, 'A');
          assert.isFalse(outer.isActive);
          expect(5);
        });
        expect(2);
        await scope.yield();
        expect(4);
        Atomics.store(at, 2, 1);
        await scope.join(job);
        assert.equal(flags(job), '011');
        expect(6);
      }),
    ));

  it('case 70: a child of the block of withContext() fails', () =>
    onMain(6, async (scope, expect) => {
      const wrong = new RangeError('A');
      expect(1);
      const error = await failure(
        scope.withContext({ name: 'changed' }, (inner) => {
          inner.launch(hangs(expect, 2, 4));
          inner.launch(() => {
            expect(3);
            throw wrong;
          });
        }),
      );
      assert.strictEqual(error, wrong);
      expect(5);
      await scope.yield();
      expect(6);
    }));

  it('case 71: the first of two cancellations counts', () =>
    onMain(3, async (scope, expect) => {
      const first = new CancellationError('CE1');
      const second = new CancellationError('CE2', { cause: new RangeError('C') });
      const job = scope.launch(async (outer) => {
        const error = await failure(
          outer.withContext({ name: 'changed' }, () => {
            expect(1);
            outer.cancel(first);
            throw second;
          }),
        );
        assert.strictEqual(error, first);
        expect(2);
      });
      await scope.join(job);
      assert.strictEqual(job.getCancellationError(), first);
      assert.isUndefined(first.suppressed);
      expect(3);
    }));

  it('case 73: cancelled in a block that cannot be', () =>
    onMain(7, async (scope, expect) => {
      const job = scope.launch(async (outer) => {
        expect(1);
        const result = await outer.nonCancellable(async (inner) => {
          expect(2);
          await inner.yield();
          expect(4);
          assert.isTrue(inner.isActive);
          return 7;
        });
        assert.equal(result, 7);
        assert.isFalse(outer.isActive);
        expect(5);
        assert.instanceOf(await failure(outer.yield()), CancellationError);
        expect(6);
      });
      await scope.yield();
      expect(3);
      job.cancel();
      await scope.join(job);
      expect(7);
      assert.equal(flags(job), '011');
    }));

  it('case 74: suspending in clean-up', () =>
    onMain(6, async (scope, expect) => {
      const job = scope.launch(async (outer) => {
        expect(1);
        try {
          await outer.awaitCancellation();
        } finally {
          expect(3);
          await outer.nonCancellable(async (inner) => {
            await inner.yield();
            expect(4);
          });
          expect(5);
        }
      });
      await scope.yield();
      expect(2);
      await scope.cancelAndJoin(job);
      expect(6);
    }));
});
