// Tasks that give one value after the other.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Main, ProducerChannel, ResultStream, stream } from 'coworker';
import { cells, failure, thrown, turns, until, using } from './helpers/contexts.js';

async function collect(values) {
  const all = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('a stream', () => {
  it('gives the values of an async generator', async () => {
    await using(2, async (context) => {
      for (const credit of [1, 2, 16, Infinity]) {
        const values = stream(context, { credit }, 'countTo', 40);
        assert.instanceOf(values, ResultStream);
        assert.instanceOf(values, ProducerChannel);
        assert.deepEqual(
          await collect(values),
          Array.from({ length: 40 }, (_, i) => i + 1),
        );
        await values.join();
        assert.isTrue(values.isCompleted);
        assert.isFalse(values.isCancelled);
      }
      assert.deepEqual(await collect(stream(context, 'countTo', 0)), []);
    });
  });

  it('lets the task run ahead as far as its credit', async () => {
    for (const credit of [1, 3]) {
      await using(1, async (context) => {
        const at = cells(context);
        const values = stream(context, { credit }, 'countCells', at);
        const iterator = values[Symbol.asyncIterator]();
        await until(() => at[0] === credit);
        // It would be on with a turn of its worker.
        await context.async('add', 1, 2);
        await turns(5);
        assert.equal(at[0], credit);
        assert.deepEqual(await iterator.next(), { done: false, value: 1 });
        await until(() => at[0] === credit + 1);
        await context.async('add', 1, 2);
        await turns(5);
        assert.equal(at[0], credit + 1);
        await iterator.return();
        assert.equal(at[1], 1);
      });
    }
  });

  it('ends the task when the loop is left', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const values = stream(context, 'countCells', at);
      for await (const value of values) if (value === 3) break;
      assert.equal(at[1], 1); // its clean-up has run
      assert.isTrue(values.isCancelled);
      assert.isTrue(values.isCompleted);
      at[1] = 0;
      const own = new Error('of the loop');
      const loop = async () => {
        for await (const value of stream(context, 'countCells', at)) if (value > 0) throw own;
      };
      assert.strictEqual(await failure(loop()), own);
      assert.equal(at[1], 1);
    });
  });

  it('ends a task that waits for something else', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      for await (const value of stream(context, 'waitInStream', at)) {
        assert.equal(value, 1);
        break;
      }
      assert.equal(at[1], 1);
    });
  });

  it('throws what the task fails with', async () => {
    await using(1, async (context) => {
      const seen = [];
      const loop = async () => {
        for await (const value of stream(context, { credit: 1 }, 'failAfter', 3)) seen.push(value);
      };
      const error = await failure(loop());
      assert.instanceOf(error, RangeError);
      assert.equal(error.message, 'no more');
      assert.deepEqual(seen, [1, 2, 3]);
    });
  });

  it('throws the cancellation of its task', async () => {
    await using(1, async (context) => {
      const values = stream(context, { timeout: 10 }, 'waitInStream', cells(context));
      assert.equal((await failure(collect(values))).limit, 'timeout');
      const other = stream(context, 'waitInStream', cells(context));
      const taken = collect(other);
      other.job.cancel('enough');
      assert.instanceOf(await failure(taken), CancellationError);
    });
  });

  it('is of any task that gives something iterable', async () => {
    await using(1, async (context) => {
      assert.deepEqual(await collect(stream(context, 'plainGenerator')), ['a', 'b']);
      assert.deepEqual(await collect(stream(context, 'list', 1, 2, 3)), [1, 2, 3]);
      const error = await failure(collect(stream(context, 'add', 1, 2)));
      assert.instanceOf(error, TypeError);
      for (const part of ["'add'", 'async generator', '3']) assert.include(error.message, part);
      const unknown = await failure(collect(stream(context, 'nothingLikeThis')));
      assert.include(unknown.message, "no task 'nothingLikeThis'");
    });
  });

  it('brings whatever channels bring', async () => {
    await using(1, async (context) => {
      const [map, buffer] = await collect(stream(context, 'mapsAndTransfers'));
      assert.deepEqual([...map], [[1, 'one']]);
      assert.equal(buffer.byteLength, 8);
      const list = [new Set([1]), 'x', null, undefined];
      const [set, ...rest] = await collect(stream(context, 'values', list));
      assert.deepEqual([...set], [1]);
      assert.deepEqual(rest, ['x', null, undefined]);
    });
  });

  it('can be taken between tasks', async () => {
    for (const workers of [1, 3]) {
      await using(workers, async (context) => {
        assert.equal(await context.async('sumOfStream', 10, 0), 55);
        assert.equal(await context.async('sumOfStream', 1e9, 4), 10);
      });
    }
  });

  it('can be a child of a scope of the main thread', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = Main.async(async (scope) => {
        const values = stream(scope, context, { credit: 2 }, 'countCells', at);
        assert.strictEqual(values.job.parent, scope.job);
        for await (const value of values.values(scope)) {
          if (value === 5) scope.cancel();
        }
      });
      assert.instanceOf(await failure(job), CancellationError);
      await until(() => at[1] === 1);
      const view = context.limitedParallelism(1);
      assert.deepEqual(await collect(stream(view, 'countTo', 3)), [1, 2, 3]);
    });
  });

  it('takes good arguments only', async () => {
    await using(1, async (context) => {
      for (const [args, ErrorClass, part] of [
        [[{}, 'countTo'], TypeError, '`context`'],
        [[context, 5], TypeError, '`task`'],
        [[context, { credit: 0 }, 'countTo', 1], RangeError, '`options.credit`'],
        [[context, { credit: 1.5 }, 'countTo', 1], RangeError, '`options.credit`'],
        [[context, { credit: '1' }, 'countTo', 1], TypeError, '`options.credit`'],
        [[context, { timeout: -1 }, 'countTo', 1], RangeError, '`options.timeout`'],
      ]) {
        const error = thrown(() => stream(...args));
        assert.equal(error.constructor, ErrorClass);
        assert.include(error.message, part);
      }
    });
  });
});
