// Errors that nobody catches: the job fails, or the context hears of them. The
// page and the process do not.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { UncaughtErrorEvent } from 'coworker';
import {
  cells,
  failure,
  nativeOptions,
  turns,
  uncaught,
  until,
  using,
} from './helpers/contexts.js';

/** Calls `body` and gives what was written to the console as errors meanwhile. */
async function shown(body) {
  const lines = [];
  const { error } = console;
  console.error = (...args) => lines.push(args);
  try {
    await body(() => until(() => lines.length > 0));
  } finally {
    console.error = error;
  }
  return lines;
}

/** The events of a context, whose default is prevented. */
function eventsOf(context) {
  const events = [];
  context.addEventListener('uncaughterror', (event) => {
    event.preventDefault();
    events.push(event);
  });
  return events;
}

/** Runs `body` with a context, and fails if the host is told of any error. */
async function quietly(workers, body, options) {
  const errors = await uncaught(async () => {
    await using(
      workers,
      async (context) => {
        await body(context);
        await turns(3);
      },
      options,
    );
  });
  assert.deepEqual(errors, []);
}

const crashes = [
  ['in a timer', 'crashInTimer', 'leaveThrow'],
  ['by a promise', 'crashByPromise', 'leaveRejection'],
];

describe('an error that nobody catches', () => {
  for (const [how, task, leave] of crashes) {
    it(`is what the only task under way fails with: ${how}`, () =>
      quietly(1, async (context) => {
        const events = eventsOf(context);
        const error = await failure(context.async(task, 'lost'));
        assert.instanceOf(error, RangeError);
        assert.equal(error.message, 'lost');
        assert.equal(error.task, task);
        assert.equal(error.worker, 'test');
        assert.include(error.stack, 'tasks.js');
        assert.equal(await context.async('add', 1, 2), 3);
        assert.equal(context.stats().lost, 0);
        assert.lengthOf(events, 0);
      }));

    it(`leaves the others of the worker alone: ${how}`, () =>
      quietly(1, async (context) => {
        const job = failure(context.async(task, 'alone'));
        const sums = [1, 2, 3].map((i) => context.async('add', i, i));
        assert.deepEqual(await Promise.all(sums), [2, 4, 6]);
        assert.equal((await job).message, 'alone');
      }));

    it(`goes to the context if several are under way: ${how}`, () =>
      quietly(1, async (context) => {
        const events = eventsOf(context);
        const array = cells(context);
        const others = [1, 2].map(() => context.async('waitForNews', array, 1));
        await until(() => Atomics.load(array, 1) === 2);
        await context.async(leave, 'whose');
        await until(() => events.length > 0);
        const [event] = events;
        assert.instanceOf(event, UncaughtErrorEvent);
        assert.equal(event.error.message, 'whose');
        assert.instanceOf(event.error, RangeError);
        assert.equal(event.worker, 'test');
        assert.deepEqual(
          others.map(({ isActive }) => isActive),
          [true, true],
        );
      }));

    it(`is the context's if the task was launched for its effects: ${how}`, () =>
      quietly(1, async (context) => {
        const events = eventsOf(context);
        await context.launch(task, 'effects').join();
        await until(() => events.length > 0);
        assert.lengthOf(events, 1);
        assert.equal(events[0].error.message, 'effects');
        assert.equal(events[0].task, task);
        assert.equal(events[0].worker, 'test');
      }));

    it(`is shown on the console if nobody listens: ${how}`, async () => {
      const lines = await shown((seen) =>
        quietly(1, async (context) => {
          await context.launch(task, 'console').join();
          await seen();
        }),
      );
      assert.lengthOf(lines, 1);
      assert.include(lines[0][0], "context 'test'");
      assert.equal(lines[0][1].message, 'console');
    });

    it(`of what an ended task has left behind is shown there, too: ${how}`, async () => {
      const lines = await shown((seen) =>
        quietly(1, async (context) => {
          await context.async(leave, 'behind');
          await seen();
          assert.equal(await context.async('add', 1, 2), 3);
        }),
      );
      assert.equal(lines[0][1].message, 'behind');
    });
  }

  it('may be no error', () =>
    quietly(1, async (context) => {
      assert.equal(await failure(context.async('crashWithText', 'text')), 'text');
    }));

  it('ends scopes, children and waits with the task', () =>
    quietly(2, async (context) => {
      const array = cells(context);
      const error = await failure(context.async('crashInside', 'inside', array));
      assert.equal(error.message, 'inside');
      assert.instanceOf(error, RangeError);
      await until(() => Atomics.load(array, 0) === 3 && Atomics.load(array, 1) === 1);
      assert.equal(await context.async('fib', 8), 21);
    }));

  it('is the task\u2019s if a function of it is at work', () =>
    quietly(1, async (context) => {
      const error = await failure(context.async('crashByChild', 'child'));
      assert.equal(error.message, 'child');
      assert.equal(error.task, 'crashByChild');
    }));

  it('harms nobody when the task goes on after its end', () =>
    quietly(1, async (context) => {
      const array = cells(context);
      for (let round = 0; round < 3; round++) {
        Atomics.store(array, 0, 0);
        const error = await failure(context.async('crashAndGoOn', 'going on', array));
        assert.equal(error.message, 'going on');
        await until(() => Atomics.load(array, 0) !== 0);
        assert.equal(array[0], 1);
      }
      await turns(3);
      assert.equal(await context.async('fib', 8), 21);
    }));

  it('may come again and again', () =>
    quietly(2, async (context) => {
      for (let round = 0; round < 50; round++) {
        const [, task] = crashes[round % 2];
        const error = await failure(context.async(task, `round ${round}`));
        assert.equal(error.message, `round ${round}`);
      }
    }));
});

describe('a failure that nobody answers for', () => {
  it('is told by the context first, which can take it', () =>
    quietly(1, async (context) => {
      const events = eventsOf(context);
      await context.launch('fail', 'taken').join();
      await context.limitedParallelism(1).launch('fail', 'in a view').join();
      await until(() => events.length === 2);
      assert.deepEqual(
        events.map(({ error, task }) => [error.message, task]),
        [
          ['taken', 'fail'],
          ['in a view', 'fail'],
        ],
      );
    }));

  it('is the host\u2019s if nobody does', async () => {
    const errors = await uncaught((next) =>
      using(1, async (context) => {
        let told = 0;
        context.addEventListener('uncaughterror', () => told++);
        const reported = next();
        await context.launch('fail', 'not taken').join();
        await reported;
        assert.equal(told, 1);
      }),
    );
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['not taken'],
    );
  });
});

describe('a trap that nobody answers for', () => {
  it('is told by the context, not by the host', async () => {
    const native = await nativeOptions();
    await quietly(
      1,
      async (context) => {
        const events = eventsOf(context);
        await context.launch('trap', 0).join();
        await until(() => events.length > 0);
        assert.match(events[0].error.name, /^(RuntimeError|InternalError|WorkerCrashedError)$/);
      },
      native,
    );
  });
});
