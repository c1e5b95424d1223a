// What a task has of its scope, and the jobs it launches there.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Main } from 'coworker';
import { cells, failure, free, turns, until, using } from './helpers/contexts.js';

describe('a scope', () => {
  it('knows the worker and the task', async () => {
    await using(2, async (context) => {
      const [worker, task] = await context.async('where');
      assert.match(worker, /^test-[12]$/);
      assert.equal(task, 'where');
    });
  });

  it('is active while nobody has cancelled', async () => {
    await using(1, async (context) => {
      assert.deepEqual(await context.async('scopeState'), [true, false, false]);
    });
  });

  it('delays, not at all for zero and less', async () => {
    await using(1, async (context) => {
      const [longEnough, [name, message]] = await context.async('delays');
      assert.isTrue(longEnough);
      assert.equal(name, 'TypeError');
      assert.include(message, '`ms`');
      assert.include(message, 'NaN');
    });
  });

  it('delays in the order of time', async () => {
    await Main.ready;
    const ends = [];
    // They all begin in one turn of this thread.
    await Main.async((scope) => {
      for (const ms of [60, 10, 35]) {
        scope.launch(async (inner) => {
          await inner.delay(ms);
          ends.push(ms);
        });
      }
    });
    assert.deepEqual(ends, [10, 35, 60]);
  });

  it('has room for many delays on one worker', async () => {
    await using(1, async (context) => {
      const jobs = Array.from({ length: 500 }, (_, i) =>
        context.async('delayAndReturn', 1 + (i % 7), i),
      );
      const results = await Promise.all(jobs);
      assert.deepEqual(
        results,
        results.map((_, i) => i),
      );
    });
  });

  it('lets others go first by yield()', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const results = await context.async('launchTwo', at);
      // Both begin before one of them goes on.
      const firsts = results.map(([, first]) => first).sort();
      const seconds = results.map(([, , second]) => second).sort();
      assert.deepEqual(
        [firsts, seconds],
        [
          [0, 1],
          [2, 3],
        ],
      );
    });
  });

  it('is over when its task is', async () => {
    await using(1, async (context) => {
      await context.async('keepScope');
      const [errors, ...state] = await context.async('useKeptScope');
      assert.deepEqual(errors, [
        'IllegalStateError',
        'IllegalStateError',
        'CancellationError',
        'CancellationError',
      ]);
      assert.deepEqual(state, [false, true, true]);
    });
  });

  it('serves functions that are called from tasks', async () => {
    await using(2, async (context) => {
      assert.deepEqual(await context.async('withContextThere', 'add', 1, 2), [true, 3]);
      assert.equal(await context.async('callThere', 'add', 3, 4), 7);
      assert.equal(await context.async('callThere', {}, 'add', 5, 6), 11);
    });
  });

  it('names the tasks when a child is unknown', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('callThere', 'addd'));
      assert.instanceOf(error, TypeError);
      assert.include(error.message, "context 'test' has no task 'addd'");
      assert.include(error.message, 'add, ');
    });
  });
});

describe('children', () => {
  it('end before their parent does', async () => {
    await using(2, async (context) => {
      for (let i = 1; i <= 20; i++) {
        const at = cells(context);
        const job = context.async('leaveChild', at);
        assert.equal(await job, 'left');
        assert.equal(at[0], 1);
        free(context, at);
      }
    });
  });

  for (const workers of [1, 2, 4]) {
    it(`make trees on ${workers} workers`, async () => {
      await using(workers, async (context) => {
        assert.equal(await context.async('fib', 12), 144);
        assert.equal(await context.async('grow', 5, 1), 5);
      });
    });
  }

  it('that fail cancel their siblings and parents', async () => {
    await using(2, async (context) => {
      const at = cells(context);
      const error = await failure(context.async('failingFamily', at));
      assert.instanceOf(error, RangeError);
      assert.equal(error.message, 'the child failed');
      assert.equal(error.task, 'failWhen');
      assert.deepEqual([at[0], at[1]], [1, 1], 'their finally blocks');
    });
  });

  it('that fail together give one error', async () => {
    await using(4, async (context) => {
      const error = await failure(context.async('manyFail', 20));
      assert.instanceOf(error, RangeError);
      assert.match(error.message, /^child \d+$/);
    });
  });

  it('fail their parent even if it catches the error', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('catchChild'));
      assert.instanceOf(error, RangeError);
      assert.equal(error.message, 'not to be caught');
    });
  });

  it('may be cancelled without harm to the parent', async () => {
    await using(1, async (context) => {
      assert.deepEqual(await context.async('cancelChild'), [
        'CancellationError',
        'not needed',
        true,
      ]);
    });
  });

  it('are cancelled with their parent', async () => {
    await using(2, async (context) => {
      const at = cells(context);
      const job = context.async('parentOfWaiting', at);
      await until(() => Atomics.load(at, 2) === 2);
      job.cancel();
      assert.instanceOf(await failure(job), CancellationError);
      assert.deepEqual([at[0], at[1]], [1, 1], 'their finally blocks');
    });
  });

  it('that are launched by a cancelled parent are cancelled', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('launchLate', at);
      await until(() => Atomics.load(at, 0) === 1);
      job.cancel();
      await failure(job);
      assert.deepEqual([at[1], at[2]], [1, 0]);
    });
  });

  it('of others do not matter', async () => {
    await using(2, async (context) => {
      const jobs = [];
      for (let i = 0; i < 20; i++) {
        jobs.push(context.async(i % 2 ? 'fail' : 'add', `${i}`, 'x'));
      }
      const results = await Promise.allSettled(jobs);
      results.forEach(({ status }, i) => {
        assert.equal(status, i % 2 ? 'rejected' : 'fulfilled');
      });
      await turns(2);
    });
  });
});
