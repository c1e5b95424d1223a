// Handles to jobs, jobs without a body, scopes to keep, elements.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  CompletableDeferred,
  CompletableJob,
  ContextKey,
  CoworkerError,
  Deferred,
  GlobalScope,
  IllegalStateError,
  Job,
  Main,
  newCompletableDeferred,
  newJob,
  newScope,
  newSupervisorJob,
} from 'coworker';
import {
  cells,
  failure,
  litter,
  mainRealm,
  nativeOptions,
  open,
  thrown,
  turns,
  uncaught,
  until,
  using,
} from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';

/** Asserts that a call is refused with this class, and a message with these parts. */
async function refused(call, ErrorClass, ...parts) {
  const error = await failure((async () => call())());
  assert.equal(error.constructor, ErrorClass, String(error));
  for (const part of parts) assert.include(error.message, part);
}

describe('a handle to a job', () => {
  it('is the same wherever it comes from', () =>
    onMain(3, async (scope, expect) => {
      assert.strictEqual(scope.job, scope.job);
      const job = scope.launch((inner) => {
        expect(2);
        assert.strictEqual(inner.job, job);
        assert.strictEqual(job.parent, scope.job);
      });
      let own;
      const now = scope.launch({ start: 'undispatched' }, async (inner) => {
        own = inner.job;
        expect(1);
        await inner.yield();
        expect(3);
      });
      assert.strictEqual(own, now);
      const bare = newJob(scope.job);
      assert.strictEqual(bare.parent, scope.job);
      assert.strictEqual(newJob(bare).parent, bare);
      bare.cancel();
      await scope.coroutineScope(async (inner) => {
        assert.notEqual(inner.job, scope.job);
        assert.strictEqual(inner.job.parent, scope.job);
        const child = inner.launch(() => {});
        assert.strictEqual(child.parent, inner.job);
      });
    }));

  it('is no promise unless it is a Deferred', async () => {
    await Main.ready;
    const launch = async () => Main.launch((scope) => scope.awaitCancellation());
    const job = await launch(); // would wait for the job otherwise
    assert.equal(job.constructor, Job);
    assert.isUndefined(job.then);
    assert.equal(flags(job), '100');
    await job.cancelAndJoin();
    const deferred = Main.async(() => 5);
    assert.equal(deferred.constructor, Deferred);
    await using(1, async (context) => {
      assert.equal(context.launch('add', 1, 2).constructor, Job);
      assert.equal(context.async('add', 1, 2).constructor, Deferred);
    });
    // A body may return its own handle.
    const own = await Main.async((scope) => scope.job);
    assert.equal(own.constructor, Job);
  });

  it('knows no parent at the top', async () => {
    await Main.ready;
    const job = Main.launch((scope) => scope.awaitCancellation());
    const detached = GlobalScope.launch({ job: null }, (scope) => scope.awaitCancellation());
    assert.isUndefined(job.parent);
    assert.isUndefined(detached.parent);
    assert.isUndefined(newJob().parent);
    await using(1, async (context) => {
      const task = context.launch('wait');
      assert.isUndefined(task.parent);
    });
    await Promise.all([job.cancelAndJoin(), detached.cancelAndJoin()]);
    const child = await Main.async((scope) => {
      const below = scope.launch((inner) => inner.yield());
      assert.strictEqual(below.parent, scope.job);
      return below;
    });
    assert.isUndefined(child.parent);
  });

  it('is the same on a worker', async () => {
    await using(2, async (context) => {
      const results = [true, true, true, true, 'handlesThere', 'wait'];
      const active = [true, false, false];
      assert.deepEqual(await context.async('handlesThere'), [...results, undefined, active]);
      assert.deepEqual(await context.async('handlesBelow'), [...results, 'handlesBelow', active]);
    });
  });

  it('is started once, by whatever waits for it', () =>
    onMain(4, async (scope, expect) => {
      const lazy = (mark) => scope.async({ start: 'lazy' }, () => expect(mark));
      const one = lazy(1);
      assert.isTrue(one.start());
      assert.isFalse(one.start());
      await scope.join(one);
      await scope.await(lazy(2));
      await scope.joinAll([lazy(3)]);
      await scope.awaitAll([lazy(4)]);
      const active = scope.launch(() => {});
      assert.isFalse(active.start());
    }));

  it('is started by a plain await and join, too', async () => {
    await Main.ready;
    assert.equal(await Main.async({ start: 'lazy' }, () => 5), 5);
    const job = Main.launch({ start: 'lazy' }, () => {});
    await job.join();
    assert.equal(flags(job), '010');
  });

  it('tells how it was cancelled', async () => {
    await Main.ready;
    const cause = new Error('A');
    const job = newJob();
    job.cancel(cause);
    const error = job.getCancellationError();
    assert.equal(error.constructor, CancellationError);
    assert.strictEqual(error.cause, cause);
    const own = new CancellationError('of mine');
    const other = newJob();
    newJob(other); // so that it is cancelling only until the child ends
    other.cancel(own);
    assert.strictEqual(other.getCancellationError(), own);
    const failed = Main.async(() => {
      throw cause;
    });
    await failed.join();
    assert.strictEqual(failed.getCancellationError().cause, cause);
    await refused(() => newJob().getCancellationError(), IllegalStateError, "'Job'", 'isCancelled');
    thrown(() => Main.async(() => {}).getCancellationError());
  });

  it('cancels its children with one cause', () =>
    onMain(2, async (scope, expect) => {
      const cause = new Error('A');
      const wait = (mark) => async (inner) => {
        const error = await failure(inner.awaitCancellation());
        assert.strictEqual(error.cause, cause);
        expect(mark);
      };
      scope.launch(wait(1));
      scope.launch(wait(2));
      await scope.yield();
      scope.job.cancelChildren(cause);
      assert.isTrue(scope.isActive);
      const done = newJob();
      done.complete();
      done.cancelChildren();
      assert.equal(flags(done), '010');
    }));

  it('cannot be used with jobs of another module', async () => {
    await Main.ready;
    const context = await open(1, await nativeOptions());
    const foreign = context.async('wait');
    try {
      await onMain(0, async (scope) => {
        const part = "job 'wait' is of another WebAssembly module";
        await refused(() => scope.join(foreign), CoworkerError, part, '`await job.join()`');
        await refused(() => scope.await(foreign), CoworkerError, part);
        const own = scope.async(() => 1);
        await refused(() => scope.awaitAll([own, foreign]), CoworkerError, part);
        await refused(() => scope.launch({ job: foreign }, () => {}), CoworkerError, part);
        await refused(() => scope.withContext({ job: foreign }, () => {}), CoworkerError, part);
        await refused(() => newJob(foreign), CoworkerError, part);
      });
    } finally {
      await context.close({ cancel: true });
    }
  });
});

