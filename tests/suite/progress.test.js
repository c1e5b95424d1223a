// What tasks tell of their progress.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { Main } from 'coworker';
import { cells, failure, thrown, uncaught, using } from './helpers/contexts.js';

describe('progress', () => {
  it('comes to a listener, in order, before the end', async () => {
    await using(2, async (context) => {
      const heard = [];
      const options = { onProgress: (value) => heard.push(value) };
      const job = context.launch(options, 'report', [1, 'two', { three: [3] }]);
      await job.join();
      assert.deepEqual(heard, [1, 'two', { three: [3] }]);
    });
  });

  it('comes while the task runs', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const heard = [];
      const options = {
        onProgress: (value) => {
          heard.push(value);
          Atomics.store(at, 0, value + 1); // it goes on only then
        },
      };
      assert.equal(await context.async(options, 'reportSlowly', at, 5), 5);
      assert.deepEqual(heard, [0, 1, 2, 3, 4]);
    });
  });

  it('can be looped over, to the end of the job', async () => {
    await using(1, async (context) => {
      const job = context.launch({ start: 'lazy' }, 'report', [1, 2, 3]);
      const values = job.progress();
      const again = job.progress();
      job.start();
      const heard = [];
      for await (const value of values) heard.push(value);
      assert.deepEqual(heard, [1, 2, 3]);
      await job.join();
      const late = [];
      for await (const value of again) late.push(value);
      assert.deepEqual(late, [1, 2, 3]);
      for await (const value of job.progress()) assert.fail(value);
      job.onProgress(() => assert.fail('it has ended')).dispose();
    });
  });

  it('is not lost, and does not hold up the task', async () => {
    await using(1, async (context) => {
      const many = Array.from({ length: 3000 }, (_, i) => i);
      const job = context.launch({ start: 'lazy' }, 'report', many);
      const all = job.progress();
      const last = job.progress({ limit: 3 });
      await job.join(); // nobody has taken any
      const heard = [[], []];
      for await (const value of all) heard[0].push(value);
      for await (const value of last) heard[1].push(value);
      assert.deepEqual(heard, [many, [2997, 2998, 2999]]);
    });
  });

  it('is a copy, as arguments are', async () => {
    await using(1, async (context) => {
      const map = new Map([[1, new Date(5)]]);
      const heard = [];
      const options = { onProgress: (value) => heard.push(value) };
      const job = context.launch({ ...options, start: 'lazy' }, 'report', [map]);
      const other = job.progress();
      await job.join();
      assert.deepEqual([...heard[0]], [[1, new Date(5)]]);
      const { value } = await other.next();
      assert.deepEqual([...value], [[1, new Date(5)]]);
      assert.notStrictEqual(value, heard[0]);
    });
  });

  it('ends when a listener wants no more', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const heard = [];
      const job = context.async({ start: 'lazy' }, 'reportSlowly', at, 6);
      const handle = job.onProgress((value) => {
        heard.push(value);
        if (value === 1) handle.dispose();
        Atomics.store(at, 0, value === 1 ? 1e9 : value + 1);
      });
      assert.equal(await job, 6);
      assert.deepEqual(heard, [0, 1]);
      const other = context.async({ start: 'lazy' }, 'report', [1, 2, 3]);
      const loop = other.progress();
      other.start();
      for await (const value of loop) {
        assert.equal(value, 1);
        break;
      }
      assert.deepEqual(await loop.next(), { done: true, value: undefined });
      await other;
    });
  });

  it('is told by all scopes of the task', async () => {
    await using(1, async (context) => {
      const heard = [];
      await context.async({ onProgress: (value) => heard.push(value) }, 'reportFromInside');
      assert.deepEqual(heard, ['outside', 'inside', 'deep', 'limited']);
    });
  });

  it('comes from functions of this thread, too', async () => {
    await Main.ready;
    const heard = [];
    const options = { onProgress: (value) => heard.push(value) };
    const body = async (scope) => {
      scope.progress({ part: 1 });
      await scope.yield();
      scope.progress(new Map([[2, 2]]));
    };
    await Main.async(options, body);
    assert.deepEqual(heard[0], { part: 1 });
    assert.deepEqual([...heard[1]], [[2, 2]]);
    const error = thrown(() => Main.launch({ ...options, start: 'undispatched' }, body));
    assert.include(error.message, 'onProgress');
  });

  it('can be listened to between tasks', async () => {
    for (const workers of [1, 3]) {
      await using(workers, async (context) => {
        const values = [1, { two: 2 }];
        assert.deepEqual(await context.async('listenThere', values), [values, values]);
      });
    }
  });

  it('takes what can be sent, if anybody listens', async () => {
    await using(1, async (context) => {
      await context.async('reportFunction');
      const error = await failure(context.async({ onProgress: () => {} }, 'reportFunction'));
      assert.instanceOf(error, TypeError);
      assert.include(error.message, 'cannot be sent');
    });
  });

  it('ends with a failure or a cancellation, too', async () => {
    await using(1, async (context) => {
      const failing = context.async({ start: 'lazy' }, 'fail');
      const none = failing.progress();
      await failure(failing);
      assert.isTrue((await none.next()).done);
      const waiting = context.launch('wait');
      const values = waiting.progress();
      const next = values.next();
      waiting.cancel();
      assert.isTrue((await next).done);
    });
  });

  it('reports what a listener throws', async () => {
    await using(1, async (context) => {
      const heard = [];
      const errors = await uncaught(async (next) => {
        const shown = next();
        const onProgress = (value) => {
          heard.push(value);
          if (value === 1) throw new Error('in a listener');
        };
        await context.async({ onProgress }, 'report', [1, 2]);
        await shown;
      });
      assert.deepEqual(heard, [1, 2]);
      assert.deepEqual(
        errors.map((error) => error.message),
        ['in a listener'],
      );
    });
  });

  it('takes good options only', async () => {
    await using(1, async (context) => {
      const job = context.launch('wait');
      for (const [limit, ErrorClass] of [
        [0, RangeError],
        [1.5, RangeError],
        ['1', TypeError],
      ]) {
        const error = thrown(() => job.progress({ limit }));
        assert.equal(error.constructor, ErrorClass);
        assert.include(error.message, '`options.limit`');
      }
      assert.include(thrown(() => job.onProgress(5)).message, '`call`');
      job.cancel();
    });
  });
});
