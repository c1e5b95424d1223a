// What supervisors have to do, case by case, on Main, whose order is fixed.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, newSupervisorJob } from 'coworker';
import { failure, turns, uncaught } from './helpers/contexts.js';
import { flags, hangs, onMain } from './helpers/marks.js';

/** A handler that keeps what it is told. */
function noting() {
  const told = [];
  return { told, handler: (error) => told.push(error) };
}

/** Asserts that these were told, and no others. */
function assertTold(told, ...errors) {
  assert.lengthOf(told, errors.length);
  errors.forEach((error, index) => assert.strictEqual(told[index], error));
}

describe('supervision', () => {
  it('case 49: two failures under a supervisor job', () =>
    onMain(6, async (scope, expect) => {
      const [a, b] = [new Error('A'), new Error('B')];
      const { told, handler } = noting();
      const supervisor = newSupervisorJob();
      expect(1);
      const one = scope.launch({ job: supervisor, handler }, async (inner) => {
        expect(3);
        await inner.yield();
        expect(5);
        throw a;
      });
      const two = scope.launch({ job: supervisor, handler }, () => {
        expect(4);
        throw b;
      });
      expect(2);
      await scope.joinAll([one, two]);
      expect(6);
      assertTold(told, b, a);
      assert.equal(flags(supervisor), '100');
      assert.equal(flags(one), '011');
      assert.equal(flags(two), '011');
      assert.isTrue(supervisor.complete());
    }));

  it('case 50: two failures in a supervisor scope', () =>
    onMain(4, async (scope, expect) => {
      const [a, b] = [new Error('A'), new Error('B')];
      const { told, handler } = noting();
      const result = await scope.supervisorScope((inner) => {
        inner.launch({ handler }, () => {
          expect(2);
          throw a;
        });
        inner.launch({ handler }, () => {
          expect(3);
          throw b;
        });
        expect(1);
        return 'OK';
      });
      expect(4);
      assert.equal(result, 'OK');
      assertTold(told, a, b);
      assert.isTrue(scope.isActive);
    }));

  it('case 50: and without handlers, each is reported once', async () => {
    const [a, b] = [new Error('A'), new Error('B')];
    const errors = await uncaught(async () => {
      await onMain(0, async (scope) => {
        const result = await scope.supervisorScope((inner) => {
          for (const error of [a, b]) {
            inner.launch(() => {
              throw error;
            });
          }
          return 'OK';
        });
        assert.equal(result, 'OK');
      });
      await turns(3);
    });
    assertTold(errors, a, b);
  });

  it('case 52: a supervisor scope that throws cleans up below first', () =>
    onMain(4, async (scope, expect) => {
      const error = new Error('A');
      const outcome = await failure(
        scope.supervisorScope(async (inner) => {
          inner.async(hangs(expect, 1, 3));
          await inner.yield();
          expect(2);
          throw error;
        }),
      );
      expect(4);
      assert.strictEqual(outcome, error);
    }));

  it('case 53: a supervisor scope throws, and a child because of it', () =>
    onMain(3, async (scope, expect) => {
      const [a, b] = [new Error('A'), new Error('B')];
      const { told, handler } = noting();
      const outcome = await failure(
        scope.supervisorScope(async (inner) => {
          inner.launch({ handler }, async (child) => {
            try {
              await child.awaitCancellation();
            } catch {
              expect(2);
              throw b;
            }
          });
          await inner.yield();
          expect(1);
          throw a;
        }),
      );
      expect(3);
      assert.strictEqual(outcome, a);
      assert.isUndefined(a.suppressed);
      assertTold(told, b);
    }));

  it('case 55: a supervisor scope is cancelled from outside', () =>
    onMain(7, async (scope, expect) => {
      let child;
      const job = scope.launch(async (outer) => {
        expect(1);
        try {
          await outer.supervisorScope((inner) => {
            expect(2);
            child = inner.launch(hangs(expect, 3, 5));
          });
          expect.never();
        } finally {
          expect(6);
        }
      });
      await scope.yield();
      await scope.yield();
      expect(4);
      job.cancel();
      assert.equal(flags(child), '001');
      await scope.join(job);
      expect(7);
      assert.equal(flags(job), '011');
      assert.equal(flags(child), '011');
    }));

  it('case 56: a supervisor job is completed with a failure', () =>
    onMain(3, async (scope, expect) => {
      const error = new Error('A');
      const supervisor = newSupervisorJob();
      const job = scope.async({ job: supervisor }, async (inner) => {
        expect(1);
        await inner.awaitCancellation();
      });
      await scope.yield();
      expect(2);
      assert.isTrue(supervisor.completeExceptionally(error));
      const outcome = await failure(scope.await(job));
      expect(3);
      assert.equal(outcome.constructor, CancellationError);
      assert.strictEqual(outcome.cause, error);
      assert.strictEqual(supervisor.getCancellationError().cause, error);
      assert.equal(flags(supervisor), '011');
    }));
});