describe('a body', () => {
  it('goes on to where it waits before others begin', async () => {
    await Main.ready;
    const marks = [];
    Main.launch(async () => {
      marks.push(1);
      await null;
      await null;
      marks.push(2);
    });
    const last = Main.launch(() => marks.push(3));
    // As when a wake-up comes before the turn that is due.
    last.owner.realm.pumpNow();
    assert.deepEqual(marks, [1]);
    await last.join();
    assert.deepEqual(marks, [1, 2, 3]);
  });

  it('is not held up by asking for the outcome of another', () =>
    onMain(3, async (scope, expect) => {
      const one = scope.async(() => expect(1));
      await scope.join(one);
      scope.launch(() => expect(3));
      assert.isUndefined(one.getCompleted());
      await null;
      expect(2);
    }));
});

describe('getCompleted()', () => {
  it('gives the value, or throws the failure itself', async () => {
    await Main.ready;
    const value = { of: 5 };
    const error = new Error('A');
    const good = Main.async(() => value);
    const bad = Main.async(() => {
      throw error;
    });
    for (const job of [good, bad]) {
      for (const call of ['getCompleted', 'getCompletionErrorOrUndefined']) {
        const refusal = thrown(() => job[call]()); // at once: they run in the next turn
        assert.equal(refusal.constructor, IllegalStateError);
        assert.include(refusal.message, 'has not completed; await it');
      }
    }
    await Promise.all([good.join(), bad.join()]);
    assert.strictEqual(good.getCompleted(), value);
    assert.isUndefined(good.getCompletionErrorOrUndefined());
    assert.strictEqual(
      thrown(() => bad.getCompleted()),
      error,
    );
    assert.strictEqual(bad.getCompletionErrorOrUndefined(), error);
  });

  it('works as soon as the job is complete', () =>
    onMain(4, async (scope, expect) => {
      const value = { of: 5 };
      const error = new Error('A');
      const good = scope.async(() => value);
      const bad = scope.async({ job: null }, () => {
        throw error;
      });
      // Within the turn in which they end, before anybody who awaits is told.
      good.invokeOnCompletion(() => {
        expect(1);
        assert.strictEqual(good.getCompleted(), value);
      });
      bad.invokeOnCompletion(() => {
        expect(2);
        assert.strictEqual(bad.getCompletionErrorOrUndefined(), error);
      });
      scope.launch(() => {
        expect(3);
        assert.strictEqual(good.getCompleted(), value);
        assert.strictEqual(
          thrown(() => bad.getCompleted()),
          error,
        );
      });
      await scope.yield();
      expect(4);
      assert.strictEqual(await good, value);
      assert.strictEqual(await failure(bad), error);
    }));

  it('has the value of a task, early and late', async () => {
    await using(1, async (context) => {
      const job = context.async('echo', { of: [5] });
      let early;
      // Called by the core, perhaps before the news of the value is read.
      job.invokeOnCompletion(() => (early = job.getCompleted()));
      assert.deepEqual(await job, { of: [5] });
      await until(() => early);
      assert.deepEqual(early, { of: [5] });
      assert.strictEqual(job.getCompleted(), await job);
    });
  });
});

