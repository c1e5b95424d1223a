// How jobs begin, how promptly they are cancelled, and what those who call back
// have to do with it, case by case.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, CompletionHandlerError, IllegalStateError } from 'coworker';
import { failure, thrown } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';

describe('starting, cancelling and calling back', () => {
  it('case 88: an atomic body begins although it is cancelled', () =>
    onMain(6, async (scope, expect) => {
      expect(1);
      const job = scope.launch({ start: 'atomic' }, async (child) => {
        expect(4);
        assert.instanceOf(await failure(child.yield()), CancellationError);
        expect(5);
      });
      expect(2);
      job.cancel();
      expect(3);
      await scope.join(job);
      expect(6);
      assert.equal(flags(job), '011');
    }));

  it('case 89: a waiter is cancelled with its value on the way', () =>
    onMain(7, async (scope, expect) => {
      expect(1);
      const deferred = scope.async(() => {
        expect(4);
        return 'OK';
      });
      const waiter = scope.launch({ start: 'undispatched' }, async (child) => {
        expect(2);
        try {
          await child.await(deferred);
          expect(8); // not reached
        } finally {
          expect(6);
        }
      });
      expect(3);
      scope.launch(() => {
        expect(5);
        waiter.cancel();
      });
      await scope.join(waiter);
      expect(7);
      assert.equal(flags(deferred), '010');
      assert.equal(flags(waiter), '011');
    }));

  it('case 92: an undispatched body in a cancelled job begins and does not wait', () =>
    onMain(4, async (scope, expect) => {
      const job = scope.launch(async (outer) => {
        outer.cancel();
        expect(1);
        outer.launch({ start: 'undispatched' }, async (child) => {
          expect(2);
          await child.yield();
          expect(5); // not reached
        });
        expect(3);
      });
      await scope.join(job);
      expect(4);
      assert.equal(flags(job), '011');
    }));

  it('case 94: resuming what was cancelled is ignored', () =>
    onMain(4, async (scope, expect) => {
      let resume;
      const job = scope.launch({ start: 'undispatched' }, async (child) => {
        expect(1);
        const error = await failure(
          child.suspendCancellable((resumeIt) => {
            resume = resumeIt;
          }),
        );
        assert.instanceOf(error, CancellationError);
        expect(3);
      });
      expect(2);
      job.cancel();
      resume('too late');
      assert.instanceOf(
        thrown(() => resume('again')),
        IllegalStateError,
      );
      await scope.join(job);
      expect(4);
    }));

  it('case 95: a wait ends with its job, even if that completes normally', () =>
    onMain(5, async (scope, expect) => {
      let left;
      expect(1);
      const job = scope.launch((child) => {
        expect(2);
        left = child.suspendCancellable(() => expect(3));
        expect(4);
      });
      await scope.join(job);
      assert.equal(flags(job), '010');
      assert.instanceOf(await failure(left), CancellationError);
      expect(5);
    }));

  it('case 97: a handler is called at dispatch if the job is cancelled in line', () =>
    onMain(6, async (scope, expect) => {
      let onCancel, resume;
      const job = scope.launch({ start: 'undispatched' }, async (child) => {
        expect(1);
        const error = await failure(
          child.suspendCancellable((resumeIt, _reject, onCancelIt) => {
            resume = resumeIt;
            onCancel = onCancelIt;
            onCancel((cancellation) => {
              assert.instanceOf(cancellation, CancellationError);
              expect(4);
            });
          }),
        );
        assert.instanceOf(error, CancellationError);
        expect(5);
        const late = thrown(() => onCancel(() => expect(7)));
        assert.instanceOf(late, IllegalStateError);
      });
      expect(2);
      resume();
      job.cancel();
      expect(3);
      await scope.join(job);
      expect(6);
      assert.instanceOf(
        thrown(() => onCancel(() => expect(7))),
        IllegalStateError,
      );
    }));

  it('case 98: what a handler throws is reported, and not thrown to anybody', () =>
    onMain(5, async (scope, expect) => {
      const wrong = new RangeError('of the handler');
      const reported = [];
      const handler = (error) => reported.push(error);
      expect(1);
      const job = scope.launch({ start: 'undispatched', handler }, async (child) => {
        expect(2);
        const error = await failure(
          child.suspendCancellable((_resume, _reject, onCancel) => {
            onCancel(() => {
              expect(3);
              throw wrong;
            });
          }),
        );
        assert.equal(error.constructor, CancellationError);
        assert.isUndefined(error.cause);
        assert.isUndefined(error.suppressed);
        expect(4);
      });
      job.cancel();
      await scope.join(job);
      expect(5);
      assert.equal(reported.length, 1);
      assert.instanceOf(reported[0], CompletionHandlerError);
      assert.strictEqual(reported[0].cause, wrong);
    }));

  it('case 100: cancelled in line: the handler, the hook, then the body', () =>
    onMain(10, async (scope, expect) => {
      let resume;
      expect(1);
      const job = scope.launch({ start: 'undispatched' }, async (child) => {
        expect(2);
        const error = await failure(
          child.suspendCancellable((resumeIt, _reject, onCancel) => {
            expect(3);
            resume = resumeIt;
            onCancel((cancellation) => {
              assert.instanceOf(cancellation, CancellationError);
              expect(7);
            });
          }),
        );
        assert.instanceOf(error, CancellationError);
        expect(9);
      });
      expect(4);
      const value = {};
      resume(value, (undelivered) => {
        assert.strictEqual(undelivered, value);
        expect(8);
      });
      expect(5);
      job.cancel();
      expect(6);
      await scope.join(job);
      expect(10);
    }));

  it('case 101: handler and hook throw: both are reported, the cause stays', () =>
    onMain(8, async (scope, expect) => {
      const cause = new RangeError('why');
      const ofHandler = new RangeError('of the handler');
      const ofHook = new RangeError('of the hook');
      const reported = [];
      const handler = (error) => reported.push(error);
      expect(1);
      const job = scope.launch({ start: 'undispatched', handler }, async (child) => {
        expect(2);
        const error = await failure(
          child.suspendCancellable((resume, _reject, onCancel) => {
            onCancel(() => {
              expect(3);
              throw ofHandler;
            });
            child.cancel(cause);
            expect(4);
            resume('value', (value) => {
              assert.equal(value, 'value');
              expect(5);
              throw ofHook;
            });
            expect(6);
          }),
        );
        assert.equal(error.constructor, CancellationError);
        assert.strictEqual(error.cause, cause);
        assert.isUndefined(error.suppressed);
        expect(7);
      });
      await scope.join(job);
      expect(8);
      assert.isTrue(reported.every((error) => error instanceof CompletionHandlerError));
      assert.deepEqual(
        reported.map((error) => error.cause),
        [ofHandler, ofHook],
      );
      assert.strictEqual(job.getCancellationError().cause, cause);
    }));
});
