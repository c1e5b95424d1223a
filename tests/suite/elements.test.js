// Scopes to keep, and the elements that scopes and jobs have.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CompletableJob,
  ContextKey,
  GlobalScope,
  IllegalStateError,
  Main,
  newScope,
  newSupervisorJob,
} from 'coworker';
import { failure, turns, uncaught, using } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';
import { refused } from './helpers/refused.js';

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