describe('jobs without a body', () => {
  it('end once', async () => {
    await Main.ready;
    for (const make of [newJob, newSupervisorJob, newCompletableDeferred]) {
      const job = make();
      assert.equal(flags(job), '100');
      assert.isTrue(job.complete());
      assert.isFalse(job.complete());
      assert.isFalse(job.completeExceptionally(new Error('late')));
      job.cancel();
      assert.equal(flags(job), '010');
      const failed = make();
      assert.isTrue(failed.completeExceptionally(new Error('A')));
      assert.isFalse(failed.completeExceptionally(new Error('B')));
      assert.isFalse(failed.complete());
      assert.equal(flags(failed), '011');
      const cancelled = make();
      cancelled.cancel();
      assert.isFalse(cancelled.complete());
      assert.equal(flags(cancelled), '011');
    }
    assert.instanceOf(newSupervisorJob(), CompletableJob);
    assert.instanceOf(newCompletableDeferred(), CompletableDeferred);
    assert.instanceOf(newCompletableDeferred(), Deferred);
  });

  it('are joined and awaited from anywhere', async () => {
    await Main.ready;
    const job = newJob();
    const joined = job.join();
    job.complete();
    assert.isUndefined(await joined);
    const value = { method() {} };
    const deferred = newCompletableDeferred();
    const results = [deferred, deferred.toPromise(), deferred.then((v) => v)];
    deferred.complete(value);
    for (const result of await Promise.all(results)) assert.strictEqual(result, value);
    assert.strictEqual(deferred.getCompleted(), value);
    const error = new Error('A');
    const failed = newCompletableDeferred();
    failed.completeExceptionally(error);
    assert.strictEqual(await failure(failed), error);
    assert.isUndefined(await failed.join());
  });

  it('fail with any value', async () => {
    await Main.ready;
    for (const value of [undefined, null, 0, 'text']) {
      const deferred = newCompletableDeferred();
      assert.isTrue(deferred.completeExceptionally(value));
      assert.equal(flags(deferred), '011');
      let got = 'nothing';
      await deferred.catch((error) => (got = error));
      assert.strictEqual(got, value);
      assert.equal(flags(deferred), '011');
    }
  });

  it('wait for what is launched below them', () =>
    onMain(2, async (scope, expect) => {
      const deferred = newCompletableDeferred(scope.job);
      scope.launch({ job: deferred }, async (inner) => {
        await inner.yield();
        expect(1);
      });
      deferred.complete('value');
      assert.equal(flags(deferred), '100');
      assert.equal(await scope.await(deferred), 'value');
      expect(2);
    }));

  it('lose their value to a failure below', () =>
    onMain(1, async (scope, expect) => {
      const error = new Error('A');
      const deferred = newCompletableDeferred();
      scope.launch({ job: deferred }, () => {
        throw error;
      });
      assert.isTrue(deferred.complete('value'));
      assert.strictEqual(await failure(scope.await(deferred)), error);
      assert.strictEqual(await failure(deferred), error);
      expect(1);
    }));

  it('serve on workers', async () => {
    await using(2, async (context) => {
      const supervisor = newSupervisorJob();
      const at = cells(context);
      const told = [];
      const handler = (error) => told.push(error.message);
      const failing = context.launch({ job: supervisor, handler }, 'fail', 'alone');
      const waiting = context.launch({ job: supervisor }, 'cleanUp', at);
      await failing.join();
      await until(() => Atomics.load(at, 0) === 1);
      await until(() => told.length > 0);
      assert.deepEqual(told, ['alone']);
      assert.equal(flags(supervisor), '100');
      await supervisor.cancelAndJoin();
      assert.equal(flags(waiting), '011');
      assert.equal(at[1], 1, 'the finally block has run');
    });
  });

  it('are refused what is no parent', async () => {
    await Main.ready;
    for (const make of [newJob, newSupervisorJob, newCompletableDeferred]) {
      await refused(() => make(5), TypeError, '`parent`', 'a Job', 'got 5');
      await refused(() => make({}), TypeError, 'an object of Object');
      await refused(() => make(null), TypeError, 'got null');
    }
  });
});

