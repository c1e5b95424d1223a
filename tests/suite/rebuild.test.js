// A context whose runtime has failed on a worker.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { ContextLostError, Main } from 'coworker';
import {
  begun,
  cells,
  failure,
  nativeOptions,
  open,
  thrown,
  until,
  using,
} from './helpers/contexts.js';

const native = await nativeOptions();

const event = (context, type) =>
  new Promise((resolve) => context.addEventListener(type, resolve, { once: true }));

/** Lets a worker die inside of the runtime; gives the error that the job ended with. */
const breakDown = (context) => failure(context.async('trap_in_the_library', 1));

function assertLost(error) {
  assert.instanceOf(error, ContextLostError);
  assert.match(
    error.message,
    /^coworker: context 'test' is lost: worker 'test(-\d)?' stopped inside of the runtime: /,
  );
}

describe('a context that a worker has died in', () => {
  it('ends all its jobs, and goes on with new workers', () =>
    using(
      3,
      async (context) => {
        assert.equal(context.generation, 1);
        const array = cells(context);
        const view = context.limitedParallelism(1, 'view');
        const scope = context.workerScope(0);
        const jobs = [
          context.async('waitForNews', array, 1),
          context.async('wait_and_mark', array.byteOffset + 16),
          context.async({ job: null }, 'wait', array, 2),
          scope.async('wait', array, 3),
        ];
        for (const index of [1, 2, 3, 5]) await begun(array, index);
        jobs.push(view.async('block', array, 7), view.async('add', 1, 2));
        const lost = event(context, 'workerlost');
        const rebuilt = event(context, 'contextrebuilt');
        for (const error of [await breakDown(context), ...(await Promise.all(jobs.map(failure)))]) {
          assertLost(error);
        }
        assert.equal(context.generation, 2);
        const after = [view, context, context.workerScope(2)].map((place) =>
          place.async('add', 1, 2),
        );
        assert.deepEqual(await Promise.all(after), [3, 3, 3]);
        assert.match((await lost).reason, /unreachable/i);
        assert.equal((await rebuilt).generation, 2);
        assert.isFalse(context.isClosed);
        assert.isFalse(scope.isActive);
        assert.notStrictEqual(context.workerScope(0), scope);
        assertLost(thrown(() => scope.async('add', 1, 2)));
        assert.equal(context.stats().workers, 3);
        assert.equal(context.stats().lost, 0);
      },
      native,
    ));

  it('lets others go on that wait for its jobs', () =>
    using(
      2,
      async (context) => {
        const array = cells(context);
        // Each time the workers are ended at other places of the core.
        for (let generation = 2; generation <= 5; generation++) {
          let waits;
          const outer = Main.async(async (scope) => {
            waits = scope.launch(context, 'wait', array);
            await scope.async(context, 'trap_in_the_library', 1);
          });
          assert.exists(await failure(outer));
          assert.isTrue(waits.isCompleted);
          assert.equal(await context.async('fib', 8), 21);
          assert.equal(context.generation, generation);
        }
      },
      { ...native, losses: { count: 100, period: 1000 } },
    ));

  it('leaves other contexts alone', () =>
    using(
      1,
      (context) =>
        using(
          1,
          async (other) => {
            const array = cells(other);
            const job = other.async('block', array);
            await breakDown(context);
            assert.isTrue(job.isActive);
            Atomics.store(array, 0, 1);
            await job;
            assert.equal(other.generation, 1);
          },
          native,
        ),
      native,
    ));

  it('may be lost again; nothing of what comes late is taken for the new one', () =>
    using(
      2,
      async (context) => {
        let leaked = 0;
        for (let generation = 1; generation <= 4; generation++) {
          assert.equal(context.generation, generation);
          assert.isAtLeast(context.stats().leaked, leaked, 'of all generations');
          ({ leaked } = context.stats());
          const rebuilt = event(context, 'contextrebuilt');
          const old = Array.from({ length: 50 }, (_, i) => context.async('add', i, i));
          const ends = Promise.allSettled(old);
          const broken = breakDown(context);
          assertLost(await broken);
          const sums = Array.from({ length: 50 }, (_, i) => context.async('add', i, generation));
          (await Promise.all(sums)).forEach((sum, i) => assert.equal(sum, i + generation));
          (await ends).forEach(({ value, reason }, i) => {
            if (reason) assertLost(reason);
            else assert.equal(value, 2 * i);
          });
          await rebuilt;
        }
      },
      native,
    ));

  it('fails for good if that happens too often', () =>
    using(
      1,
      async (context) => {
        assertLost(await breakDown(context));
        assert.equal(await context.async('add', 1, 2), 3);
        await until(() => context.generation === 2);
        const waiting = context.async('wait');
        assertLost(await breakDown(context));
        assertLost(await failure(waiting));
        assertLost(thrown(() => context.launch('add', 1, 2)));
        assert.isTrue(context.isClosed);
      },
      { ...native, losses: { count: 1, period: 60_000 } },
    ));

  it('can be closed as ever', async () => {
    const context = await open(2, native);
    assertLost(await breakDown(context));
    const job = context.async('add', 1, 2);
    await context.close();
    assert.equal(await job, 3);
    assert.isTrue(context.isClosed);
    const other = await open(2, native);
    const broken = breakDown(other);
    const closed = other.close();
    assertLost(await broken);
    await closed;
    assert.equal(other.generation, 1);
  });
});
