// What bodies do that wait for what the library has.

import { library } from './library.js';
import { equal, flags, isError, now, raised, same } from './scenario-checks.js';

const { CancellationError, newCompletableDeferred, newJob } = library;

export const waiting = {
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