describe('invokeOnCompletion()', () => {
  it('calls in the order of registering', async () => {
    await Main.ready;
    const job = newJob();
    const calls = [];
    job.invokeOnCompletion(() => calls.push('one'));
    job.invokeOnCompletion(() => calls.push('early'), { onCancelling: true });
    const handle = job.invokeOnCompletion(() => calls.push('disposed'));
    job.invokeOnCompletion(() => calls.push('two'));
    handle.dispose();
    handle.dispose();
    job.cancel();
    assert.deepEqual(calls, ['early', 'one', 'two']);
    handle.dispose();
  });

  it('calls at once if it is late, unless told otherwise', async () => {
    await Main.ready;
    const error = new Error('A');
    const failed = newJob();
    failed.completeExceptionally(error);
    await turns();
    for (const job of [failed, newJob(failed)]) {
      const calls = [];
      for (const onCancelling of [false, true]) {
        job.invokeOnCompletion((e) => calls.push(e), { onCancelling });
        const options = { onCancelling, invokeImmediately: false };
        job.invokeOnCompletion(() => calls.push('never'), options).dispose();
      }
      assert.lengthOf(calls, 2);
      assert.strictEqual(calls[0], calls[1]);
      await turns();
      assert.lengthOf(calls, 2);
    }
  });

  it('tells a job that is cancelling of its cause', async () => {
    await Main.ready;
    const cause = new CancellationError('why');
    const job = newJob();
    const child = newJob(job);
    const waits = Main.launch({ job: child }, async (scope) => {
      await failure(scope.awaitCancellation());
    });
    await until(() => waits.isActive);
    await turns();
    job.cancel(cause);
    assert.equal(flags(job), '001');
    const calls = [];
    job.invokeOnCompletion((error) => calls.push(['early', error]), { onCancelling: true });
    assert.deepEqual(calls, [['early', cause]]);
    job.invokeOnCompletion((error) => calls.push(['end', error]));
    assert.lengthOf(calls, 1);
    await job.join();
    assert.lengthOf(calls, 2);
    assert.strictEqual(calls[1][1], cause);
  });

  it('hears of jobs that end on workers', async () => {
    await using(2, async (context) => {
      const calls = [];
      const error = await failure(
        new Promise((_resolve, reject) => {
          context.async('fail', 'there').invokeOnCompletion(reject);
        }),
      );
      assert.equal(error.constructor, RangeError);
      assert.equal(error.message, 'there');
      const at = cells(context);
      const job = context.launch('cleanUp', at);
      const disposed = job.invokeOnCompletion(() => calls.push('disposed'));
      job.invokeOnCompletion(() => calls.push('early'), { onCancelling: true });
      await until(() => Atomics.load(at, 0) === 1);
      disposed.dispose();
      job.cancel();
      // Within the call, unless the worker ends the job meanwhile.
      await until(() => calls.length > 0);
      await job.join();
      await turns(2);
      assert.deepEqual(calls, ['early']);
    });
  });

  it('reports what a function throws, and calls the others', async () => {
    await Main.ready;
    const error = new Error('of the handler');
    const calls = [];
    const errors = await uncaught(async () => {
      const job = newJob();
      job.invokeOnCompletion(() => {
        throw error;
      });
      job.invokeOnCompletion(() => calls.push('other'));
      assert.isTrue(job.complete());
      await turns(3);
    });
    assert.deepEqual(calls, ['other']);
    assert.lengthOf(errors, 1);
    assert.strictEqual(errors[0], error);
  });

  it('refuses what is no function, and no options', async () => {
    await Main.ready;
    await refused(() => newJob().invokeOnCompletion(5), TypeError, '`call`', 'got 5');
    await refused(() => newJob().invokeOnCompletion(() => {}, null), TypeError, '`options`');
  });
});

