// Without Atomics.waitAsync: realms are woken by messages. The first context
// decides it for all, so this has a file, and so a realm, of its own.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Main } from 'coworker';
import { cells, failure, random, turns, until, using as usingOptions } from './helpers/contexts.js';
import { balanced, races } from './helpers/races.js';

Atomics.waitAsync = undefined;

const using = (workers, body) => usingOptions(workers, body, { wake: 'message' });

describe('waking by messages', () => {
  it('does without Atomics.waitAsync', async () => {
    await using(2, async (context) => {
      assert.equal(await context.async('add', 1, 2), 3);
      await context.async('delay', 10);
    });
  });

  for (const workers of [1, 2, 4]) {
    it(`gives results, one after another, ${workers} workers`, async () => {
      await using(workers, async (context) => {
        for (let i = 0; i < 200; i++) {
          assert.equal(await context.async('add', i, 1), i + 1);
          // Let them fall asleep now and then.
          if (i % 20 === 0) await turns(3);
        }
        const jobs = Array.from({ length: 2000 }, (_, i) => context.async('later', i));
        assert.deepEqual(
          await Promise.all(jobs),
          jobs.map((_, i) => i),
        );
      });
    });

    it(`makes trees on ${workers} workers`, async () => {
      await using(workers, async (context) => {
        assert.equal(await context.async('fib', 10), 55);
      });
    });
  }

  it('delays and cancels', async () => {
    await using(2, async (context) => {
      const begun = performance.now();
      const took = [40, 5, 20].map(async (ms) => {
        await context.async('delay', ms);
        return performance.now() - begun >= ms;
      });
      assert.deepEqual(await Promise.all(took), [true, true, true]);
      const at = cells(context);
      const job = context.async('wait', at);
      await until(() => Atomics.load(at, 0) === 1);
      job.cancel('enough');
      const error = await failure(job);
      assert.instanceOf(error, CancellationError);
      assert.equal(error.cause, 'enough');
      const late = await failure(context.async({ timeout: 20 }, 'wait'));
      assert.equal(late.name, 'TimeoutCancellationError');
    });
  });

  it('serves the main thread', async () => {
    await using(2, async (context) => {
      const sum = await Main.async(async (scope) => {
        await scope.delay(5);
        const one = scope.async(context, 'add', 1, 2);
        const two = scope.async((inner) => inner.delay(5));
        await two;
        return one;
      });
      assert.equal(sum, 3);
    });
  });

  it('lets what tasks left behind go on', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      await context.async('leaveTimer', at, 0);
      await until(() => Atomics.load(at, 0) === 1);
    });
  });

  it('closes', async () => {
    for (let i = 0; i < 5; i++) {
      await using(2, async (context) => {
        const at = cells(context);
        const job = context.async('wait', at);
        if (i % 2) await until(() => Atomics.load(at, 0) === 1);
        const closed = context.close();
        assert.instanceOf(await failure(job), CancellationError);
        await closed;
      });
    }
  });

  for (const [name, race] of Object.entries(races)) {
    it(`settles races between ${name}`, async () => {
      await using(3, async (context) => {
        for (let round = 0; round < 100; round += 5) {
          const rounds = [0, 1, 2, 3, 4].map((i) => race(context, random(round + i)));
          await Promise.all(rounds);
        }
        await balanced(context);
      });
    });
  }
});
