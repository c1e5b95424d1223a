// In which order jobs have to run, case by case, on Main.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { newJob } from 'coworker';
import { failure, turns, uncaught } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';
import { ACTIVE, CANCELLED, CANCELLING, COMPLETED, assertCancelled } from './helpers/states.js';

describe('the order among jobs', () => {
  it('case 19: an undispatched body begins within launch()', () =>
    onMain(5, async (scope, expect) => {
      expect(1);
      const job = scope.launch({ start: 'undispatched' }, async (inner) => {
        expect(2);
        await inner.yield();
        expect(4);
      });
      expect(3);
      await scope.join(job);
      expect(5);
    }));

  it('case 20: three levels take turns', () =>
    onMain(10, async (scope, expect) => {
      expect(1);
      scope.launch(async (second) => {
        expect(3);
        second.launch(async (third) => {
          expect(6);
          await third.yield();
          expect(9);
        });
        expect(4);
        await second.yield();
        expect(7);
        await second.yield();
        expect(10);
      });
      expect(2);
      await scope.yield();
      expect(5);
      await scope.yield();
      expect(8);
    }));

  it("case 22: a grandchild's failure cancels all above", async () => {
    const error = new Error('A');
    let last;
    const outcome = await failure(
      onMain(7, async (scope, expect) => {
        last = expect;
        expect(1);
        scope.launch(async (child) => {
          expect(3);
          child.launch(() => {
            expect(6);
            throw error;
          });
          expect(4);
          const caught = await failure(child.yield());
          assertCancelled(caught, error);
          throw caught;
        });
        expect(2);
        await scope.yield();
        expect(5);
        assertCancelled(await failure(scope.yield()), error);
        expect(7);
      }),
    );
    assert.strictEqual(outcome, error);
    last.end(7);
  });

  it('case 23: join() waits for clean-up', () =>
    onMain(8, async (scope, expect) => {
      expect(1);
      const job = scope.launch(async (inner) => {
        expect(3);
        try {
          expect(4);
          await inner.yield();
          expect.never();
        } finally {
          expect(7);
        }
      });
      expect(2);
      await scope.yield();
      expect(5);
      assert.equal(flags(job), ACTIVE);
      job.cancel();
      assert.equal(flags(job), CANCELLING);
      expect(6);
      await scope.join(job);
      expect(8);
      assert.equal(flags(job), CANCELLED);
    }));

  it('case 25: cancelChildren() leaves the job itself', () =>
    onMain(2, async (scope, expect) => {
      const parent = newJob();
      let ended = 0;
      const wait = async (inner) => {
        try {
          await inner.awaitCancellation();
        } finally {
          ended++;
        }
      };
      const children = [1, 2].map(() => scope.launch({ job: parent }, wait));
      await scope.yield();
      expect(1);
      parent.cancelChildren();
      assert.equal(ended, 0);
      await scope.joinAll(children);
      expect(2);
      assert.equal(ended, 2);
      assert.equal(flags(parent), ACTIVE);
      assert.isTrue(parent.complete());
      assert.equal(flags(parent), COMPLETED);
    }));

  it('case 26: a job that crashed waits for the clean-up below it', async () => {
    const error = new Error('A');
    const errors = await uncaught(async () => {
      await onMain(8, async (scope, expect) => {
        expect(1);
        const parent = scope.launch({ job: null }, () => {
          expect(4);
          throw error;
        });
        scope.launch({ job: parent, start: 'undispatched' }, async (inner) => {
          expect(2);
          try {
            await inner.yield();
            expect.never();
          } finally {
            expect(5);
            await inner.nonCancellable(async (safe) => {
              await safe.yield();
              expect(7);
            });
          }
        });
        expect(3);
        await scope.yield();
        expect(6);
        assert.equal(flags(parent), CANCELLING);
        await scope.join(parent);
        expect(8);
        assert.equal(flags(parent), CANCELLED);
      });
      await turns(3);
    });
    assert.lengthOf(errors, 1);
    assert.strictEqual(errors[0], error);
  });
});