describe('scopes to keep', () => {
  it('launch below their job, with their elements', async () => {
    await Main.ready;
    const key = new ContextKey('of a scope');
    const job = newSupervisorJob();
    const told = [];
    const scope = newScope({
      job,
      handler: (error) => told.push(error),
      name: 'page',
      values: [key.with('outer')],
    });
    const error = new Error('A');
    const failing = scope.launch(() => {
      throw error;
    });
    const value = scope.async((inner) => [inner.get(key), inner.job.parent === job]);
    const own = scope.async({ values: [key.with('own')] }, (inner, n) => [inner.get(key), n], 5);
    assert.equal(failing.name, 'page');
    assert.deepEqual(await value, ['outer', true]);
    assert.deepEqual(await own, ['own', 5]);
    await failing.join();
    assert.lengthOf(told, 1);
    assert.strictEqual(told[0], error);
    assert.isTrue(scope.isActive);
    const cause = new Error('closed');
    const waiting = scope.async((inner) => inner.awaitCancellation());
    scope.cancel(cause);
    assert.isFalse(scope.isActive);
    assert.strictEqual((await failure(waiting)).cause, cause);
    let ran = false;
    const late = scope.launch(() => (ran = true));
    assert.equal(flags(late), '001');
    await late.join();
    assert.isFalse(ran);
  });

  it('get a job of their own', async () => {
    await Main.ready;
    for (const scope of [newScope(), newScope({ job: null }), newScope({ name: 'named' })]) {
      assert.isTrue(scope.isActive);
      assert.equal(scope.elements.job.constructor, CompletableJob);
      const error = new Error('A');
      const told = [];
      // A failure ends the scope, since its job is no supervisor.
      await scope
        .launch({ handler: (e) => told.push(e) }, () => {
          throw error;
        })
        .join();
      assert.isFalse(scope.isActive);
      assert.strictEqual(told[0], error);
      assert.strictEqual(scope.elements.job.getCancellationError().cause, error);
    }
  });

  it('include one without a job', async () => {
    await Main.ready;
    assert.isTrue(GlobalScope.isActive);
    await refused(() => GlobalScope.cancel(), IllegalStateError, 'GlobalScope', 'newScope()');
    await onMain(2, async (scope, expect) => {
      const job = scope.launch(() => {
        GlobalScope.launch(async (inner) => {
          await inner.yield();
          expect(2);
        });
      });
      await scope.join(job); // does not wait for it
      expect(1);
      await scope.yield();
      await scope.yield();
    });
  });

  it('are refused elements that are none', async () => {
    await Main.ready;
    await refused(() => newScope(5), TypeError, '`elements`', 'got 5');
    await refused(() => newScope(null), TypeError, '`elements`', 'got null');
    await refused(() => newScope({ job: 5 }), TypeError, '`options.job`', 'a Job or null', 'got 5');
    await refused(() => newScope({ handler: 'log' }), TypeError, '`options.handler`', "'log'");
    await refused(() => newScope().launch('add'), TypeError, 'runs functions', "'add'");
  });
});

