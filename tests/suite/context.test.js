// Opening contexts, looking at them, and closing them.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  ContextClosedError,
  ContextLostError,
  CoworkerError,
  FixedWorkerContext,
  WorkerLostError,
  newFixedWorkerContext,
  newJob,
} from 'coworker';
import {
  cells,
  failure,
  helperUrl,
  inPage,
  tier,
  open,
  thrown,
  turns,
  until,
  using,
  worker,
} from './helpers/contexts.js';

/** The names of the workers that run tasks: as many as take one at a time. */
async function workerNames(context) {
  const gate = cells(context);
  // Each worker is held until all of them have come.
  const jobs = Array.from({ length: context.workers }, () =>
    context.async('meet', gate, context.workers),
  );
  const names = await Promise.all(jobs);
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

describe('opening a context', () => {
  for (const workers of [1, 2, 8]) {
    it(`starts ${workers} of ${workers} workers, by name`, async () => {
      await using(workers, async (context) => {
        assert.instanceOf(context, FixedWorkerContext);
        assert.equal(context.name, 'test');
        assert.equal(context.workers, workers);
        const names =
          workers === 1 ? ['test'] : Array.from({ length: workers }, (_, i) => `test-${i + 1}`);
        assert.deepEqual(await workerNames(context), names);
      });
    });
  }

  it('takes jobs before its workers are ready', async () => {
    const context = await open(2, { ready: false });
    const early = context.async('add', 1, 2);
    assert.equal(await early, 3);
    await context.ready;
    await context.close();
  });

  it('gives one promise for being ready, of nothing', async () => {
    const context = await open(1, { ready: false });
    assert.equal(context.ready, context.ready);
    assert.equal(await context.ready, undefined);
    await context.close();
  });

  it('takes names in any script', async () => {
    await using(
      1,
      async (context) => {
        assert.deepEqual(await context.async('where'), ['рабочий 🛠', 'where']);
      },
      { name: 'рабочий 🛠' },
    );
  });

  it('has two contexts at once, each with its workers', async () => {
    await using(
      2,
      async (one) => {
        await using(
          2,
          async (two) => {
            const jobs = [];
            for (let i = 0; i < 50; i++) {
              jobs.push(one.async('where'), two.async('where'));
            }
            const results = await Promise.all(jobs);
            results.forEach(([name], index) => {
              assert.match(name, index % 2 ? /^two-[12]$/ : /^one-[12]$/);
            });
          },
          { name: 'two' },
        );
        assert.equal(await one.async('add', 1, 1), 2);
      },
      { name: 'one' },
    );
  });

  const wrong = [
    ['workers', [0, 'w'], RangeError, '0', 'from 1 to 1024'],
    ['workers', [-1, 'w'], RangeError, '-1', 'from 1 to'],
    ['workers', [1.5, 'w'], RangeError, '1.5', 'an integer'],
    ['workers', [NaN, 'w'], RangeError, 'NaN', 'an integer'],
    ['workers', [Infinity, 'w'], RangeError, 'Infinity', 'an integer'],
    ['workers', [1025, 'w'], RangeError, '1025', 'from 1 to 1024'],
    ['workers', ['2', 'w'], TypeError, "'2'", 'an integer'],
    ['workers', [undefined, 'w'], TypeError, 'undefined', 'an integer'],
    ['name', [1, ''], TypeError, "''", 'of 1 to 40'],
    ['name', [1, 'n'.repeat(41)], TypeError, "'nnnn", 'of 1 to 40'],
    ['name', [1, undefined], TypeError, 'undefined', 'a string'],
    ['name', [1, 5], TypeError, '5', 'a string'],
    ['name', [1, 'a\0b'], TypeError, "'a\0b'", 'a string'],
    ['options', [1, 'w', null], TypeError, 'null', 'an object'],
    ['options', [1, 'w', 'fast'], TypeError, "'fast'", 'an object'],
    ['worker', [1, 'w', { worker: 'w.js' }], TypeError, "'w.js'", 'new Worker('],
    ['module', [1, 'w', { module: 'm.mjs' }], TypeError, "'m.mjs'", 'default'],
    ['memory', [1, 'w', { memory: 1 }], RangeError, '1', 'from 2 to'],
    ['memory', [1, 'w', { memory: 4096 }], RangeError, '4096', 'to 4095'],
    ['memory', [1, 'w', { memory: '64' }], TypeError, "'64'", 'a number'],
    ['maximumMemory', [1, 'w', { memory: 64, maximumMemory: 32 }], RangeError, '32', 'from 64'],
    ['startTimeout', [1, 'w', { startTimeout: 0 }], RangeError, '0', 'from 1'],
    ['wake', [1, 'w', { wake: 'often' }], TypeError, "'often'", "'message'"],
    ['trace', [1, 'w', { trace: 'yes' }], TypeError, "'yes'", 'a boolean'],
    ['onStrayError', [1, 'w', { onStrayError: true }], TypeError, 'true', 'a function'],
    ['wasmUrl', [1, 'w', { wasmUrl: 7 }], TypeError, '7', 'a string or a URL'],
  ];
  for (const [argument, args, type, value, fix] of wrong) {
    it(`refuses \`${argument}\` of ${value}`, async () => {
      const error = await failure(newFixedWorkerContext(...args));
      assert.equal(error.constructor, type, String(error));
      assert.include(error.message, argument);
      assert.include(error.message, `got ${value}`);
      assert.include(error.message, fix);
      assert.match(error.message, /^coworker: /);
    });
  }
});

describe('looking at a context', () => {
  it('counts what was launched and how it ended', async () => {
    await using(2, async (context) => {
      const before = context.stats();
      assert.equal(before.launched, before.completed);
      const jobs = [];
      for (let i = 0; i < 10; i++) jobs.push(context.async('add', i, i));
      for (let i = 0; i < 3; i++) jobs.push(context.async('fail', 'x'));
      for (let i = 0; i < 2; i++) {
        const job = context.async('wait');
        job.cancel();
        jobs.push(job);
      }
      await Promise.all(jobs.map((job) => job.join()));
      // A job's end is told before it is counted.
      const done = before.completed + jobs.length;
      await until(() => context.stats().completed >= done);
      const after = context.stats();
      assert.equal(after.launched - before.launched, 15);
      assert.equal(after.completed - before.completed, 15);
      assert.equal(after.failed - before.failed, 3);
      assert.equal(after.cancelled - before.cancelled, 2);
      assert.equal(after.workers, 2);
      await until(() => context.stats().idle === 2);
    });
  });

  it('keeps the last counters after the end', async () => {
    const context = await open(1);
    await context.async('add', 1, 2);
    await context.close();
    const { launched, completed, workers } = context.stats();
    assert.deepEqual([launched, completed, workers], [1, 1, 0]);
    assert.deepEqual(context.stats(), context.stats());
  });

  it('traces what workers do, if asked to', async () => {
    await using(
      1,
      async (context) => {
        await context.async('add', 1, 2);
        await until(() => context.trace()[0].events.some(({ kind }) => kind === 'end'));
        const [{ worker: index, events }] = context.trace();
        assert.equal(index, 0);
        const kinds = new Set(events.map(({ kind }) => kind));
        assert.isTrue(kinds.has('begin') && kinds.has('end'), [...kinds].join());
        for (const [i, event] of events.entries()) {
          assert.equal(event.number, events[0].number + i);
        }
      },
      { trace: true },
    );
  });

  it('has no trace otherwise', async () => {
    await using(1, async (context) => {
      await context.async('add', 1, 2);
      assert.deepEqual(context.trace(), [{ worker: 0, events: [] }]);
    });
  });
});

describe('a worker that dies', { skip: inPage && 'pages are not told' }, () => {
  it('takes along what has begun on it, and is replaced', async () => {
    await using(2, async (context) => {
      const log = [];
      context.addEventListener('workerlost', ({ worker, index, reason }) =>
        log.push([worker, index, reason.includes('exit code 3')]),
      );
      const replaced = new Promise((resolve) =>
        context.addEventListener('workerreplaced', resolve, { once: true }),
      );
      const dying = context.async('die');
      const error = await failure(dying);
      assert.instanceOf(error, WorkerLostError);
      assert.include(error.message, "while it ran 'die'");
      assert.include(error.message, `worker '${error.worker}' died`);
      await replaced;
      assert.deepEqual(log, [[error.worker, error.worker === 'test-1' ? 0 : 1, true]]);
      const sums = await Promise.all([1, 2, 3, 4, 5].map((i) => context.async('add', i, i)));
      assert.deepEqual(sums, [2, 4, 6, 8, 10]);
      assert.equal(context.stats().lost, 1);
    });
  });

  it('says so if it was for want of memory', () =>
    using(
      1,
      async (context) => {
        const error = await failure(context.async('fillMemory'));
        assert.instanceOf(error, WorkerLostError);
        assert.match(error.message, /worker 'test' died \(.*reaching memory limit/);
        assert.include(error.message, "while it ran 'fillMemory'");
        assert.equal(await context.async('add', 1, 2), 3);
      },
      {
        worker: () =>
          new Worker(helperUrl('worker'), {
            type: 'module',
            resourceLimits: { maxOldGenerationSizeMb: 24 },
          }),
      },
    ));

  it('fails its context if that happens too often', async () => {
    await using(
      1,
      async (context) => {
        assert.instanceOf(await failure(context.async('die')), WorkerLostError);
        assert.equal(await context.async('add', 1, 2), 3);
        const waiting = context.async({ job: null }, 'wait');
        const queued = [1, 2, 3].map((i) => context.async('add', i, i));
        await Promise.all(queued);
        assert.instanceOf(await failure(context.async('die')), WorkerLostError);
        // What it waited for would have ended on the worker that does not come.
        const Lost = tier === 'isolated' ? WorkerLostError : ContextLostError;
        assert.instanceOf(await failure(waiting), Lost);
        const error = thrown(() => context.async('add', 1, 2));
        assert.instanceOf(error, ContextLostError);
        assert.include(error.message, 'more than 1 of its workers were lost within 10000 ms');
        assert.isTrue(context.isClosed);
        const { launched, completed, workers } = context.stats();
        assert.deepEqual([workers, completed <= launched], [0, true]);
        await context.close();
      },
      { losses: { count: 1, period: 10_000 } },
    );
  });

  it('leaves other contexts alone', async () => {
    await using(2, async (good) => {
      await using(1, async (bad) => {
        const jobs = [1, 2, 3].map((i) => good.async('delayAndReturn', 20, i));
        await bad.async('die').join();
        assert.deepEqual(await Promise.all(jobs), [1, 2, 3]);
      });
      assert.equal(await good.async('fib', 8), 21);
    });
  });
});

describe('closing a context', () => {
  it('cancels what has a parent of its own, or runs in a view, too', async () => {
    const context = await open(2);
    const parent = newJob();
    const at = cells(context);
    const job = context.async({ job: parent }, 'waitForSignal', at);
    const other = context.limitedParallelism(1, 'view').async({ job: null }, 'wait');
    await until(() => Atomics.load(at, 0) === 1);
    await context.close({ cancel: true });
    for (const ended of [job, other]) assert.instanceOf(await failure(ended), CancellationError);
    assert.isTrue(parent.isActive);
    parent.complete();
  });

  it('gives the same promise each time', async () => {
    const context = await open(1);
    assert.isFalse(context.isClosed);
    const closed = context.close();
    assert.isTrue(context.isClosed);
    assert.equal(context.close(), closed);
    assert.equal(context.close({ cancel: true }), closed);
    assert.equal(await closed, undefined);
    assert.equal(context.close(), closed);
  });

  it('runs what was accepted before', async () => {
    const context = await open(2);
    const jobs = [];
    for (let i = 0; i < 200; i++) jobs.push(context.async('add', i, 1));
    const closed = context.close();
    const results = await Promise.all(jobs);
    assert.deepEqual(
      results,
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
    await closed;
    assert.equal(context.stats().completed, 200);
  });

  it('refuses more work', async () => {
    const context = await open(1);
    const closed = context.close();
    for (const call of ['launch', 'async', 'withContext']) {
      const error = thrown(() => context[call]('add', 1, 2));
      assert.instanceOf(error, ContextClosedError);
      assert.equal(error.code, 'CW_ECLOSED');
      assert.include(error.message, "'test'");
    }
    await closed;
    assert.instanceOf(
      thrown(() => context.launch('add', 1, 2)),
      ContextClosedError,
    );
  });

  it('ends delays, for the reason that it is closed', async () => {
    const context = await open(2);
    const at = cells(context);
    const jobs = [context.async('wait', at), context.async('wait', at)];
    await until(() => Atomics.load(at, 0) === 2);
    const closed = context.close();
    for (const job of jobs) {
      const error = await failure(job);
      assert.instanceOf(error, CancellationError);
      assert.instanceOf(error.cause, ContextClosedError);
    }
    await closed;
  });

  it('lets a task that waits for something else end by itself', async () => {
    const context = await open(1);
    const at = cells(context);
    const job = context.async('untilCell', at);
    await until(() => Atomics.load(at, 1) === 1);
    let over = false;
    const closed = context.close().then(() => (over = true));
    await turns(5);
    assert.isFalse(over);
    Atomics.store(at, 0, 1);
    assert.equal(await job, 'ended');
    await closed;
  });

  it('cancels everything if asked to', async () => {
    const context = await open(2);
    const at = cells(context);
    const waiting = context.async('waitForSignal', at);
    const busy = context.async('spin', at.subarray(4));
    await until(() => at[0] === 1 && at[4] === 1);
    const closed = context.close({ cancel: true });
    const error = await failure(waiting);
    assert.instanceOf(error, CancellationError);
    assert.instanceOf(error.cause, ContextClosedError);
    assert.instanceOf(await failure(busy), CancellationError);
    await closed;
  });

  it('cancels at the second call, too', async () => {
    const context = await open(1);
    const at = cells(context);
    const job = context.async('spin', at);
    await until(() => Atomics.load(at, 0) === 1);
    const closed = context.close();
    await turns(2);
    assert.isFalse(job.isCompleted);
    assert.equal(context.close({ cancel: true }), closed);
    assert.instanceOf(await failure(job), CancellationError);
    await closed;
  });

  it('may be done before the workers are ready', async () => {
    const context = await open(2, { ready: false });
    const job = context.async('add', 2, 3);
    const closed = context.close();
    assert.equal(await job, 5);
    await closed;
    const error = await context.ready.then(
      () => undefined,
      (reason) => reason,
    );
    if (error) assert.instanceOf(error, ContextClosedError);
  });

  it('may be done at once, with nothing launched', async () => {
    for (let i = 0; i < 5; i++) {
      const context = await open(2, { ready: false });
      await context.close();
    }
  });

  it('is what disposing means', async () => {
    const dispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
    const context = await open(1);
    assert.isUndefined(context['undefined']);
    await context[dispose]();
    assert.isTrue(context.isClosed);
  });

  it('twenty times leaves no thread behind', async () => {
    const threads = [];
    const make = () => {
      const thread = worker();
      threads.push(thread);
      return thread;
    };
    for (let i = 0; i < 20; i++) {
      const context = await open(2, { worker: make, ready: i % 2 === 0 });
      if (inPage) await context.async('holdLock', `thread ${i}`);
      else await context.async('add', 1, 2);
      await context.close();
      // A lock ends with the thread that holds it.
      if (inPage) await navigator.locks.request(`thread ${i}`, () => {});
    }
    assert.lengthOf(threads, 40);
    if (!inPage) {
      await until(() => threads.every(({ threadId }) => threadId === -1));
    }
  });

  it('leaves the errors of a base class', async () => {
    const context = await open(1);
    await context.close();
    const error = thrown(() => context.launch('add'));
    assert.instanceOf(error, CoworkerError);
    assert.instanceOf(error, Error);
  });
});
