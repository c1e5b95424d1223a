// How many jobs may wait in a context, and which of them begin first.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Main, QueueFullError } from 'coworker';
import { cells, failure, thrown, tier, until, using } from './helpers/contexts.js';

/**
 * Runs `body` with a context of one worker, which is busy until `free()`. A page
 * that is the worker itself is busy for as long as `body` is.
 */
const busy = (options, body) =>
  using(
    1,
    async (context) => {
      if (tier === 'inline') return body(context, () => {});
      const at = cells(context);
      const blocker = context.launch('occupy', at);
      await until(() => Atomics.load(at, 1) === 1);
      await body(context, () => Atomics.store(at, 0, 1));
      Atomics.store(at, 0, 1);
      await blocker.join();
    },
    options,
  );

/** What was noted in cells. */
const noted = (at) => [...at.slice(1, at[0] + 1)];

describe('a limited queue', () => {
  it('refuses what is too much', () =>
    busy({ maxQueue: 2 }, async (context, free) => {
      const jobs = [context.async('add', 1, 2), context.async('add', 3, 4)];
      for (const method of ['launch', 'async', 'withContext']) {
        const error = thrown(() => context[method]('add', 1, 2));
        assert.equal(error.constructor, QueueFullError);
        assert.equal(error.code, 'CW_EQUEUEFULL');
        for (const part of ["'add'", "'test'", 'maxQueue', "whenFull: 'wait'"]) {
          assert.include(error.message, part);
        }
      }
      free();
      assert.deepEqual(await Promise.all(jobs), [3, 7]);
      assert.equal(await context.async('add', 5, 6), 11);
    }));

  it('does not take what it refuses', () =>
    busy({ maxQueue: 1 }, async (context, free) => {
      const job = context.async('add', 1, 2);
      const buffer = new ArrayBuffer(8);
      const options = { transfer: [buffer] };
      assert.equal(
        thrown(() => context.launch(options, 'echo', buffer)).constructor,
        QueueFullError,
      );
      assert.equal(buffer.byteLength, 8);
      free();
      await job;
      assert.equal((await context.async(options, 'echo', buffer)).byteLength, 8);
      // What cannot be sent takes no place.
      assert.instanceOf(
        thrown(() => context.launch('echo', () => {})),
        TypeError,
      );
      assert.equal(await context.async('add', 1, 2), 3);
    }));

  it('has room again when a worker is free', () =>
    using(
      1,
      async (context) => {
        for (let i = 0; i < 200; i++) assert.equal(await context.async('add', i, 1), i + 1);
      },
      { maxQueue: 1 },
    ));

  it('does not count what its own tasks launch', () =>
    using(
      1,
      async (context) => {
        const results = await context.async('launchOn', 50);
        assert.deepEqual(
          results,
          Array.from({ length: 50 }, (_, i) => i + 1),
        );
      },
      { maxQueue: 1 },
    ));

  it('counts what functions of the main thread launch', () =>
    busy({ maxQueue: 1 }, async (context, free) => {
      await Main.async(async (scope) => {
        const job = scope.async(context, 'add', 1, 2);
        assert.equal(thrown(() => scope.launch(context, 'add', 1, 2)).constructor, QueueFullError);
        free();
        assert.equal(await job, 3);
      });
    }));

  it('lets launches wait, in order', () =>
    busy({ maxQueue: 1, whenFull: 'wait' }, async (context, free) => {
      const at = cells(context, 16);
      const jobs = [];
      for (let i = 0; i < 8; i++) jobs.push(context.launch('note', at, i));
      assert.deepEqual(
        jobs.map((job) => job.isActive),
        [true, ...Array(7).fill(false)],
      );
      assert.isFalse(jobs[3].start());
      assert.isFalse(jobs[3].isCompleted);
      free();
      await Promise.all(jobs.map((job) => job.join()));
      assert.deepEqual(noted(at), [0, 1, 2, 3, 4, 5, 6, 7]);
    }));

  it('can be told otherwise by a launch', () =>
    busy({ maxQueue: 1 }, async (context, free) => {
      const first = context.async('add', 1, 2);
      const waits = context.async({ whenFull: 'wait' }, 'add', 3, 4);
      assert.isFalse(waits.isActive);
      assert.equal(thrown(() => context.launch('add', 1, 2)).constructor, QueueFullError);
      free();
      assert.deepEqual(await Promise.all([first, waits]), [3, 7]);
    }));

  it('forgets at once what is cancelled while it waits for room', () =>
    busy({ maxQueue: 1, whenFull: 'wait' }, async (context, free) => {
      const at = cells(context, 16);
      const jobs = [1, 2, 3].map((n) => context.async('note', at, n));
      jobs[1].cancel('not wanted');
      assert.equal((await failure(jobs[1])).constructor, CancellationError);
      const controller = new AbortController();
      const aborted = context.async({ signal: controller.signal }, 'note', at, 4);
      controller.abort();
      assert.instanceOf(await failure(aborted), CancellationError);
      const late = context.async({ deadline: 5 }, 'note', at, 5);
      assert.equal((await failure(late)).limit, 'deadline');
      free();
      await Promise.all([jobs[0], jobs[2]]);
      assert.deepEqual(noted(at), [1, 3]);
    }));

  it('holds messages as well', () =>
    busy({ maxQueue: 1, whenFull: 'wait' }, async (context, free) => {
      const jobs = [1, 2, 3].map((n) => context.async('echo', new Map([[n, n]])));
      free();
      const maps = await Promise.all(jobs);
      assert.deepEqual(
        maps.map((map) => [...map]),
        [[[1, 1]], [[2, 2]], [[3, 3]]],
      );
    }));

  it('lets everybody in when the context closes', async () => {
    let jobs;
    await busy({ maxQueue: 1, whenFull: 'wait' }, async (context, free) => {
      jobs = [1, 2, 3, 4].map((n) => context.async('add', n, n));
      const closed = context.close();
      free();
      assert.deepEqual(await Promise.all(jobs), [2, 4, 6, 8]);
      await closed;
    });
  });

  it('ends what waits when everything is cancelled', () =>
    busy({ maxQueue: 1, whenFull: 'wait' }, async (context, free) => {
      const jobs = [1, 2, 3].map((n) => context.async('add', n, n));
      const closed = context.close({ cancel: true });
      free();
      for (const job of jobs) assert.instanceOf(await failure(job), CancellationError);
      await closed;
    }));

  it('takes good options only', async () => {
    for (const [options, ErrorClass, ...parts] of [
      [{ maxQueue: 0 }, RangeError, '`options.maxQueue`', 'from 1', '0'],
      [{ maxQueue: 1.5 }, RangeError, '`options.maxQueue`', 'an integer'],
      [{ maxQueue: '1' }, TypeError, '`options.maxQueue`', "'1'"],
      [{ whenFull: 'drop' }, TypeError, '`options.whenFull`', "'fail' or 'wait'", "'drop'"],
    ]) {
      const error = await failure(using(1, () => {}, options));
      assert.equal(error.constructor, ErrorClass);
      for (const part of parts) assert.include(error.message, part);
    }
    await using(1, async (context) => {
      for (const [options, ...parts] of [
        [{ priority: 'urgent' }, '`options.priority`', "'urgent'"],
        [{ priority: 1 }, '`options.priority`', "'high', 'normal' or 'low'"],
        [{ whenFull: true }, '`options.whenFull`', 'true'],
        [{ onProgress: 5 }, '`options.onProgress`', '5'],
        [{ deadline: '5' }, '`options.deadline`', "'5'"],
      ]) {
        const error = thrown(() => context.launch(options, 'add', 1, 2));
        assert.equal(error.constructor, TypeError);
        for (const part of parts) assert.include(error.message, part);
      }
      assert.instanceOf(
        thrown(() => context.launch({ deadline: -1 }, 'add', 1, 2)),
        RangeError,
      );
    });
  });
});

