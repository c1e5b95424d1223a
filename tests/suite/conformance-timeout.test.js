// What time limits have to do, case by case.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Channel, TimeoutCancellationError } from 'coworker';
import { failure, using } from './helpers/contexts.js';
import { onMain } from './helpers/marks.js';

describe('time limits', () => {
  it('case 76: do not dispatch, neither in nor out', () =>
    onMain(8, async (scope, expect) => {
      expect(1);
      scope.launch(async (child) => {
        expect(4);
        await child.yield();
        expect(7);
      });
      expect(2);
      const result = await scope.withTimeout(60_000, async (inner) => {
        expect(3);
        await inner.yield();
        expect(5);
        return 'OK';
      });
      assert.equal(result, 'OK');
      expect(6);
      await scope.yield();
      expect(8);
    }));

  it('case 77: end an endless loop of yields', () =>
    onMain(2, async (scope, expect) => {
      const error = await failure(
        scope.withTimeout(20, async (inner) => {
          for (;;) await inner.yield();
        }),
      );
      assert.equal(error.constructor, TimeoutCancellationError);
      expect(1);
      await scope.yield();
      expect(2);
    }));

  it('case 79: turned into a failure, are that failure', () =>
    onMain(2, async (scope, expect) => {
      const wrong = new RangeError('A');
      const error = await failure(
        scope.withTimeout(10, async (inner) => {
          const raised = await failure(inner.awaitCancellation());
          assert.instanceOf(raised, CancellationError);
          expect(1);
          throw wrong;
        }),
      );
      assert.strictEqual(error, wrong);
      expect(2);
    }));

  it('case 80: below zero let nothing begin', () =>
    onMain(2, async (scope, expect) => {
      let begun = false;
      const begin = () => (begun = true);
      const error = await failure(scope.withTimeout(-1, begin));
      assert.equal(error.constructor, TimeoutCancellationError);
      expect(1);
      assert.isNull(await scope.withTimeoutOrNull(-1, begin));
      assert.isFalse(begun);
      expect(2);
    }));

  it('case 82: give null', () =>
    onMain(2, async (scope, expect) => {
      const result = await scope.withTimeoutOrNull(100, async (inner) => {
        expect(1);
        await inner.delay(1000);
        expect(3); // not reached
        return 'value';
      });
      assert.isNull(result);
      expect(2);
    }));

  it('case 83: of others are not taken for their own', () =>
    onMain(2, async (scope, expect) => {
      const error = await failure(
        scope.withTimeoutOrNull(Infinity, async (outer) => {
          try {
            await outer.withTimeout(10, (inner) => inner.delay(Infinity));
          } finally {
            expect(1);
          }
        }),
      );
      assert.equal(error.constructor, TimeoutCancellationError);
      expect(2);
    }));

  it('case 85: end waiting for an empty channel', () =>
    onMain(4, async (scope, expect) => {
      const channel = new Channel(1);
      expect(1);
      const result = await scope.withTimeoutOrNull(1, async (inner) => {
        expect(2);
        await channel.receive(inner);
        expect.never();
      });
      assert.isNull(result);
      expect(3);
      // Nobody waits at it any more.
      await channel.send('value', scope);
      assert.equal(await channel.receive(scope), 'value');
      expect(4);
    }));

  it('case 86: give the value of a busy body although they ran out', () =>
    // A worker that sleeps looks at the clock for one that is busy.
    using(2, async (context) => {
      assert.deepEqual(await context.async('busyTooLong', 10), ['value', false, true]);
    }));
});
