// What bodies wait for and the blocks in them, as functions that run on Main as
// well as inside of tasks: this is loaded by workers, too.

import { library } from './library.js';

const {
  CancellationError,
  CompletionHandlerError,
  ContextKey,
  IllegalStateError,
  TimeoutCancellationError,
  newCompletableDeferred,
  newJob,
} = library;

// ---- checks, without a library of them

function check(holds, text) {
  if (!holds) throw new Error(`failed: ${text}`);
}
function same(actual, expected, text = 'the same') {
  check(
    Object.is(actual, expected),
    `${text}: expected ${String(expected)}, got ${String(actual)}`,
  );
}
function equal(actual, expected) {
  same(JSON.stringify(actual), JSON.stringify(expected), 'equal');
}
function isError(error, ErrorClass, ...texts) {
  same(error?.constructor, ErrorClass, `${String(error)} is of the class`);
  for (const text of texts) {
    check(error.message.includes(text), `'${text}' is in '${error.message}'`);
  }
}
/** The error of a call, thrown or by a promise. */
async function raised(call) {
  let value;
  try {
    value = await call();
  } catch (error) {
    return error;
  }
  throw new Error(`expected an error, got the value ${String(value)}`);
}
const flags = (job) => [job.isActive, job.isCompleted, job.isCancelled].map(Number).join('');

/** Calls with 1, 2, 3 ... in this order. */
function marks() {
  let wrong;
  const expect = (mark) => {
    if (mark !== ++expect.passed) wrong ??= new Error(`mark ${mark} came as ${expect.passed}`);
    if (wrong) throw wrong;
  };
  expect.passed = 0;
  /** For where nobody may come. */
  expect.never = () => {
    wrong ??= new Error(`came where nobody may, after ${expect.passed}`);
    throw wrong;
  };
  expect.end = (last) => {
    if (wrong) throw wrong;
    same(expect.passed, last, 'the last mark');
  };
  return expect;
}

/** Plays one of the scenarios below; each gives the number of its marks. */
export async function play(scope, group, name) {
  const expect = marks();
  const scenario = groups[group][name];
  const last = await scope.supervisorScope((inner) => scenario(inner, expect));
  expect.end(last ?? 0);
}

/** Launches a body that begins at once, up to where it first waits. */
const now = (scope, body, options = {}) =>
  scope.launch({ start: 'undispatched', ...options }, body);

// ---- waiting for whoever calls back