describe('elements', () => {
  it('are found below, until they are changed', () =>
    onMain(0, async (scope) => {
      const key = new ContextKey('key');
      const same = new ContextKey('key');
      assert.isUndefined(scope.get(key));
      const job = scope.async({ values: [key.with({ of: [1] })] }, async (outer) => {
        assert.deepEqual(outer.get(same), { of: [1] });
        await outer.coroutineScope((inner) => assert.deepEqual(inner.get(key), { of: [1] }));
        await outer.withContext({ values: [key.with(undefined)] }, (inner) =>
          assert.isUndefined(inner.get(key)),
        );
        const below = outer.async({ values: [key.with('b')] }, (inner) => inner.get(key));
        assert.equal(await outer.await(below), 'b');
        // They come from who launches, whatever the parent is.
        const detached = outer.async({ job: null }, (inner) => inner.get(key));
        assert.deepEqual(await outer.await(detached), { of: [1] });
      });
      await scope.await(job);
      assert.isUndefined(scope.get(key));
    }));

  it('cross to workers, and between them', async () => {
    await using(2, async (context) => {
      const key = new ContextKey('crosses');
      const there = await context.async({ values: [key.with('value')] }, 'valueThere', 'crosses');
      assert.deepEqual(there, ['value', 'value', 'value', 'changed', 'changed', 'own', true]);
      const fromMain = Main.async({ values: [key.with([1, 'two'])] }, (scope) =>
        scope.withContext(context, 'getValue', 'crosses'),
      );
      assert.deepEqual(await fromMain, [1, 'two']);
      assert.isUndefined(await context.async('getValue', 'crosses'));
      const large = 'x'.repeat(60_000);
      const values = [key.with(large)];
      assert.equal(await context.async({ values }, 'getValue', 'crosses'), large);
    });
  });

  it('name jobs, and what they fail with', async () => {
    await using(1, async (context) => {
      const job = context.async({ name: 'named' }, 'fail', 'x');
      assert.equal(job.name, 'named');
      await failure(job);
      assert.equal(Main.launch({ name: 'local' }, () => {}).name, 'local');
      assert.equal(Main.launch(function own() {}).name, 'own');
    });
  });

  it('have a handler, which need not run', () =>
    onMain(0, async (scope) => {
      const error = new Error('A');
      const told = [];
      const handler = (e) => told.push(e);
      const nested = scope.launch({ job: null, handler }, (outer) => {
        // A handler below is not asked: the failure has an owner.
        outer.launch({ handler: () => told.push('nested') }, () => {
          throw error;
        });
      });
      await scope.join(nested);
      assert.deepEqual(told, [error]);
      const cancelled = scope.launch({ job: null, handler }, (inner) => inner.awaitCancellation());
      await scope.cancelAndJoin(cancelled);
      assert.lengthOf(told, 1);
    }));

  it('have a handler, whose own failure is reported with the other', async () => {
    await Main.ready;
    const error = new Error('A');
    const of = new Error('of the handler');
    const errors = await uncaught(async () => {
      const handler = () => {
        throw of;
      };
      await Main.launch({ handler }, () => {
        throw error;
      }).join();
      await turns(3);
    });
    assert.lengthOf(errors, 1);
    assert.strictEqual(errors[0], of);
    assert.strictEqual(errors[0].suppressed[0], error);
  });

  it('are refused if they are none', async () => {
    await Main.ready;
    const key = new ContextKey('key');
    await refused(() => new ContextKey(''), TypeError, '`name`', "got ''");
    await refused(() => new ContextKey('a\0'), TypeError, 'without zeros');
    await refused(() => new ContextKey(5), TypeError, 'got 5');
    const cases = [
      [{ name: 5 }, '`options.name`', 'got 5'],
      [{ name: 'a\0' }, '`options.name`', 'without zeros'],
      [{ handler: 5 }, '`options.handler`', 'got 5'],
      [{ job: 'job' }, '`options.job`', "got 'job'"],
      [{ values: 5 }, '`options.values`', 'an array', 'got 5'],
      [{ values: [null] }, 'ContextKey.with()', 'got null'],
      [{ values: [{ key: 'a', value: 1 }] }, 'ContextKey.with()', 'an object of Object'],
      [{ values: [key.with(() => {})] }, "key 'key'", 'function', 'Use plain data'],
    ];
    await using(1, async (context) => {
      for (const [elements, ...parts] of cases) {
        await refused(() => Main.launch(elements, () => {}), TypeError, ...parts);
        await refused(() => context.launch(elements, 'add', 1, 2), TypeError, ...parts);
        await onMain(0, async (scope) => {
          await refused(() => scope.withContext(elements, () => {}), TypeError, ...parts);
        });
      }
      await onMain(0, async (scope) => {
        await refused(() => scope.get('key'), TypeError, '`key`', "got 'key'");
      });
    });
  });
});