describe('priority', () => {
  /** Launches by letters, and gives the letters in the order in which they ran. */
  const order = async (letters, options = {}) => {
    let ran;
    const names = { H: 'high', N: 'normal', L: 'low' };
    await busy(options, async (context, free) => {
      const at = cells(context, 64);
      const jobs = [...letters].map((letter) =>
        context.launch({ priority: names[letter] }, 'note', at, letter.charCodeAt(0)),
      );
      free();
      await Promise.all(jobs.map((job) => job.join()));
      ran = String.fromCharCode(...noted(at));
    });
    return ran;
  };

  it('says who begins first', async () => {
    assert.equal(await order('LNHNHL'), 'HHNNLL');
  });

  it('lets nobody starve', async () => {
    assert.equal(await order('NNNHHHHHHHHHH'), 'HHHHNHHHHNHHN');
    assert.equal(await order('LLLNNNNNNNNNNNNNNNNN'), 'NNNNNNNNLNNNNNNNNLNL');
    assert.equal(await order('LLNNNHHHHHHHHHHHHHHHH'), 'HHHHNHHHLHHHHNHHHLHHN');
  });

  it('counts among those who wait for room, too', async () => {
    assert.equal(await order('NLNHNH', { maxQueue: 1, whenFull: 'wait' }), 'NHHNNL');
  });

  it('is for functions of this thread, too', async () => {
    await Main.ready;
    const ran = [];
    const run = (scope, letter) => ran.push(letter);
    const jobs = [
      Main.launch({ priority: 'low' }, run, 'c'),
      Main.launch(run, 'b'),
      Main.launch({ priority: 'high' }, run, 'a'),
    ];
    await Promise.all(jobs.map((job) => job.join()));
    assert.equal(ran.join(''), 'abc');
  });
});
