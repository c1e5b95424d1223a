// What is particular to the tiers; that they have the same rules is what all the
// other files are for, in each of them.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  Channel,
  ContextKey,
  Main,
  Mutex,
  TierError,
  TimeoutCancellationError,
  WorkerLostError,
  diagnose,
  newFixedWorkerContext,
  setDefaultTier,
} from 'coworker';
import {
  cells,
  failure,
  inPage,
  open,
  tasks,
  thrown,
  tier,
  turns,
  until,
  using,
  worker,
} from './helpers/contexts.js';

const here = (wanted) => ({ skip: tier !== wanted && `is about tier '${wanted}'` });

describe('a tier', () => {
  it('is told by the context', () =>
    using(1, (context) => {
      assert.equal(context.tier, tier);
    }));

  for (const wanted of ['shared', 'isolated', 'inline']) {
    it(`can be asked for: ${wanted}`, () =>
      using(
        2,
        async (context) => {
          assert.equal(context.tier, wanted);
          assert.equal(await context.async('add', 1, 2), 3);
          const [name] = await context.async('where');
          assert.match(name, /^test-[12]$/);
        },
        { tier: wanted },
      ));
  }

  it('is refused if there is no such', async () => {
    const error = await failure(newFixedWorkerContext(1, 'w', { tier: 'best' }));
    assert.equal(error.constructor, TypeError);
    assert.include(error.message, "got 'best'");
    assert.equal(thrown(() => setDefaultTier('best')).constructor, TypeError);
  });

  it('without workers needs the tasks, and says so', async () => {
    const error = await failure(newFixedWorkerContext(1, 'w', { tier: 'inline', worker }));
    assert.instanceOf(error, TierError);
    assert.equal(error.tier, 'inline');
    assert.equal(error.code, 'CW_ENOTSUP');
    assert.include(error.message, "tasks: () => import('./tasks.js')");
  });

  it('takes the tasks as they are, too', async () => {
    const context = await open(1, { tier: 'inline', tasks: await tasks() });
    assert.equal(await context.async('add', 1, 2), 3);
    const wrong = await failure(open(1, { tier: 'inline', tasks: () => Promise.resolve(5) }));
    assert.equal(wrong.constructor, TypeError);
    const none = await failure(newFixedWorkerContext(1, 'w', { tasks: 5 }));
    assert.include(none.message, 'options.tasks');
  });

  it('has its contexts in one tree with Main', () =>
    using(2, async (context) => {
      await Main.ready;
      const error = await failure(
        Main.async(async (scope) => {
          scope.launch(context, 'failLater', 'first');
          await scope.await(scope.async(context, 'wait'));
        }),
      );
      assert.equal(error.constructor, RangeError);
      assert.equal(error.message, 'first');
    }));

  it('copies arguments and results', () =>
    using(1, async (context) => {
      const value = { list: [1, 2], map: new Map([['a', { b: 1 }]]) };
      const first = context.async('echo', value);
      value.list.push(3);
      const echoed = await first;
      assert.deepEqual(echoed, { list: [1, 2], map: new Map([['a', { b: 1 }]]) });
      assert.notEqual(echoed.map, value.map);
    }));

  it('gives tasks the values that they inherit', () =>
    using(2, async (context) => {
      const key = new ContextKey('tiers.key');
      const values = [key.with({ id: 7 })];
      assert.deepEqual(await context.async({ values }, 'getValue', 'tiers.key'), { id: 7 });
      await Main.ready;
      const below = Main.async({ values }, (scope) =>
        scope.await(scope.async(context, 'getValue', 'tiers.key')),
      );
      assert.deepEqual(await below, { id: 7 });
    }));
});

describe('diagnose()', () => {
  it('tells the tier of a context', async () => {
    const report = await diagnose({ tasks });
    assert.equal(report.tier, tier);
    assert.deepEqual(
      report.reasons.map(({ code }) => code),
      tier === 'shared' ? [] : ['asked'],
    );
  });

  it('tells of options that are missing', async () => {
    const { tier: none, reasons } = await diagnose({ tier: 'inline' });
    assert.isUndefined(none);
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['asked', 'option'],
    );
    assert.include(reasons[1].fix, 'tasks:');
    const solo = await diagnose({ tier: 'isolated', worker, module: () => {} });
    assert.isUndefined(solo.tier);
    assert.include(solo.reasons[1].fix, 'soloModule');
  });

  it('tells of memory that is refused', async () => {
    const { Memory } = WebAssembly;
    const limit = (most) => {
      WebAssembly.Memory = function (wanted) {
        if (wanted.maximum > most * 16) throw new RangeError('too much');
        return new Memory(wanted);
      };
    };
    try {
      limit(64);
      const less = await diagnose({ tasks, memory: 16, maximumMemory: 200 });
      assert.equal(less.tier, tier);
      assert.equal(less.reasons.at(-1).code, 'memory');
      assert.include(less.reasons.at(-1).message, 'room for 50 MiB');
      limit(8);
      const none = await diagnose({ tasks, memory: 16 });
      assert.isUndefined(none.tier);
      assert.equal(none.reasons.at(-1).code, 'memory');
    } finally {
      WebAssembly.Memory = Memory;
    }
  });

  it('checks its options', async () => {
    assert.equal((await failure(diagnose({ memory: 1 }))).constructor, RangeError);
  });
});

