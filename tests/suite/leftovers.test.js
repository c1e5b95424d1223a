// What tasks leave behind after their end still goes on, and harms nobody.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { cells, turns, until, using } from './helpers/contexts.js';

const leftovers = [
  ['a timer', 'leaveTimer', []],
  ['a floating promise', 'leavePromise', []],
  ['a chain of microtasks', 'leaveMicrotasks', []],
  ['a fetch', 'leaveFetch', ['data:text/plain,content']],
];

describe('what a task leaves behind', () => {
  for (const [what, task, args] of leftovers) {
    it(`goes on while the worker is idle: ${what}`, async () => {
      await using(1, async (context) => {
        const at = cells(context);
        await context.async(task, ...args, at, 0);
        await until(() => Atomics.load(at, 0) === 1);
      });
    });

    it(`goes on while the worker is busy: ${what}`, async () => {
      await using(1, async (context) => {
        const at = cells(context);
        context.launch(task, ...args, at, 0);
        // There is always more to do than this worker can.
        do {
          const batch = [];
          for (let i = 0; i < 50; i++) batch.push(context.async('work'));
          await batch[0];
        } while (Atomics.load(at, 0) === 0);
        assert.equal(at[0], 1);
      });
    });

    it(`goes on while a tree grows: ${what}`, async () => {
      await using(2, async (context) => {
        const at = cells(context);
        await context.async(task, ...args, at, 0);
        while (Atomics.load(at, 0) === 0) await context.async('fib', 9);
        assert.equal(at[0], 1);
      });
    });
  }

  it('does not keep a context from closing', async () => {
    for (const [, task, args] of leftovers) {
      await using(1, async (context) => {
        const at = cells(context);
        await context.async(task, ...args, at, 0);
        await context.close();
      });
    }
  });

  it('does not change what comes next', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const jobs = [];
      for (let i = 0; i < 100; i++) {
        jobs.push(context.async('leavePromise', at, 0));
        jobs.push(context.async('add', i, i));
      }
      const results = await Promise.all(jobs);
      results.forEach((value, i) => {
        assert.equal(value, i % 2 ? i - 1 : undefined);
      });
      await until(() => Atomics.load(at, 0) === 100);
    });
  });
});

describe('an error that a task leaves behind', () => {
  for (const [what, task] of [
    ['a rejection', 'leaveRejection'],
    ['an exception', 'leaveThrow'],
  ]) {
    it(`goes to onStrayError: ${what}`, async () => {
      const strays = [];
      let told;
      const first = new Promise((resolve) => (told = resolve));
      const onStrayError = (error) => {
        strays.push(error);
        told();
      };
      await using(
        1,
        async (context) => {
          assert.isUndefined(await context.async(task, 'left behind'));
          await first;
          assert.equal(await context.async('add', 1, 2), 3);
          await turns(2);
        },
        { onStrayError },
      );
      assert.lengthOf(strays, 1);
      assert.instanceOf(strays[0], Error);
      assert.instanceOf(strays[0], RangeError);
      assert.equal(strays[0].message, 'left behind');
      assert.equal(strays[0].worker, 'test');
      assert.include(strays[0].stack, 'tasks.js');
    });
  }

  it('is not what a job fails with', async () => {
    const strays = [];
    await using(
      1,
      async (context) => {
        await context.async('add', 1, 2);
        await context.async('fail', 'awaited').catch(() => {});
        await turns(3);
      },
      { onStrayError: (error) => strays.push(error) },
    );
    assert.lengthOf(strays, 0);
  });
});
