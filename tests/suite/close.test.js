// The phases of closing: what was accepted goes on, is cancelled, is killed.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  Channel,
  ContextClosedError,
  ContextLostError,
  Main,
  WorkerLostError,
} from 'coworker';
import {
  begun,
  cells,
  failure,
  inPage,
  nativeOptions,
  open,
  tier,
  using,
} from './helpers/contexts.js';

const now = { cancel: true, grace: 10 };
/** Whether it is known in time that a thread is dead. */
const canTell = !inPage && tier === 'shared';

/** How a job ends whose worker is killed: where nobody can tell in time whether it is dead, with its context. */
function assertKilled(error) {
  assert.isTrue(error instanceof WorkerLostError || error instanceof ContextLostError, error.stack);
}

describe('closing in phases', () => {
  it('kills what does not look, and says so', async () => {
    const context = await open(2);
    const array = cells(context);
    const job = context.async('loopForEver', array);
    await begun(array);
    const closed = context.close(now);
    const error = await failure(job);
    assertKilled(error);
    if (canTell) {
      assert.match(
        error.message,
        /worker 'test-[12]' was killed, since its context was closed, while it ran 'loopForEver'/,
      );
      assert.instanceOf(error.cause.cause, ContextClosedError);
    }
    await closed;
    assert.equal(context.stats().workers, 0);
    assert.throws(() => context.launch('add', 1, 2));
  });

  it('leaves alone who ends by himself meanwhile, and whoever comes after him', async () => {
    for (let i = 0; i < 10; i++) {
      const context = await open(2);
      const jobs = [context.async('wait'), context.async('delay', 20)];
      const closed = context.close({ cancel: true, grace: i % 3 });
      for (const job of jobs) {
        const error = await failure(job);
        // If there was no time to end it in order.
        if (!(error instanceof ContextLostError)) assert.instanceOf(error, CancellationError);
      }
      await closed;
      assert.equal(context.stats().workers, 0);
    }
    await using(2, async (context) => assert.equal(await context.async('add', 1, 2), 3));
  });

  it('kills a loop in C', async () => {
    const context = await open(1, await nativeOptions());
    const array = cells(context);
    const job = context.async('loop_for_ever', array.byteOffset);
    await begun(array);
    await context.close(now);
    assertKilled(await failure(job));
  });

  it('ends all the rest as well: what waits, what is queued, in views, and elsewhere', async () => {
    const context = await open(1);
    const array = cells(context);
    const channel = new Channel();
    const view = context.limitedParallelism(1, 'view');
    const jobs = [
      context.async('waitForNews', array, 1),
      context.async('receiveOne', channel),
      view.async('waitForNews', array, 2),
    ];
    await begun(array, 2);
    jobs.push(view.async('loopForEver', array));
    await begun(array);
    jobs.push(context.async('add', 1, 2), view.async('add', 1, 2), view.async('add', 1, 2));
    jobs.push(context.async({ start: 'lazy' }, 'add', 1, 2));
    const awaits = Main.async((scope) => scope.await(jobs[1]));
    jobs.push(awaits);
    const errors = jobs.map(failure);
    await context.close(now);
    for (const error of await Promise.all(errors)) assert.instanceOf(error, Error);
    if (canTell) assert.isTrue(jobs.every((job) => job.isCancelled));
    channel.close();
  });

  it('ends coroutines in C that wait on a worker that is killed', async () => {
    const context = await open(1, await nativeOptions());
    const array = cells(context);
    const waiting = context.async('wait_and_mark', array.byteOffset);
    await begun(array, 1);
    array[0] = 0;
    const loop = context.async('loop_for_ever', array.byteOffset);
    await begun(array);
    const errors = [waiting, loop].map(failure);
    await context.close(now);
    for (const error of await Promise.all(errors)) assert.instanceOf(error, Error);
  });

  it('lets work go on during `drain`', async () => {
    const context = await open(2);
    const array = cells(context);
    const busy = context.async('spin', array);
    const short = context.async('add', 1, 2);
    await begun(array);
    const closed = context.close({ drain: 60_000, grace: 60_000 });
    assert.isFalse(busy.isCancelled);
    assert.equal(await short, 3);
    assert.isFalse(busy.isCancelled);
    context.close({ cancel: true });
    assert.instanceOf(await failure(busy), CancellationError);
    await closed;
    assert.equal(context.stats().lost, 0);
  });

  it('cancels what is left at the end of `drain`', async () => {
    const context = await open(2);
    const waiting = context.async('waitForSignal', cells(context));
    const start = performance.now();
    const closed = context.close({ drain: 30, grace: 60_000 });
    assert.isFalse(waiting.isCancelled);
    assert.instanceOf(await failure(waiting), CancellationError);
    // Timers are rounded down by up to a millisecond.
    assert.isAtLeast(performance.now() - start, 29);
    await closed;
    assert.equal(context.stats().lost, 0);
  });

  it('is over at once if nothing is left, whatever the limits are', async () => {
    const context = await open(2);
    await context.async('add', 1, 2);
    await context.close({ drain: 60_000, grace: 60_000 });
    assert.equal(context.stats().lost, 0);
  });

  it('may be hurried, but not put off', async () => {
    const context = await open(1);
    const array = cells(context);
    const job = context.async('loopForEver', array);
    await begun(array);
    const closed = context.close({ drain: 1e9, grace: 1e9 });
    assert.equal(context.close({ cancel: true }), closed);
    assert.isTrue(job.isCancelled);
    assert.equal(context.close({ grace: 10 }), closed);
    assert.equal(context.close({ drain: Infinity, grace: Infinity }), closed);
    assertKilled(await failure(job));
    await closed;
    assert.equal(context.close({ grace: 0 }), closed);
  });

  it('may be done before the workers have started', async () => {
    for (const grace of [0, 1, 20]) {
      const context = await open(2, { ready: false });
      const job = context.async('add', 1, 2);
      const outcome = job.catch((error) => error);
      await context.close({ cancel: true, grace });
      const value = await outcome;
      assert.isTrue(value === 3 || value instanceof Error);
    }
  });

  it('can be done by a function that is cancelled with it', async () => {
    const context = await open(1);
    const array = cells(context);
    const outer = Main.async(async (scope) => {
      const inner = scope.async(context, 'loopForEver', array);
      await begun(array);
      await context.close(now);
      await inner;
    });
    assertKilled(await failure(outer));
  });

  it('leaves other contexts alone', async () => {
    const other = await open(1);
    const context = await open(1);
    const array = cells(context);
    const job = context.async('loopForEver', array);
    await begun(array);
    const running = other.async('later', 'there');
    await context.close(now);
    assertKilled(await failure(job));
    assert.equal(await running, 'there');
    assert.equal(await other.async('add', 1, 2), 3);
    await other.close();
  });

  it('says what is wrong with its options', async () => {
    const context = await open(1);
    for (const [options, message] of [
      [null, /expected `options` to be an object { cancel, drain, grace }, got null/],
      [{ cancel: 1 }, /expected `options.cancel` to be a boolean, got 1/],
      [{ drain: -1 }, /expected `options.drain` to be a number of milliseconds from 0/],
      [{ drain: '5' }, /expected `options.drain` .*got '5'/],
      [{ grace: NaN }, /expected `options.grace` to be a number of milliseconds from 0.*got NaN/],
    ]) {
      assert.match((await failure(context.close(options))).message, message);
    }
    assert.isFalse(context.isClosed);
    await context.close();
  });

  it('leaves nothing that keeps a process of Node, nor memory', async (t) => {
    if (inPage) return t.skip('there are no processes');
    const { execFile } = await import('node:child_process');
    const { fileURLToPath } = await import('node:url');
    const script = fileURLToPath(new URL('./helpers/close-and-end.node.mjs', import.meta.url));
    const { error, stdout } = await new Promise((resolve) => {
      execFile(process.execPath, [script], { timeout: 60_000 }, (e, out) =>
        resolve({ error: e, stdout: out }),
      );
    });
    assert.isNull(error);
    assert.equal(stdout.trim(), 'closed');
  });
});