describe('workers that share nothing', here('isolated'), () => {
  it('get no memory, and no handles', () =>
    using(1, async (context) => {
      const errors = [
        thrown(() => context.allocate(Int32Array, 4)),
        thrown(() => context.launch('echo', new Channel())),
        thrown(() => context.launch('echo', { deep: [new Mutex()], regexp: /x/ })),
        await failure(context.async('makeChannel')),
      ];
      for (const error of errors) {
        assert.instanceOf(error, TierError);
        assert.equal(error.tier, 'isolated');
        assert.include(error.message, "tier 'isolated'");
      }
      assert.equal(await context.async('add', 1, 1), 2);
    }));

  it('have one task each until it waits', () =>
    using(2, async (context) => {
      const at = cells(context, 2);
      const busy = context.async('block', at);
      const others = Array.from({ length: 20 }, () => context.async('where'));
      const names = new Set((await Promise.all(others)).map(([name]) => name));
      assert.equal(names.size, 1);
      Atomics.store(at, 0, 1);
      await busy;
    }));

  it('get no more at once than fits what their last tasks took', () =>
    using(2, async (context) => {
      const at = cells(context, 2);
      const where = (count) =>
        Promise.all(Array.from({ length: count }, () => context.async('where')));
      const busy = context.async('block', at, 0);
      await where(300); // so quick that the other one gets many at once
      const slow = context.async('block', at, 1);
      const others = where(60);
      setTimeout(() => Atomics.store(at, 1, 1), 30); // so slow that it gets one
      const names = new Set((await others).map(([name]) => name));
      assert.equal(names.size, 1);
      Atomics.store(at, 0, 1);
      await Promise.all([busy, slow]);
    }));

  it('get a task if they have none, however short the last ones of another one were', () =>
    using(2, async (context) => {
      const at = cells(context, 2);
      const busy = context.async('block', at, 0);
      await Promise.all(Array.from({ length: 300 }, () => context.async('where')));
      Atomics.store(at, 0, 1);
      await busy; // one of them gets many at once from now on, the other one does not
      const slow = context.async('waitForCell', at, 1);
      await context.async('where');
      Atomics.store(at, 1, 1);
      Atomics.notify(at, 1);
      assert.equal(await slow, 1, 'it waited until it timed out');
    }));

  it('keep to the limit of a view', () =>
    using(3, async (context) => {
      const at = cells(context, 2);
      const view = context.limitedParallelism(1, 'view');
      const first = view.async('block', at);
      const second = view.async('where');
      assert.isArray(await context.async('where')); // the others are free
      assert.isFalse(second.isCompleted);
      Atomics.store(at, 0, 1);
      assert.isArray(await second);
      await first;
    }));

  it('run what a task launches, and end with it', () =>
    using(2, async (context) => {
      const error = await failure(context.async('family', 4, 1, 1));
      assert.equal(error.constructor, RangeError);
    }));

  it('cancel what is below a job', () =>
    using(1, async (context) => {
      const at = cells(context);
      const job = context.async('tree', 2, at);
      await until(() => Atomics.load(at, 0) === 4);
      job.cancelChildren('below');
      await job.join();
      assert.isFalse(job.isCancelled);
    }));

  it('clean up, and tell what they have met', () =>
    using(1, async (context) => {
      const job = context.async('wait');
      await turns(2);
      job.cancel(new RangeError('why'));
      const error = await failure(job);
      assert.instanceOf(error, CancellationError);
      assert.equal(error.cause.message, 'why');
      const late = await failure(context.async({ timeout: 5 }, 'wait'));
      assert.instanceOf(late, TimeoutCancellationError);
    }));

  it('are replaced when they are lost', { skip: inPage && 'pages are not told' }, () =>
    using(2, async (context) => {
      const lost = context.async('die');
      const waiting = context.async('delayAndReturn', 50, 'value');
      const error = await failure(lost);
      assert.instanceOf(error, WorkerLostError);
      assert.match(error.message, /worker 'test-[12]' died .* while it ran 'die'/);
      const other = await Promise.allSettled([waiting]);
      assert.isTrue(
        other[0].value === 'value' || other[0].reason instanceof WorkerLostError,
        String(other[0].reason),
      );
      await until(() => context.stats().workers === 2);
      const sums = Array.from({ length: 50 }, (_, i) => context.async('add', i, 1));
      assert.lengthOf(await Promise.all(sums), 50);
    }),
  );

  it('begin what was sent to a lost one elsewhere, once', () =>
    using(2, async (context) => {
      // Short ones, so that many are sent at a time.
      await Promise.all(Array.from({ length: 500 }, (_, i) => context.async('add', i, i)));
      const at = cells(context, 128);
      const loops = [0, 1].map(() =>
        context.async({ killable: { grace: 5 } }, 'loopForEver', at.subarray(100, 101)),
      );
      const notes = Array.from({ length: 40 }, (_, i) => context.async('note', at, i));
      const maps = Array.from({ length: 5 }, (_, i) => context.async('echo', new Map([[i, i]])));
      await until(() => Atomics.load(at, 100) === 1);
      for (const loop of loops) loop.cancel();
      for (const loop of loops) assert.instanceOf(await failure(loop), CancellationError);
      await Promise.all(notes);
      assert.equal(at[0], 40);
      assert.deepEqual(
        [...at.slice(1, 41)].sort((a, b) => a - b),
        notes.map((_, i) => i),
      );
      const values = await Promise.all(maps);
      assert.deepEqual(
        values.map((map) => [...map]),
        maps.map((_, i) => [[i, i]]),
      );
      assert.isAtLeast(context.stats().lost, 1);
    }));

  it('end with all that they run when a context is closed in time', async () => {
    const context = await open(1);
    const at = cells(context);
    const waits = context.async('waitForNews', at, 1);
    await until(() => Atomics.load(at, 1) === 1);
    const loops = context.async('loopForEver', at);
    await until(() => Atomics.load(at, 0) === 1);
    const queued = context.async('add', 1, 2);
    await context.close({ cancel: true, grace: 5 });
    const error = await failure(loops);
    assert.instanceOf(error, WorkerLostError);
    assert.include(error.message, "was killed, since its context was closed, while it ran 'loop");
    assert.instanceOf(await failure(waits), WorkerLostError);
    assert.equal((await failure(queued)).constructor, CancellationError);
    assert.equal(context.stats().workers, 0);
  });

  it('end with a context that fails', async () => {
    const context = await open(2);
    const jobs = [context.async('wait'), context.async('wait')];
    jobs.push({ then: undefined });
    await turns(2);
    await context.close({ cancel: true });
    for (const job of jobs.slice(0, 2)) {
      assert.instanceOf(await failure(job), CancellationError);
    }
    assert.equal(context.stats().workers, 0);
  });

  it('take many tasks in few messages', () =>
    using(2, async (context) => {
      const jobs = Array.from({ length: 3000 }, (_, i) => context.async('echo', i));
      const values = await Promise.all(jobs);
      assert.deepEqual(
        values,
        jobs.map((_, i) => i),
      );
      const { launched, completed } = context.stats();
      assert.deepEqual([launched, completed], [3000, 3000]);
    }));

  it('take large arguments, and give large results', () =>
    using(1, async (context) => {
      const large = Float64Array.from({ length: 200_000 }, (_, i) => i);
      const echoed = await context.async('echo', large);
      assert.deepEqual(echoed, large);
    }));
});

describe('tasks on the page', here('inline'), () => {
  it('get arrays by reference', () =>
    using(1, async (context) => {
      const array = context.allocate(Int32Array, 4);
      await context.async('fill', array, 7);
      assert.deepEqual([...array], [7, 7, 7, 7]);
      context.free(array);
    }));

  it('do not get arrays in memory that may grow', () =>
    using(
      1,
      (context) => {
        const error = thrown(() => context.allocate(Int32Array, 4));
        assert.instanceOf(error, TierError);
        assert.include(error.message, 'maximumMemory');
      },
      { memory: 64, maximumMemory: 128 },
    ));

  it('let the event loop have its turns', () =>
    using(2, async (context) => {
      let passed = 0;
      const timer = setInterval(() => passed++);
      const jobs = Array.from({ length: 20 }, () => context.async('busyTooLong', 3));
      await Promise.all(jobs);
      clearInterval(timer);
      assert.isAbove(passed, 0);
    }));
});