const suspending = {
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

// ---- waiting for what the library has

const waiting = {
  async 'for cancellation'(scope, expect) {
    const cause = new CancellationError('own');
    const job = now(scope, async (child) => {
      expect(1);
      same(await raised(() => child.awaitCancellation()), cause);
      same(await raised(() => child.awaitCancellation()), cause);
      expect(3);
    });
    expect(2);
    job.cancel(cause);
    await scope.join(job);
    return 3;
  },

  async 'with join(), however the job ends'(scope) {
    const jobs = [
      scope.launch(() => {}),
      scope.async({ job: null }, () => {
        throw new RangeError('not for us');
      }),
      scope.launch((child) => child.cancel()),
      scope.launch({ start: 'lazy' }, () => {}),
      newJob(),
    ];
    jobs.at(-1).complete();
    for (const job of [...jobs, ...jobs]) same(await scope.join(job), undefined);
    equal(jobs.map(flags), ['010', '011', '011', '010', '010']);
  },

  async 'with join(), not if it is cancelled itself'(scope, expect) {
    const ended = scope.launch(() => {});
    await scope.join(ended);
    const open = newJob();
    const job = now(scope, async (child) => {
      isError(await raised(() => child.join(open)), CancellationError);
      isError(await raised(() => child.join(ended)), CancellationError);
      expect(2);
    });
    expect(1);
    job.cancel();
    await scope.join(job);
    same(flags(open), '100');
    open.complete();
    return 2;
  },

  async 'with joinAll(), one after the other'(scope, expect) {
    const lazy = [3, 4].map((mark) => scope.launch({ start: 'lazy' }, () => expect(mark)));
    const first = scope.launch(async (child) => {
      expect(1);
      await child.yield();
      expect(2);
    });
    await scope.joinAll(new Set([first, ...lazy]));
    await scope.joinAll([]);
    return 4;
  },

  async 'with cancelAndJoin(), for what cleans up'(scope, expect) {
    const cause = new CancellationError('own');
    const job = now(scope, async (child) => {
      expect(1);
      try {
        await child.awaitCancellation();
      } finally {
        await child.nonCancellable((inner) => inner.yield());
        expect(2);
      }
    });
    await scope.cancelAndJoin(job, cause);
    expect(3);
    same(job.getCancellationError(), cause);
    return 3;
  },

  async 'with await(), for a value or an error'(scope) {
    const value = {};
    const wrong = new RangeError('own');
    const good = scope.async(() => value);
    const bad = scope.async({ job: null }, () => {
      throw wrong;
    });
    const cancelled = scope.async((child) => child.cancel());
    const lazy = scope.async({ start: 'lazy' }, async (child) => {
      await child.yield();
      return 5;
    });
    for (let round = 0; round < 2; round++) {
      same(await scope.await(good), value);
      same(await raised(() => scope.await(bad)), wrong);
      isError(await raised(() => scope.await(cancelled)), CancellationError);
      same(await scope.await(lazy), 5);
    }
  },

  async 'with await(), for what ended before, though cancelled'(scope, expect) {
    const open = newCompletableDeferred();
    const done = scope.async(() => 5);
    await scope.join(done);
    const job = now(scope, async (child) => {
      child.cancel();
      same(await child.await(done), 5);
      isError(await raised(() => child.await(open)), CancellationError);
      expect(1);
    });
    await scope.join(job);
    open.cancel();
    return 1;
  },

  async 'with await(), for the failure that cancels whoever awaits'(scope, expect) {
    const wrong = new RangeError('own');
    const error = await raised(() =>
      scope.coroutineScope(async (inner) => {
        const bad = inner.async(async (child) => {
          await child.yield();
          throw wrong;
        });
        same(await raised(() => inner.await(bad)), wrong);
        expect(1);
        const later = await raised(() => inner.yield());
        isError(later, CancellationError);
        same(later.cause, wrong);
        expect(2);
      }),
    );
    same(error, wrong);
    return 2;
  },

  async 'with awaitAll(), for values in their order'(scope) {
    const yielding = (times) =>
      scope.async({ start: times % 2 ? 'lazy' : 'default' }, async (child) => {
        for (let i = 0; i < times; i++) await child.yield();
        return times;
      });
    const counts = [3, 0, 4, 1];
    equal(await scope.awaitAll(counts.map(yielding)), counts);
    equal(await scope.awaitAll(new Set(counts.map(yielding))), counts);
    equal(await scope.awaitAll([]), []);
  },

  async 'with awaitAll(), for the first error'(scope) {
    const wrong = new RangeError('own');
    const done = scope.async(() => 1);
    const open = newCompletableDeferred();
    const bad = scope.async({ job: null }, async (child) => {
      await child.yield();
      throw wrong;
    });
    same(await raised(() => scope.awaitAll([done, open, bad])), wrong);
    same(flags(open), '100');
    open.complete(2);
  },

  async 'needs jobs'(scope) {
    const launched = scope.launch(() => {});
    const bad = [
      ['join', [{}], '`job`', 'a Job', 'an object of Object'],
      ['join', [], '`job`', 'a Job', 'undefined'],
      ['await', [Promise.resolve()], '`job`', 'a Deferred', 'an object of Promise'],
      ['await', [launched], '`job`', 'a Deferred', 'an object of Job'],
      ['cancelAndJoin', [5], '`job`', 'a Job', '5'],
      ['joinAll', [[launched, 5]], '`jobs`', 'Jobs', '5'],
      ['joinAll', [launched], '`jobs`', 'iterable', 'an object of Job'],
      ['awaitAll', [[launched]], '`jobs`', 'Deferreds', 'an object of Job'],
      ['awaitAll', [undefined], '`jobs`', 'iterable', 'undefined'],
    ];
    for (const [method, args, ...texts] of bad) {
      isError(await raised(() => scope[method](...args)), TypeError, 'coworker: ', ...texts);
    }
    await scope.join(launched);
  },

  async 'needs numbers'(scope) {
    for (const value of [NaN, '5', undefined]) {
      const text = typeof value === 'string' ? `'${value}'` : String(value);
      for (const call of [
        () => scope.delay(value),
        () => scope.withTimeout(value, () => {}),
        () => scope.withTimeoutOrNull(value, () => {}),
      ]) {
        isError(await raised(call), TypeError, '`ms`', 'a number of milliseconds', text);
      }
    }
  },

  async 'through three async functions, in order'(scope, expect) {
    const innermost = async (child) => {
      await child.yield();
      return 'value';
    };
    const returning = (child) => innermost(child);
    const middle = async (child) => {
      const value = await returning(child);
      return value;
    };
    const outer = async (child) => await middle(child);
    const body = (first, second) => async (child) => {
      expect(first);
      same(await outer(child), 'value');
      expect(second);
      same(await outer(child), 'value');
      expect(second + 2);
    };
    const jobs = [now(scope, body(1, 3)), now(scope, body(2, 4))];
    await scope.joinAll(jobs);
    return 6;
  },

  async 'through async functions that need not wait, in order'(scope, expect) {
    const done = newCompletableDeferred();
    done.complete(5);
    const other = scope.launch(() => expect(8));
    expect(1);
    same(await scope.await(done), 5);
    expect(2);
    equal(await scope.awaitAll([done, done]), [5, 5]);
    expect(3);
    same(await scope.coroutineScope(async () => 6), 6);
    expect(4);
    same(await scope.withContext({ name: 'other' }, async (inner) => inner.await(done)), 5);
    expect(5);
    const deep = async (level) => (level > 0 ? await deep(level - 1) : scope.await(done));
    same(await deep(6), 5);
    expect(6);
    same(await scope.supervisorScope((inner) => inner.nonCancellable(() => deep(3))), 5);
    expect(7);
    await scope.join(other);
    return 8;
  },

  async 'for what is left behind, which ends with the body'(scope, expect) {
    const left = [];
    const open = newCompletableDeferred();
    const job = now(scope, (child) => {
      left.push(
        child.delay(1e9),
        child.yield(),
        child.awaitCancellation(),
        child.join(open),
        child.await(open),
        child.awaitAll([open]),
        child.suspendCancellable(() => {}),
      );
      expect(1);
    });
    await scope.join(job);
    same(flags(job), '010');
    for (const promise of left) isError(await raised(() => promise), CancellationError);
    open.complete();
    return 1;
  },

  async 'for what is left behind, and nobody looks'(scope, expect) {
    const open = newCompletableDeferred();
    const other = newJob(open);
    const job = now(scope, (child) => {
      void child.delay(1e9);
      void child.yield();
      void child.joinAll([open, open]);
      void child.cancelAndJoin(other);
      void child.await(open);
      void child.awaitAll([open, open]);
      void child.suspendCancellable(() => {});
      void child.withTimeout(1e9, (inner) => inner.awaitCancellation());
      void child.coroutineScope((inner) => inner.yield());
      void child.nonCancellable((inner) => inner.yield());
      void child.withContext((inner) => inner.delay(1));
      expect(1);
    });
    await scope.join(job);
    expect(2);
    open.complete();
    other.cancel();
    return 2;
  },
};

// ---- scopes inside of a body

const blocks = {
  async 'give values of plain and async functions'(scope) {
    const value = { method() {} };
    const kinds = [
      (block) => scope.coroutineScope(block),
      (block) => scope.supervisorScope(block),
      (block) => scope.nonCancellable(block),
      (block) => scope.withTimeout(1e9, block),
      (block) => scope.withTimeout(Infinity, block),
      (block) => scope.withTimeout(1e5 + 0.5, block),
      (block) => scope.withTimeoutOrNull(1e9, block),
      (block) => scope.withContext(block),
      (block) => scope.withContext({ name: 'other' }, block),
    ];
    const wrong = new RangeError('own');
    for (const kind of kinds) {
      same(await kind(() => value), value);
      same(await kind(async () => value), value);
      same(await kind(async (inner) => (await inner.yield(), value)), value);
      same(await kind((inner) => (inner.launch((child) => child.yield()), value)), value);
      const fail = () => {
        throw wrong;
      };
      same(await raised(() => kind(fail)), wrong);
      same(await raised(() => kind(async () => fail())), wrong);
      same(await raised(() => kind(async (inner) => (await inner.yield(), fail()))), wrong);
      same(wrong.suppressed, undefined);
      check(scope.isActive, 'the caller goes on');
    }
  },

  async 'need functions'(scope) {
    for (const call of [
      (value) => scope.coroutineScope(value),
      (value) => scope.supervisorScope(value),
      (value) => scope.nonCancellable(value),
      (value) => scope.withTimeout(5, value),
      (value) => scope.withTimeout(-5, value),
      (value) => scope.withTimeoutOrNull(5, value),
      (value) => scope.withTimeoutOrNull(0, value),
    ]) {
      isError(await raised(() => call(undefined)), TypeError, 'a function', 'undefined');
      isError(await raised(() => call({})), TypeError, 'a function', 'an object of Object');
    }
  },

  async 'are over when they have ended'(scope) {
    let kept;
    await scope.coroutineScope((inner) => {
      kept = inner;
      check(inner.isActive, 'active');
    });
    check(!kept.isActive && kept.isStopped && kept.signal.aborted, 'over');
    isError(await raised(() => kept.launch(() => {})), IllegalStateError, 'had ended');
    isError(await raised(() => kept.delay(1)), CancellationError, 'has ended');
    isError(await raised(() => kept.coroutineScope(() => {})), IllegalStateError, 'had ended');
  },

  async 'end with what is launched in them'(scope, expect) {
    const result = await scope.coroutineScope((inner) => {
      inner.launch(async (child) => {
        await child.yield();
        child.launch(async (grandchild) => {
          await grandchild.yield();
          expect(2);
        });
      });
      expect(1);
      return 'value';
    });
    same(result, 'value');
    expect(3);
    return 3;
  },

  async 'gather what fails in them'(scope, expect) {
    const [first, second] = [new RangeError('first'), new RangeError('second')];
    const error = await raised(() =>
      scope.coroutineScope(async (inner) => {
        now(inner, async (child) => {
          try {
            await child.awaitCancellation();
          } catch (cancellation) {
            same(cancellation.cause, first);
            expect(2);
            throw second;
          }
        });
        expect(1);
        throw first;
      }),
    );
    same(error, first);
    same(first.suppressed.length, 1);
    same(first.suppressed[0], second);
    return 2;
  },

  async 'may be cancelled alone'(scope, expect) {
    const cause = new CancellationError('own');
    const error = await raised(() =>
      scope.coroutineScope(async (inner) => {
        inner.cancel(cause);
        check(!inner.isActive && scope.isActive, 'the inner one is cancelled');
        same(await raised(() => inner.yield()), cause);
        expect(1);
        return 'lost';
      }),
    );
    same(error, cause);
    check(scope.isActive, 'the caller goes on');
    return 1;
  },

  async 'begin for a cancelled caller, and end cancelled'(scope, expect) {
    const kinds = [
      (child, block) => child.coroutineScope(block),
      (child, block) => child.supervisorScope(block),
      (child, block) => child.withTimeout(1e9, block),
    ];
    let at = 0;
    for (const kind of kinds) {
      const cause = new CancellationError('own');
      const job = now(scope, async (child) => {
        child.cancel(cause);
        same(await raised(() => kind(child, () => expect(at + 1))), cause);
        const waits = async (inner) => {
          expect(at + 2);
          same(await raised(() => inner.yield()), cause);
          expect(at + 3);
          return 'lost';
        };
        same(await raised(() => kind(child, waits)), cause);
      });
      await scope.join(job);
      at += 3;
    }
    return at;
  },

  async 'of supervisors go on without those that fail'(scope, expect) {
    const [first, second] = [new RangeError('first'), new RangeError('second')];
    const reported = [];
    const handler = (error) => reported.push(error);
    const result = await scope.supervisorScope(async (inner) => {
      const bad = inner.launch({ handler }, () => {
        throw first;
      });
      const deferred = inner.async({ handler }, () => {
        throw second;
      });
      await inner.joinAll([bad, deferred]);
      check(inner.isActive, 'active');
      same(await raised(() => inner.await(deferred)), second);
      expect(1);
      return 'value';
    });
    same(result, 'value');
    same(reported.length, 1);
    same(reported[0], first);
    return 1;
  },

  async 'of supervisors that fail cancel the others'(scope, expect) {
    const wrong = new RangeError('own');
    const error = await raised(() =>
      scope.supervisorScope(async (inner) => {
        now(inner, async (child) => {
          const cancellation = await raised(() => child.awaitCancellation());
          same(cancellation.cause, wrong);
          expect(2);
        });
        expect(1);
        throw wrong;
      }),
    );
    same(error, wrong);
    return 2;
  },

  async 'with time limits are cancelled with all below'(scope, expect) {
    const error = await raised(() =>
      scope.withTimeout(5, async (inner) => {
        now(inner, async (child) => {
          isError(await raised(() => child.awaitCancellation()), TimeoutCancellationError);
          expect(1);
        });
        await inner.awaitCancellation();
      }),
    );
    isError(error, TimeoutCancellationError, '5 ms');
    expect(2);
    check(scope.isActive, 'the caller goes on');
    return 2;
  },

  async 'with time limits cannot swallow them'(scope) {
    const swallow = async (inner) => {
      isError(await raised(() => inner.awaitCancellation()), TimeoutCancellationError);
      return 'lost';
    };
    isError(await raised(() => scope.withTimeout(2, swallow)), TimeoutCancellationError);
    same(await scope.withTimeoutOrNull(2, swallow), null);
  },

  async 'with time limits tell whose it was'(scope, expect) {
    // The outer one runs out: its null passes the inner one.
    const result = await scope.withTimeoutOrNull(5, async (outer) => {
      await outer.withTimeoutOrNull(1e9, (inner) => inner.awaitCancellation());
      expect.never();
    });
    same(result, null);
    // The inner one runs out, alone.
    const outer = await scope.withTimeoutOrNull(1e9, async (around) => {
      same(await around.withTimeoutOrNull(1, (inner) => inner.awaitCancellation()), null);
      isError(
        await raised(() => around.withTimeout(1, (inner) => inner.awaitCancellation())),
        TimeoutCancellationError,
      );
      check(around.isActive, 'the outer one goes on');
      return 'value';
    });
    same(outer, 'value');
    // Somebody else's, thrown inside, is not taken for one's own.
    const other = await raised(() => scope.withTimeout(1, (inner) => inner.awaitCancellation()));
    const rethrown = await raised(() =>
      scope.withTimeoutOrNull(1e9, () => {
        throw other;
      }),
    );
    same(rethrown, other);
    expect(1);
    return 1;
  },

  async 'with time limits that did not run out leave none behind'(scope) {
    same(await scope.withTimeout(1, () => 'value'), 'value');
    await scope.delay(3);
    check(scope.isActive, 'nobody is cancelled later');
  },

  async 'that cannot be cancelled are not'(scope, expect) {
    const job = now(scope, async (child) => {
      const result = await child.nonCancellable(async (inner) => {
        expect(1);
        const below = inner.launch(async (grandchild) => {
          await grandchild.yield();
          expect(3);
        });
        await inner.join(below);
        check(inner.isActive && !inner.signal.aborted, 'active');
        check(!child.isActive, 'cancelled');
        return 'value';
      });
      same(result, 'value');
      expect(4);
      isError(await raised(() => child.yield()), CancellationError);
      expect(5);
    });
    expect(2);
    job.cancel();
    await scope.join(job);
    return 5;
  },

  async 'that cannot be cancelled may be in each other and in finally'(scope, expect) {
    const wrong = new RangeError('own');
    const job = now(scope, async (child) => {
      try {
        await child.awaitCancellation();
      } finally {
        const error = await raised(() =>
          child.nonCancellable((inner) =>
            inner.coroutineScope(async (innermost) => {
              await innermost.yield();
              same(await innermost.withTimeoutOrNull(1, (at) => at.awaitCancellation()), null);
              expect(1);
              throw wrong;
            }),
          ),
        );
        same(error, wrong);
        expect(2);
      }
    });
    await scope.cancelAndJoin(job);
    isError(job.getCancellationError(), CancellationError);
    return 2;
  },

  async 'with other elements have them, and what is below'(scope, expect) {
    const key = new ContextKey('scenario');
    const outside = scope.get(key);
    const elements = { name: 'other', values: [key.with('inside')] };
    await scope.withContext(elements, async (inner) => {
      same(inner.get(key), 'inside');
      await inner.yield();
      same(inner.job.name, 'other');
      same(await inner.await(inner.async((child) => child.get(key))), 'inside');
      const deeper = { values: [key.with('deeper')] };
      same(await inner.withContext(deeper, (innermost) => innermost.get(key)), 'deeper');
      same(inner.get(key), 'inside');
      expect(1);
    });
    same(scope.get(key), outside);
    return 1;
  },

  async 'with another job are cancelled with it'(scope, expect) {
    const job = newJob();
    const cause = new CancellationError('own');
    const error = await raised(() =>
      scope.withContext({ job }, async (inner) => {
        expect(1);
        scope.launch(() => job.cancel(cause));
        try {
          await inner.awaitCancellation();
        } finally {
          expect(2);
        }
      }),
    );
    same(error, cause);
    check(scope.isActive, 'the caller goes on');
    const refused = await raised(() => scope.withContext({ job }, expect.never));
    same(refused, cause);
    return 2;
  },

  async 'with bad elements do not begin'(scope, expect) {
    for (const [elements, ...texts] of [
      [{ name: 5 }, '`options.name`', 'a string', '5'],
      [{ name: 'a\0b' }, '`options.name`', 'without zeros'],
      [{ handler: 'text' }, '`options.handler`', 'a function', "'text'"],
      [{ job: 5 }, '`options.job`', 'a Job or null', '5'],
      [{ values: [{ key: 'text', value: 1 }] }, '`options.values`', 'ContextKey.with()'],
    ]) {
      isError(await raised(() => scope.withContext(elements, expect.never)), TypeError, ...texts);
    }
  },
};

// ---- memory

const cause = new CancellationError('one for all, since errors are kept until they are collected');

/** Waits in all ways, again and again. */
export async function exercise(scope, rounds) {
  for (let round = 0; round < rounds; round++) {
    const cancelled = now(scope, async (child) => {
      const waits = [
        child.suspendCancellable((_resume, _reject, onCancel) => onCancel(() => {})),
        child.delay(1e9),
        child.withTimeout(1e9, (inner) => inner.awaitCancellation()),
      ];
      for (const { reason } of await Promise.allSettled(waits)) same(reason, cause);
    });
    cancelled.cancel(cause);
    const values = [1, 2].map((value) => scope.async(() => value));
    await scope.joinAll([cancelled, cancelled]);
    equal(await scope.awaitAll(values), [1, 2]);
    const named = { name: 'named', handler() {} };
    await scope.withContext(named, (inner) => inner.nonCancellable(() => inner.yield()));
    await scope.supervisorScope((inner) => inner.withTimeoutOrNull(1e9, () => inner.yield()));
    await scope.suspendCancellable((resume) => resume(round, () => {}));
  }
}

const groups = { suspending, waiting, blocks };

/** The names of all, by group. */
export const scenarios = Object.fromEntries(
  Object.entries(groups).map(([group, all]) => [group, Object.keys(all)]),
);
