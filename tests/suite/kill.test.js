// Jobs that may be killed, and what becomes of the rest.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  Channel,
  ContextLostError,
  Main,
  Mutex,
  Semaphore,
  TierError,
  WorkerLostError,
} from 'coworker';
import {
  addressOf,
  begun,
  cells,
  failure,
  free,
  nativeOptions,
  thrown,
  tier,
  until,
  using,
} from './helpers/contexts.js';

const killable = { grace: 5 };
const native = await nativeOptions();

/** Waits until a task of C has begun, the only one of its context. */
const begunInC = (context, array) =>
  tier === 'isolated'
    ? until(() => context.stats().idle < context.workers)
    : until(() => Atomics.load(array, 0) >= 1);

/** Waits until a context has all its workers again. */
const complete = (context) => until(() => context.stats().workers === context.workers);

describe('a job that may be killed', () => {
  for (const task of ['loopForEver', 'waitAndLoop']) {
    it(`ends although it never looks: ${task}`, () =>
      using(2, async (context) => {
        const array = cells(context);
        const job = context.async({ killable }, task, array);
        await begun(array);
        const others = [1, 2, 3].map((i) => context.async('add', i, i));
        job.cancel(new Error('enough'));
        const error = await failure(job);
        assert.instanceOf(error, WorkerLostError);
        assert.match(
          error.message,
          new RegExp(
            `worker 'test-[12]' was killed after the time of grace while it ran '${task}'`,
          ),
        );
        assert.equal(error.cause.cause.message, 'enough');
        assert.isTrue(job.isCancelled);
        assert.deepEqual(await Promise.all(others), [2, 4, 6]);
        await complete(context);
        assert.equal(context.stats().lost, 1);
      }));
  }

  it('is known to be gone, also if it was the first thing that its thread ran', () =>
    using(
      1,
      async (context) => {
        for (let round = 1; round <= 2; round++) {
          const array = cells(context);
          const job = context.async({ killable }, 'loopForEver', array);
          await begun(array);
          job.cancel();
          await failure(job);
        }
        await until(() => context.stats().undead === 0);
        assert.equal(context.stats().lost, 2);
      },
      { ready: false },
    ));

  it('ends by its timeout', () =>
    using(1, async (context) => {
      const error = await failure(context.async({ timeout: 5, killable }, 'loopForEver'));
      assert.instanceOf(error, WorkerLostError);
      assert.equal(error.cause.name, 'TimeoutCancellationError');
      assert.equal(await context.async('add', 1, 2), 3);
    }));

  it('is left alone if it ends in time', () =>
    using(1, async (context) => {
      const array = cells(context);
      const job = context.async({ killable: { grace: 60_000 } }, 'waitForNews', array, 0);
      await begun(array);
      job.cancel();
      assert.equal((await failure(job)).name, 'CancellationError');
      assert.equal(context.stats().lost, 0);
    }));

  it('takes its children along', () =>
    using(3, async (context) => {
      const array = cells(context);
      const job = context.async({ killable: { grace: 200 } }, 'launchLoops', array);
      await begun(array);
      // Where the children are on one worker, the other one does not come to begin.
      if (tier !== 'isolated') await begun(array, 1);
      job.cancel();
      await failure(job);
      assert.isAtLeast(context.stats().lost, 1); // and others that are slow to end
      await complete(context);
    }));

  it('has what had begun on its worker end, and leaves alone what had not', () =>
    using(1, async (context) => {
      const array = cells(context);
      const waiting = context.async('waitForNews', array, 1);
      await begun(array, 1);
      const job = context.async({ killable }, 'loopForEver', array);
      await begun(array);
      const queued = [1, 2, 3].map((i) => context.async('add', i, i));
      job.cancel();
      const error = await failure(waiting);
      assert.instanceOf(error, WorkerLostError);
      assert.include(error.message, "while it ran 'waitForNews'");
      assert.deepEqual(await Promise.all(queued), [2, 4, 6]);
    }));

  it('gives its place in a view to the next one', () =>
    using(1, async (context) => {
      const array = cells(context);
      const view = context.limitedParallelism(1, 'outer');
      const job = view.async({ killable }, 'loopForEver', array);
      await begun(array);
      const next = [1, 2].map((i) => view.async('add', i, i));
      job.cancel();
      assert.instanceOf(await failure(job), WorkerLostError);
      assert.deepEqual(await Promise.all(next), [2, 4]);
      assert.equal(await view.async('add', 3, 3), 6);
    }));

  it('is killed below a function of this thread', () =>
    using(1, async (context) => {
      const array = cells(context);
      const outer = Main.async({ killable }, async (scope) => {
        await scope.async(context, 'loopForEver', array);
      });
      await begun(array);
      outer.cancel();
      assert.instanceOf(await failure(outer), WorkerLostError);
      assert.equal(await context.async('add', 1, 2), 3);
    }));

  it('releases who waits for it at a channel', () =>
    using(2, async (context) => {
      const array = cells(context);
      const channel = new Channel();
      const job = context.async({ killable }, 'loopForEver', array);
      await begun(array);
      const receiving = context.async('receiveOne', channel);
      job.cancel();
      await failure(job);
      await channel.send('still works');
      assert.equal(await receiving, 'still works');
    }));

  it('has delivered what it sent before', () =>
    using(1, async (context) => {
      const array = cells(context);
      const channel = new Channel(1);
      const job = context.async({ killable: { grace: 0 } }, 'sendAndLoop', channel, array);
      await begun(array, 1);
      Atomics.store(array, 2, 1);
      // This thread hears of nothing from before the message is sent to the kill.
      while (Atomics.load(array, 0) === 0);
      job.cancel();
      for (let i = 0; i < 100; i++) await null;
      for (const end = performance.now() + 30; performance.now() < end;);
      assert.instanceOf(await failure(job), WorkerLostError);
      assert.equal(String((await channel.receive()).pattern), '/sent/');
    }));

  for (const loops of [true, false]) {
    it(`gives its permit back, and poisons its mutex: ${loops ? 'killed' : 'crashed'}`, () =>
      using(2, async (context) => {
        const array = cells(context);
        const [semaphore, mutex] = [new Semaphore(1), new Mutex()];
        const job = context.async({ killable }, 'crashWithin', semaphore, mutex, array, loops);
        await begun(array);
        const waiting = Main.async((scope) => semaphore.withPermit(scope, () => 'here'));
        if (loops) job.cancel();
        const error = await failure(job);
        if (!loops) assert.equal(error.message, 'within');
        assert.equal(await waiting, 'here');
        assert.equal(semaphore.availablePermits, 1);
        assert.isTrue(mutex.isPoisoned);
      }));
  }

  it('can be killed again and again', () =>
    using(
      2,
      async (context) => {
        for (let round = 0; round < 10; round++) {
          const array = cells(context);
          const jobs = [0, 1].map(() => context.async({ killable }, 'loopForEver', array));
          await until(() => Atomics.load(array, 0) === 1);
          for (const job of jobs) job.cancel();
          await Promise.all(jobs.map(failure));
          assert.equal(await context.async('add', round, 1), round + 1);
          free(context, array);
        }
        await complete(context);
        assert.isAtMost(context.stats().lost, 20);
        assert.isAtLeast(context.stats().lost, 10);
      },
      { losses: { count: 100, period: 60_000 } },
    ));

  for (const busy of [0, 1]) {
    it(`ends with the worker that it waits on, while ${busy ? 'all others are busy' : 'there is no other'}`, () =>
      using(1 + busy, async (context) => {
        const array = cells(context);
        let replaced = false;
        context.addEventListener('workerreplaced', () => (replaced = true));
        const others = [1, 2].slice(0, busy).map(() => context.async('block', array, 7));
        await until(() => context.stats().idle === 1);
        const waiting = ['waitForNews', 'waitInside'].map((task) =>
          context.async({ killable }, task, array, 1),
        );
        await begun(array, 1, 2);
        const job = context.async({ killable }, 'loopForEver', array);
        await begun(array);
        const jobs = [job, ...waiting];
        for (const one of jobs) one.cancel();
        for (const error of await Promise.all(jobs.map(failure))) {
          assert.instanceOf(error, WorkerLostError);
        }
        assert.isFalse(replaced);
        Atomics.store(array, 7, 1);
        await Promise.all(others);
        assert.equal(await context.async('add', 1, 2), 3);
      }));
  }

  it('ends without a worker if it has not begun', () =>
    using(1, async (context) => {
      const array = cells(context);
      const view = context.limitedParallelism(1, 'narrow');
      const busy = view.async('block', array, 7);
      const jobs = [context, view].map((place) => place.async({ killable }, 'add', 1, 2));
      const outer = Main.async({ killable }, (scope) =>
        scope.async(context, 'echo', { a: new Map() }),
      );
      for (const job of [...jobs, outer]) {
        job.cancel(new Error('enough'));
        const error = await failure(job);
        assert.equal(error.name, 'CancellationError');
        assert.equal(error.cause.message, 'enough');
      }
      assert.isFalse(busy.isCompleted);
      Atomics.store(array, 7, 1);
      await busy;
      assert.equal(await view.async('add', 1, 2), 3);
      assert.equal(context.stats().lost, 0);
    }));

  it('has to say how long it may take', () =>
    using(1, (context) => {
      if (tier === 'inline') {
        const error = thrown(() => context.launch({ killable }, 'add', 1, 2));
        assert.instanceOf(error, TierError);
        assert.include(error.message, '`options.killable`');
      }
      assert.match(
        thrown(() => context.launch({ killable: true }, 'add', 1, 2)).message,
        /expected `options.killable` to be an object { grace }, got true/,
      );
      assert.match(
        thrown(() => context.launch({ killable: { grace: -1 } }, 'add', 1, 2)).message,
        /expected `options.killable.grace` to be a number from 0/,
      );
    }));

  it('closes a context that loses too many', () =>
    using(
      1,
      async (context) => {
        const array = cells(context);
        const job = context.async({ killable }, 'loopForEver', array);
        await begun(array);
        const queued = context.async('add', 1, 2);
        job.cancel();
        await failure(job);
        assert.exists(await failure(queued));
        assert.instanceOf(
          thrown(() => context.async('add', 1, 2)),
          ContextLostError,
        );
      },
      { losses: { count: 0, period: 1000 } },
    ));

  it('lets parents elsewhere fail with the context that their children are in', () =>
    using(
      2,
      async (context) => {
        const array = cells(context);
        const parent = Main.async(async (scope) => {
          scope.launch(context, 'loopForEver', array);
          await begun(array);
          const second = cells(context);
          const other = context.async({ killable }, 'loopForEver', second);
          await begun(second);
          other.cancel();
        });
        assert.instanceOf(await failure(parent), ContextLostError);
      },
      { losses: { count: 0, period: 1000 } },
    ));
});

describe('a job in C that may be killed', () => {
  // Where memory is shared the worker is hit now at an open gate, now at a closed one.
  const many = tier === 'shared' ? 5 : 1;
  const rounds = { loop_for_ever: 1, allocate_for_ever: many, launch_for_ever: many };
  for (const [task, count] of Object.entries(rounds)) {
    it(`ends although it never looks: ${task}`, () =>
      using(
        2,
        async (context) => {
          for (let round = 0; round < count; round++) {
            const array = cells(context);
            const job = context.async({ killable }, task, addressOf(array));
            await begunInC(context, array);
            job.cancel();
            const error = await failure(job);
            assert.instanceOf(error, WorkerLostError);
            assert.include(error.message, `while it ran '${task}'`);
            assert.equal(await context.async('fib', 8), 21);
          }
        },
        native,
      ));
  }
});