describe('waiting in a scope', () => {
  it('is refused for what is no job', () =>
    onMain(0, async (scope) => {
      const job = scope.launch(() => {});
      await refused(() => scope.join(5), TypeError, '`job`', 'a Job', 'got 5');
      await refused(() => scope.cancelAndJoin(5), TypeError, '`job`', 'got 5');
      await refused(() => scope.await(job), TypeError, '`job`', 'async()', 'an object of Job');
      await refused(() => scope.joinAll([job, 5]), TypeError, '`jobs`', 'got 5');
      await refused(() => scope.joinAll(5), TypeError, '`jobs`', 'an array', 'got 5');
      await refused(() => scope.awaitAll([job]), TypeError, '`jobs`', 'Deferreds');
      await refused(() => scope.awaitAll(5), TypeError, '`jobs`', 'an array', 'got 5');
    }));

  it('is refused for what is no block, and no time', () =>
    onMain(0, async (scope) => {
      for (const call of ['coroutineScope', 'supervisorScope', 'nonCancellable']) {
        await refused(() => scope[call](5), TypeError, 'a scope runs a function', 'got 5');
      }
      for (const call of ['withTimeout', 'withTimeoutOrNull']) {
        await refused(() => scope[call]('5', () => {}), TypeError, '`ms`', "got '5'");
        await refused(() => scope[call](NaN, () => {}), TypeError, '`ms`', 'got NaN');
        await refused(() => scope[call](-1, 5), TypeError, 'a scope runs a function');
      }
      const start = { start: 'soon' };
      await refused(() => scope.launch(start, () => {}), TypeError, '`options.start`', "'soon'");
    }));
});

