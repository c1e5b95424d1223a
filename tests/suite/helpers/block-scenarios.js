// What bodies do with scopes inside of them.

import { library } from './library.js';
import { check, isError, now, raised, same } from './scenario-checks.js';

const { CancellationError, ContextKey, IllegalStateError, TimeoutCancellationError, newJob } =
  library;

export const blocks = {
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
