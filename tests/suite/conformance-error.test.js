// What becomes of failures, case by case, on Main, whose order is fixed.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, GlobalScope, newJob, produce } from 'coworker';
import { failure, turns, uncaught } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';

/** A body that fails at once. */
const raise = (error) => () => {
  throw error;
};

/** Asserts that an error is a cancellation because of `cause`. */
function assertCancelled(error, cause) {
  assert.equal(error.constructor, CancellationError);
  assert.strictEqual(error.cause, cause);
}

/** Asserts what was met while `error` was dealt with. */
function assertSuppressed(error, ...others) {
  if (others.length === 0) {
    assert.isUndefined(error.suppressed);
    return;
  }
  assert.lengthOf(error.suppressed, others.length);
  others.forEach((other, index) => assert.strictEqual(error.suppressed[index], other));
}

/**
 * Runs `body(scope, expect, handler)` with three errors as the last argument,
 * and asserts that the handler was told of the first of them only, or of what
 * `body` gives; and the host of nothing.
 */
async function failures(last, body) {
  const errors = { a: new Error('A'), b: new Error('B'), c: new Error('C') };
  const told = [];
  const handler = (error) => told.push(error);
  let wanted;
  const reported = await uncaught(async () => {
    wanted = await onMain(last, (scope, expect) => body(scope, expect, handler, errors));
    await turns(2);
  });
  const wantedErrors = wanted ?? [errors.a];
  assert.lengthOf(told, wantedErrors.length);
  wantedErrors.forEach((error, index) => assert.strictEqual(told[index], error));
  assert.lengthOf(reported, 0);
}

