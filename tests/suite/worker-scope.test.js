// Tasks that are bound to one worker.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { ContextClosedError, Main, TierError, WorkerLostError } from 'coworker';
import { begun, cells, failure, nativeOptions, open, thrown, using } from './helpers/contexts.js';

const killable = { grace: 5 };
const native = await nativeOptions();

describe('the scope of a worker', () => {
  it('runs tasks on that worker, with all that they launch', () =>
    using(3, async (context) => {
      const jobs = [0, 1, 2, 0, 1, 2].map((index) => context.workerScope(index).async('whereAll'));
      const names = await Promise.all(jobs);
      names.forEach((list, i) => {
        assert.deepEqual([...new Set(list)], [`test-${(i % 3) + 1}`]);
        assert.lengthOf(list, 7);
      });
    }));

  it('launches, in order, for effects and for results', () =>
    using(2, async (context) => {
      const scope = context.workerScope(1);
      assert.equal(scope.worker, 'test-2');
      assert.equal(scope.index, 1);
      assert.isTrue(scope.isActive);
      const array = cells(context);
      const job = scope.launch('wait', array);
      await begun(array);
      assert.equal(await scope.async({ timeout: 60_000 }, 'add', 1, 2), 3);
      assert.deepEqual(await scope.withContext('where'), ['test-2', 'where']);
      assert.match((await failure(scope.async('fail', 'no'))).message, /^no$/);
      assert.isTrue(job.isActive);
      job.cancel();
      await job.join();
      assert.isTrue(scope.isActive);
    }));

  it('is the same one until it is cancelled, which leaves the worker alone', () =>
    using(1, async (context) => {
      const scope = context.workerScope(0);
      assert.strictEqual(context.workerScope(0), scope);
      const array = cells(context);
      const jobs = [0, 1].map(() => scope.async('wait', array));
      await begun(array, 0, 2);
      scope.cancel(new Error('enough'));
      for (const job of jobs) assert.equal((await failure(job)).cause.message, 'enough');
      await scope.job.join();
      assert.isFalse(scope.isActive);
      assert.equal((await failure(scope.async('add', 1, 2))).cause.message, 'enough');
      const next = context.workerScope(0);
      assert.notStrictEqual(next, scope);
      assert.equal(await next.async('add', 1, 2), 3);
      assert.equal(context.stats().lost, 0);
    }));

  it('ends as a unit with the worker; the next one has another', () =>
    using(
      2,
      async (context) => {
        const array = cells(context);
        const [scope, other] = [0, 1].map((index) => context.workerScope(index));
        const apart = other.async('wait', array, 3);
        const waiting = [
          scope.async('waitForNews', array, 1),
          scope.async('wait_and_mark', array.byteOffset + 16),
        ];
        for (const index of [1, 3, 5]) await begun(array, index);
        const loop = scope.async({ killable }, 'loopForEver', array);
        await begun(array);
        const queued = scope.async('add', 1, 2);
        const elsewhere = context.async('add', 1, 2);
        const replaced = new Promise((done) => context.addEventListener('workerreplaced', done));
        loop.cancel();
        for (const job of [loop, ...waiting, queued]) {
          const error = await failure(job);
          assert.instanceOf(error, WorkerLostError);
          assert.match(error.message, /^coworker: worker 'test-1' was (killed|lost)/);
        }
        assert.equal(Atomics.load(array, 4), 1); // what waits in C cleans up
        await scope.job.join();
        assert.isFalse(scope.isActive);
        assert.instanceOf(await failure(scope.async('add', 1, 2)), WorkerLostError);
        assert.equal(await elsewhere, 3);
        assert.isTrue(apart.isActive);
        assert.strictEqual(context.workerScope(1), other);
        const next = context.workerScope(0);
        assert.notStrictEqual(next, scope);
        assert.deepEqual(await next.async('where'), ['test-1', 'where']);
        assert.equal((await replaced).index, 0);
        apart.cancel();
        await failure(apart);
      },
      native,
    ));

  it('can be where a function of this thread has its work done', () =>
    using(2, async (context) => {
      const names = await Main.async(async (scope) => {
        const there = context.workerScope(1);
        return scope.await(there.async('where'));
      });
      assert.equal(names[0], 'test-2');
    }));

  it('ends with its context', async () => {
    const context = await open(2);
    const array = cells(context);
    const scope = context.workerScope(1);
    const job = scope.async('wait', array);
    await begun(array);
    const closed = context.close({ cancel: true });
    assert.instanceOf((await failure(job)).cause, ContextClosedError);
    await closed;
    for (const call of [() => scope.launch('add', 1, 2), () => context.workerScope(1)]) {
      assert.instanceOf(thrown(call), ContextClosedError);
    }
  });

  it('needs the number of a worker', () =>
    using(3, (context) => {
      for (const bad of [-1, 3, 0.5, NaN]) {
        const error = thrown(() => context.workerScope(bad));
        assert.instanceOf(error, RangeError);
        assert.equal(
          error.message,
          `coworker: expected \`index\` to be an integer from 0 to 2, got ${bad}`,
        );
      }
      assert.instanceOf(
        thrown(() => context.workerScope('1')),
        TypeError,
      );
      assert.throws(() => context.workerScope(0).launch('nothing'), /has no task 'nothing'/);
    }));
});

describe('where workers share nothing', () => {
  for (const tier of ['isolated', 'inline']) {
    it(`there are no scopes of workers: ${tier}`, () =>
      using(
        2,
        (context) => {
          const error = thrown(() => context.workerScope(0));
          assert.instanceOf(error, TierError);
          assert.match(error.message, new RegExp(`'test' runs in tier '${tier}'`));
        },
        { tier },
      ));
  }
});