describe('scopes of a task on a worker', () => {
  for (const workers of [1, 2]) {
    it(`wait for functions and tasks, with ${workers}`, async () => {
      await using(workers, async (context) => {
        assert.deepEqual(await context.async('scopeThere'), [
          'result',
          ['body', 'child', true, 'after'],
        ]);
        assert.deepEqual(await context.async('failingScopeThere'), [true, true]);
        assert.deepEqual(await context.async('supervisorThere'), [3, ['alone', 'RangeError']]);
      });
    });
  }

  it('have time limits', async () => {
    await using(1, async (context) => {
      assert.deepEqual(await context.async('timeoutsThere'), [
        null,
        'in time',
        'TimeoutCancellationError',
        true,
      ]);
    });
  });

  it('clean up although they are cancelled', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.launch('nonCancellableThere', at);
      await until(() => Atomics.load(at, 0) === 1);
      await job.cancelAndJoin();
      assert.equal(at[1], 1);
    });
  });

  it('refuse bad input there', async () => {
    await using(1, async (context) => {
      const [start, job, join, parent] = await context.async('badInputThere');
      assert.match(start, /^TypeError: .*'undispatched'/);
      assert.match(job, /^TypeError: .*`options.job`.* got 5$/);
      assert.match(join, /^TypeError: .*`job`.* got 'job'$/);
      assert.match(parent, /^TypeError: .*`parent`.* got 'parent'$/);
    });
  });

  it('report a failure that nobody there takes', async () => {
    const strays = [];
    const onStrayError = (error) => strays.push(error);
    await using(
      1,
      async (context) => {
        assert.deepEqual(await context.async('leaveFailure', 'left behind'), [true, true]);
        await until(() => strays.length > 0);
      },
      { onStrayError },
    );
    assert.lengthOf(strays, 1);
    assert.include(strays[0].message, 'left behind');
  });
});

describe('what is used up', () => {
  /** Runs rounds until the memory in use stays as it is; fails if it never does. */
  async function settles(round) {
    const { module } = await mainRealm();
    let calm = 0;
    for (let rounds = 0; rounds < 60 && calm < 5; rounds++) {
      const before = module._cw_memory_used();
      for (let i = 0; i < 100; i++) await round();
      litter();
      await turns();
      calm = module._cw_memory_used() === before ? calm + 1 : 0;
    }
    assert.equal(calm, 5, 'memory grows on and on');
  }

  // The core's own errors, which are not those, stay until the collector comes.
  it('is given back: jobs, handles, thrown errors, elements', async () => {
    await Main.ready;
    const realm = await mainRealm();
    const handles = realm.watched.size;
    const tokens = [...realm.openTickets()].length;
    const handler = () => {};
    const key = new ContextKey('leak');
    await settles(async () => {
      const supervisor = newSupervisorJob();
      const deferred = newCompletableDeferred(supervisor);
      const failing = Main.launch({ job: supervisor, handler, name: 'leak' }, () => {
        throw new Error('A');
      });
      const elements = { job: supervisor, values: [key.with('value')] };
      const waiting = Main.async(elements, async (scope) => {
        await scope.withTimeout(60_000, (inner) => inner.yield());
        assert.equal(scope.get(key), 'value');
        assert.strictEqual(scope.job.parent, supervisor);
        scope.launch({ start: 'lazy' }, () => {}).start();
        await scope.await(deferred);
      });
      supervisor.invokeOnCompletion(() => {}).dispose();
      supervisor.invokeOnCompletion(() => {}, { onCancelling: true });
      thrown(() => Main.launch({ handler, values: [key.with(() => {})] }, () => {}));
      await failing.join();
      deferred.complete(5);
      await waiting;
      supervisor.complete();
      await supervisor.join();
    });
    assert.equal(realm.watched.size, handles, 'handles');
    assert.lengthOf([...realm.openTickets()], tokens, 'tokens');
  });

  it('is given back, of tasks on workers, too', async () => {
    await using(2, async (context) => {
      const key = new ContextKey('leak');
      await settles(async () => {
        const values = [key.with('value')];
        // Errors that cross threads stay until the collector comes, so not those.
        const jobs = [
          context.async('handlesBelow'),
          context.async({ values }, 'valueThere', 'leak'),
          context.async('scopeThere'),
          context.async('failingScopeThere'),
        ];
        await Promise.all(jobs);
      });
      await until(() => context.stats().completed === context.stats().launched);
    });
  });
});