describe('failures', () => {
  it('case 115: one under a bare job', () =>
    failures(1, async (scope, expect, handler, { a }) => {
      const job = newJob();
      scope.launch({ job, handler, start: 'atomic' }, raise(a));
      await scope.join(job);
      expect(1);
      assertSuppressed(a);
      assert.equal(flags(job), '011');
      assertCancelled(job.getCancellationError(), a);
    }));

  it('case 116: one after cancelling', () =>
    failures(1, async (scope, expect, handler, { a }) => {
      const job = newJob();
      scope.launch({ job, handler, start: 'atomic' }, raise(a));
      await scope.cancelAndJoin(job);
      expect(1);
      assertSuppressed(a);
    }));

  it('case 118: three children', () =>
    failures(1, async (scope, expect, handler, { a, b, c }) => {
      const job = scope.launch({ job: null, handler }, (inner) => {
        for (const error of [a, b, c]) inner.launch({ start: 'atomic' }, raise(error));
      });
      await scope.join(job);
      expect(1);
      assertSuppressed(a, b, c);
      assertSuppressed(b);
      assertSuppressed(c);
    }));

  it('case 119: a body and two children', () =>
    failures(1, async (scope, expect, handler, { a, b, c }) => {
      const job = scope.launch({ job: null, handler }, (inner) => {
        for (const error of [b, c]) inner.launch({ start: 'atomic' }, raise(error));
        throw a;
      });
      await scope.join(job);
      expect(1);
      assertSuppressed(a, b, c);
      assertSuppressed(b);
    }));

  it('case 121: one goes up a chain of bare jobs', () =>
    failures(2, async (scope, expect, handler, { a }) => {
      const job = scope.launch(async (outer) => {
        const outcome = await failure(
          outer.coroutineScope(async (inner) => {
            const one = newJob(inner.job);
            const two = newJob(one);
            const three = newJob(two);
            inner.launch({ job: three, handler }, raise(a));
            const caught = await failure(inner.yield());
            assertCancelled(caught, a);
            for (const each of [one, two, three]) assert.isTrue(each.isCancelled);
          }),
        );
        expect(1);
        assert.strictEqual(outcome, a);
      });
      await scope.join(job);
      expect(2);
      assert.equal(flags(job), '010');
      return [];
    }));

  it('case 122: nested ones are suppressed in layers', () =>
    failures(1, async (scope, expect, handler, { a, b, c }) => {
      const job = scope.launch({ job: null, handler, start: 'atomic' }, (outer) => {
        outer.launch({ start: 'atomic' }, (middle) => {
          middle.launch({ start: 'atomic' }, raise(c));
          throw b;
        });
        throw a;
      });
      await scope.join(job);
      expect(1);
      assertSuppressed(a, b);
      assertSuppressed(b, c);
      assertSuppressed(c);
    }));

  // A job's own hooks are for those who derive kinds of jobs, which nobody does
  // in JavaScript.
  it('case 124: what early handlers are told, and those at the end', () =>
    failures(8, async (scope, expect, handler, { a, b }) => {
      const job = scope.launch({ job: null, handler }, async (inner) => {
        inner.launch(() => {
          expect(3);
          throw a;
        });
        expect(2);
        try {
          await inner.awaitCancellation();
        } catch (caught) {
          assertCancelled(caught, a);
          expect(6);
          throw b;
        }
      });
      job.invokeOnCompletion((error) => {
        assert.strictEqual(error, a);
        assertSuppressed(a, b);
        expect(7);
      });
      job.invokeOnCompletion(
        (error) => {
          assert.strictEqual(error, a);
          assertSuppressed(a);
          expect(4);
        },
        { onCancelling: true },
      );
      expect(1);
      await scope.yield();
      await scope.yield();
      expect(5);
      assert.equal(flags(job), '001');
      await scope.join(job);
      expect(8);
      assert.equal(flags(job), '011');
    }));

  it('case 125: the handler comes before those who join', () =>
    failures(4, async (scope, expect, handler, { a }) => {
      const job = newJob();
      const told = (error) => {
        assert.strictEqual(error, a);
        expect(3);
        handler(error);
      };
      expect(1);
      const child = scope.launch({ job, handler: told }, () => {
        expect(2);
        throw a;
      });
      await scope.join(child);
      expect(4);
      assert.equal(flags(job), '011');
    }));

  it('case 127: what is launched tells the handler, async does not', () =>
    failures(1, async (scope, expect, handler, { a, b }) => {
      const launched = GlobalScope.launch({ handler }, raise(a));
      const deferred = GlobalScope.async({ handler }, raise(b));
      await scope.joinAll([launched, deferred]);
      assert.strictEqual(await failure(scope.await(deferred)), b);
      expect(1);
    }));

  it('case 128: a parent goes on without a cancelled child', () =>
    failures(4, async (scope, expect) => {
      const job = scope.launch(async (outer) => {
        const child = outer.launch((inner) => inner.awaitCancellation());
        await outer.yield();
        expect(1);
        await outer.cancelAndJoin(child);
        expect(2);
        await outer.yield();
        expect(3);
      });
      await scope.join(job);
      expect(4);
      assert.equal(flags(job), '010');
      return [];
    }));

  it('case 130: the first failure comes first', () =>
    failures(3, async (scope, expect, handler, { a, b }) => {
      const job = scope.launch({ job: null, handler }, async (outer) => {
        outer.launch(async (first) => {
          try {
            await first.awaitCancellation();
          } catch (caught) {
            assertCancelled(caught, b);
            expect(2);
            throw a;
          }
        });
        outer.launch(async (second) => {
          await second.yield();
          expect(1);
          throw b;
        });
        await outer.awaitCancellation();
      });
      await scope.join(job);
      expect(3);
      assertSuppressed(b, a);
      assertSuppressed(a);
      return [b];
    }));

  it('case 131: a cancellation thrown in its place hides no failure', () =>
    failures(2, async (scope, expect, handler, { a }) => {
      const job = scope.launch({ job: null, handler }, async (outer) => {
        const inner = outer.launch(async (middle) => {
          middle.launch(raise(a));
          await middle.awaitCancellation();
        });
        const caught = await failure(outer.join(inner));
        assertCancelled(caught, a);
        expect(1);
        throw caught;
      });
      await scope.join(job);
      expect(2);
      assertSuppressed(a);
    }));

  it('case 133: cancelling a channel from inside', () =>
    failures(5, async (scope, expect) => {
      const cancellation = new CancellationError('from inside');
      const channel = produce(scope, async (_inner, own) => {
        expect(2);
        channel.cancel(cancellation);
        expect(3);
        const caught = await failure(own.send(1));
        assert.strictEqual(caught, cancellation);
        expect(4);
        throw caught;
      });
      expect(1);
      await scope.yield();
      assert.strictEqual(await failure(channel.receive(scope)), cancellation);
      assertSuppressed(cancellation);
      expect(5);
      await channel.join();
      assert.equal(flags(channel), '011');
      return [];
    }));
});
