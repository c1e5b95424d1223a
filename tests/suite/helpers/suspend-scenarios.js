// What bodies do that wait for whoever calls back.

import { library } from './library.js';
import { equal, flags, isError, now, raised, same } from './scenario-checks.js';

const { CancellationError, CompletionHandlerError, IllegalStateError } = library;

export const suspending = {
  async 'gives the value, which is not copied'(scope, expect) {
    const value = { method() {} };
    let resume;
    const job = now(scope, async (child) => {
      const got = await child.suspendCancellable((resumeIt) => {
        expect(1);
        resume = resumeIt;
      });
      same(got, value);
      expect(3);
    });
    expect(2);
    resume(value);
    await scope.join(job);
    same(flags(job), '010');
    return 3;
  },

  async 'does not wait if it is resumed within the block'(scope, expect) {
    const job = scope.launch(() => expect(3));
    expect(1);
    same(await scope.suspendCancellable((resume) => resume('at once')), 'at once');
    expect(2);
    await scope.join(job);
    return 3;
  },

  async 'may give nothing'(scope) {
    same(await scope.suspendCancellable((resume) => resume()), undefined);
    same(await scope.suspendCancellable((resume) => resume(null)), null);
  },

  async 'throws what it is rejected with'(scope, expect) {
    const wrong = new RangeError('own');
    for (const error of [wrong, 'a text', undefined, null, 0, new CancellationError('own')]) {
      let reject;
      const job = now(scope, async (child) => {
        const got = await raised(() =>
          child.suspendCancellable((_, rejectIt) => (reject = rejectIt)),
        );
        same(got, error);
      });
      reject(error);
      await scope.join(job);
      same(flags(job), '010');
      same(await raised(() => scope.suspendCancellable((_, at) => at(error))), error);
    }
    expect(1);
    return 1;
  },

  async 'throws what the block throws'(scope) {
    const wrong = new RangeError('own');
    const block = () => {
      throw wrong;
    };
    same(await raised(() => scope.suspendCancellable(block)), wrong);
  },

  async 'reports what the block throws after it has resumed'(scope) {
    const wrong = new RangeError('own');
    const reported = [];
    const job = now(
      scope,
      async (child) => {
        const got = await child.suspendCancellable((resume) => {
          resume(5);
          throw wrong;
        });
        same(got, 5);
      },
      { handler: (error) => reported.push(error) },
    );
    await scope.join(job);
    same(flags(job), '010');
    same(reported.length, 1);
    isError(reported[0], CompletionHandlerError);
    same(reported[0].cause, wrong);
  },

  async 'is resumed once'(scope) {
    const twice = [
      (resume) => [resume, resume],
      (resume, reject) => [resume, reject],
      (resume, reject) => [reject, resume],
      (resume, reject) => [reject, reject],
    ];
    for (const of of twice) {
      let calls;
      const job = now(scope, async (child) => {
        const got = child.suspendCancellable((resume, reject) => (calls = of(resume, reject)));
        same(await got.catch((error) => error), 'first');
      });
      calls[0]('first');
      isError(await raised(() => calls[1]('second')), IllegalStateError, 'was resumed before');
      await scope.join(job);
      isError(await raised(() => calls[1]('third')), IllegalStateError, 'was resumed before');
      same(flags(job), '010');
    }
  },

  async 'tells the handler when the job is cancelled'(scope, expect) {
    const cause = new RangeError('why');
    let told;
    const job = now(scope, async (child) => {
      expect(1);
      const error = await raised(() =>
        child.suspendCancellable((_resume, _reject, onCancel) => {
          onCancel((cancellation) => {
            expect(3);
            told = cancellation;
          });
        }),
      );
      same(error, told);
      isError(error, CancellationError);
      same(error.cause, cause);
      expect(5);
    });
    expect(2);
    job.cancel(cause);
    expect(4); // the handler was called by cancel()
    await scope.join(job);
    return 5;
  },

  async 'tells the handler at once if the job is cancelled before'(scope, expect) {
    const job = now(scope, async (child) => {
      child.cancel();
      expect(1);
      const error = await raised(() =>
        child.suspendCancellable((_resume, _reject, onCancel) => {
          expect(2);
          onCancel(() => expect(3));
        }),
      );
      isError(error, CancellationError);
      expect(5);
    });
    expect(4);
    await scope.join(job);
    return 5;
  },

  async 'has one handler'(scope, expect) {
    let again;
    const handler = () => expect(1);
    const job = now(scope, (child) =>
      child.suspendCancellable((_resume, _reject, onCancel) => {
        onCancel(handler);
        again = () => onCancel(expect.never);
      }),
    );
    isError(await raised(again), IllegalStateError, 'has a handler');
    job.cancel();
    isError(await raised(again), IllegalStateError, 'has a handler');
    await scope.join(job);
    isError(await raised(again), IllegalStateError, 'has a handler');
    return 1;
  },

  async 'takes no handler after its end'(scope, expect) {
    let subscribe;
    const job = now(scope, async (child) => {
      await child.suspendCancellable((resume, _reject, onCancel) => {
        subscribe = () => onCancel(expect.never);
        resume();
      });
      isError(await raised(subscribe), IllegalStateError, 'or is over');
      expect(1);
    });
    await scope.join(job);
    isError(await raised(subscribe), IllegalStateError, 'or is over');
    return 1;
  },

  async 'does not tell the handler of what comes after its end'(scope, expect) {
    const job = now(scope, async (child) => {
      await child.suspendCancellable((resume, _reject, onCancel) => {
        onCancel(expect.never);
        resume();
      });
      expect(1);
      await child.awaitCancellation();
    });
    await scope.yield();
    job.cancel();
    await scope.join(job);
    return 1;
  },

  async 'throws the error although it is cancelled in line'(scope, expect) {
    const wrong = new RangeError('own');
    let reject;
    const job = now(scope, async (child) => {
      const error = await raised(() =>
        child.suspendCancellable((_resume, rejectIt, onCancel) => {
          reject = rejectIt;
          onCancel(expect.never);
        }),
      );
      same(error, wrong);
      expect(1);
    });
    reject(wrong);
    job.cancel();
    await scope.join(job);
    same(flags(job), '011');
    return 1;
  },

  async 'gives back a value that comes too late'(scope, expect) {
    const value = {};
    let resume;
    const job = now(scope, async (child) => {
      const error = await raised(() => child.suspendCancellable((resumeIt) => (resume = resumeIt)));
      isError(error, CancellationError);
      expect(3);
    });
    job.cancel();
    expect(1);
    resume(value, (lost) => {
      same(lost, value);
      expect(2);
    });
    await scope.join(job);
    isError(await raised(() => resume(value)), IllegalStateError);
    return 3;
  },

  async 'gives back a value that comes after the job'(scope, expect) {
    let resume;
    const job = now(scope, (child) => child.suspendCancellable((resumeIt) => (resume = resumeIt)));
    await scope.cancelAndJoin(job);
    resume(7, (lost) => {
      same(lost, 7);
      expect(1);
    });
    return 1;
  },

  async 'does not give back what was delivered'(scope, expect) {
    same(await scope.suspendCancellable((resume) => resume(1, expect.never)), 1);
    let resume;
    const job = now(scope, async (child) => {
      same(await child.suspendCancellable((resumeIt) => (resume = resumeIt)), 2);
      child.cancel();
      expect(1);
    });
    resume(2, expect.never);
    await scope.join(job);
    return 1;
  },

  async 'reports what the handler throws, which harms nobody'(scope, expect) {
    const wrong = new RangeError('own');
    const reported = [];
    const job = now(
      scope,
      async (child) => {
        const error = await raised(() =>
          child.suspendCancellable((_resume, _reject, onCancel) => {
            onCancel(() => {
              throw wrong;
            });
          }),
        );
        isError(error, CancellationError);
        same(error.cause, undefined);
      },
      { handler: (error) => reported.push(error) },
    );
    job.cancel();
    expect(1);
    await scope.join(job);
    same(reported.length, 1);
    isError(reported[0], CompletionHandlerError, job.name, 'own');
    same(reported[0].cause, wrong);
    return 1;
  },

  async 'may wait for several at once'(scope) {
    const resumes = [];
    const wait = () => scope.suspendCancellable((resume) => resumes.push(resume));
    const all = Promise.all([wait(), wait(), wait()]);
    for (const index of [2, 0, 1]) resumes[index](index);
    equal(await all, [0, 1, 2]);
  },

  async 'may be cancelled while it waits for several'(scope, expect) {
    let told = 0;
    const job = now(scope, async (child) => {
      const wait = () =>
        child.suspendCancellable((_resume, _reject, onCancel) => onCancel(() => told++));
      const ends = await Promise.allSettled([wait(), wait(), child.delay(1e9), child.yield()]);
      equal(
        ends.map(({ status }) => status),
        ['rejected', 'rejected', 'rejected', 'rejected'],
      );
      for (const { reason } of ends) same(reason, ends[0].reason);
      expect(1);
    });
    job.cancel();
    same(told, 2);
    await scope.join(job);
    return 1;
  },

  async 'may be raced for'(scope, expect) {
    let told;
    const job = now(scope, async (child) => {
      const never = child.suspendCancellable((_resume, _reject, onCancel) =>
        onCancel((error) => {
          expect(2);
          told = error;
        }),
      );
      const winner = child.suspendCancellable((resume) => resume('fast'));
      same(await Promise.race([never, winner]), 'fast');
      expect(1);
    });
    await scope.join(job); // which the loser does not keep
    same(flags(job), '010');
    isError(told, CancellationError);
    return 2;
  },

  async 'needs functions'(scope) {
    for (const [value, text] of [
      [undefined, 'undefined'],
      [5, '5'],
      ['text', "'text'"],
    ]) {
      const error = await raised(() => scope.suspendCancellable(value));
      isError(error, TypeError, '`block`', 'a function', text);
      const inner = await raised(() =>
        scope.suspendCancellable((_resume, _reject, onCancel) => onCancel(value)),
      );
      isError(inner, TypeError, '`handler`', 'a function', text);
    }
  },
};
