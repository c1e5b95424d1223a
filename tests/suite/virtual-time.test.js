// Virtual time: how it passes in a test, and how real time goes on beside it.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { Main, TimeoutCancellationError, newCompletableDeferred, newJob } from 'coworker';
import { TestScope, runTest } from 'coworker/test';
import { failure, hop, turns, using } from './helpers/contexts.js';

const HOUR = 3_600_000;

describe('advancing', () => {
  it('runs ties in the order of insertion', () =>
    runTest(async (scope) => {
      const log = [];
      const after = (ms, what) =>
        scope.launch(async (child) => {
          await child.delay(ms);
          log.push(what);
        });
      after(10, 'a');
      after(5, 'b');
      await scope.runCurrent();
      await scope.advanceTimeBy(5);
      after(5, 'c'); // begins before, at 5, what is due at 5
      await scope.runCurrent();
      after(5, 'd');
      await scope.advanceUntilIdle();
      assert.equal(log.join(''), 'bacd');
      assert.equal(scope.currentTime, 10);
    }));

  it('takes what is due at a moment one at a time, with all that follows from it', () =>
    runTest(async (scope) => {
      const log = [];
      for (let i = 0; i < 3; i++) {
        scope.launch(async (child) => {
          await child.delay(10);
          log.push(i);
          await hop(50); // far more than any count of hops
          log.push(i);
          await child.coroutineScope(async (inner) => {
            await hop(3);
            await inner.coroutineScope(() => hop(3));
          });
          await hop(20);
          log.push(i);
        });
      }
      await scope.delay(11);
      assert.deepEqual(log, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    }));

  it('saturates at the end of time', () =>
    runTest(async (scope) => {
      let late = false;
      scope.launch(async (child) => {
        await child.delay(1e300 / 1e290);
        await child.delay(8e15);
        late = true;
      });
      await scope.advanceTimeBy(Number.MAX_SAFE_INTEGER);
      await scope.advanceTimeBy(Infinity);
      const end = scope.currentTime;
      await scope.advanceTimeBy(5);
      assert.equal(scope.currentTime, end);
      await scope.runCurrent();
      assert.isTrue(late);
    }));

  it('can be asked for within a task, and by several at once', () =>
    runTest(async (scope) => {
      const log = [];
      const inner = scope.launch(async () => {
        await scope.advanceTimeBy(10);
        log.push(['inner', scope.currentTime]);
      });
      scope.launch(async (child) => {
        await child.delay(5);
        log.push(['child', scope.currentTime]);
      });
      await scope.delay(5); // is over within the inner call, which waits for this one
      log.push(['outer', scope.currentTime]);
      await Promise.all([scope.advanceTimeBy(10), scope.advanceTimeBy(5)]);
      log.push(['after', scope.currentTime]);
      await scope.join(inner);
      assert.equal(scope.currentTime, 20); // the clock is never put back
      assert.deepEqual(log, [
        ['outer', 5],
        ['child', 5],
        ['after', 20],
        ['inner', 20],
      ]);
    }));

  it('refuses times that are none', () =>
    runTest(async (scope) => {
      for (const [ms, name] of [
        [-1, 'RangeError'],
        [NaN, 'TypeError'],
        ['5', 'TypeError'],
        [undefined, 'TypeError'],
      ]) {
        const error = await failure(scope.advanceTimeBy(ms));
        assert.equal(error.name, name);
        assert.match(error.message, /expected `ms`/);
      }
      assert.equal(scope.currentTime, 0);
    }));

  it('ends what was begun by those who do not await it', async () => {
    let done = false;
    await runTest((scope) => {
      scope.launch(async (child) => {
        await child.delay(1000);
        done = true;
      });
      void scope.advanceTimeBy(500);
    });
    assert.isTrue(done);
  });
});

describe('time limits and scopes in virtual time', () => {
  it('cancels by the virtual clock', () =>
    runTest(async (scope) => {
      const error = await failure(scope.withTimeout(1000, (inner) => inner.delay(1001)));
      assert.instanceOf(error, TimeoutCancellationError);
      assert.equal(scope.currentTime, 1000);
      assert.equal(await scope.withTimeout(1000, (inner) => inner.delay(999).then(() => 1)), 1);
      assert.equal(scope.currentTime, 1999);
      assert.isNull(await scope.withTimeoutOrNull(1, (inner) => inner.awaitCancellation()));
      assert.equal(scope.currentTime, 2000);
      const job = scope.launch({ timeout: 500 }, (child) => child.delay(HOUR));
      await scope.join(job);
      assert.isTrue(job.isCancelled);
      assert.equal(scope.currentTime, 2500);
    }));

  it('has scopes inside, whose time is the same', () =>
    runTest(async (scope) => {
      await scope.coroutineScope(async (inner) => {
        assert.instanceOf(inner, TestScope);
        inner.launch((child) => child.delay(10));
        await inner.advanceTimeBy(5);
        assert.equal(inner.currentTime, 5);
      });
      assert.equal(scope.currentTime, 10);
      await scope.supervisorScope((inner) => inner.delay(10));
      await scope.nonCancellable((inner) => inner.delay(10));
      await scope.withContext({ name: 'x' }, (inner) => inner.delay(10));
      assert.equal(scope.currentTime, 40);
    }));

  it('cancels what waits in it', () =>
    runTest(async (scope) => {
      const log = [];
      const job = scope.launch(async (child) => {
        try {
          await child.delay(HOUR);
        } finally {
          await child.nonCancellable((inner) => inner.delay(7));
          log.push(scope.currentTime);
        }
      });
      await scope.delay(3);
      await scope.cancelAndJoin(job);
      assert.deepEqual(log, [10]);
      const controller = new AbortController();
      const other = scope.launch({ signal: controller.signal }, (child) => child.delay(HOUR));
      await scope.delay(1);
      controller.abort();
      await other.join();
      assert.equal(scope.currentTime, 11);
      const never = scope.launch({ signal: controller.signal }, () => log.push('runs'));
      await scope.join(never);
      assert.deepEqual(log, [10]);
    }));

  it('starts jobs in every way', () =>
    runTest(async (scope) => {
      const log = [];
      const body = async (child, what) => {
        log.push(`${what} begins`);
        await child.yield();
        log.push(`${what} ends`);
      };
      const lazy = scope.launch({ start: 'lazy' }, body, 'lazy');
      scope.launch({ start: 'undispatched' }, body, 'undispatched');
      log.push('here');
      scope.launch({ start: 'atomic' }, body, 'atomic').cancel();
      await scope.advanceUntilIdle();
      assert.deepEqual(log, ['undispatched begins', 'here', 'undispatched ends', 'atomic begins']);
      log.length = 0;
      await scope.join(lazy);
      assert.deepEqual(log, ['lazy begins', 'lazy ends']);
    }));

  it('gives results by promises, too', () =>
    runTest(async (scope) => {
      const job = scope.async(async (child) => {
        await child.delay(10);
        return 'value';
      });
      assert.equal(await job, 'value');
      assert.equal(scope.currentTime, 10);
      assert.equal(job.getCompleted(), 'value');
      await job.join();
      const failing = scope.async({ job: null }, async (child) => {
        await child.delay(10);
        throw new Error('told');
      });
      assert.equal((await failure(failing)).message, 'told');
      const answer = newCompletableDeferred();
      scope.launch(async (child) => {
        await child.delay(5);
        answer.complete(7);
      });
      assert.equal(await scope.await(answer), 7);
      assert.equal(scope.currentTime, 25);
    }));
});

describe('real time during a test', () => {
  it('goes on for workers, whose results are waited for', () =>
    using(2, (context) =>
      runTest(async (scope) => {
        assert.equal(await scope.withContext(context, 'add', 1, 2), 3);
        assert.equal(scope.currentTime, 0);
        const sums = await scope.awaitAll(
          Array.from({ length: 20 }, (_, i) => scope.async(context, 'add', i, 1)),
        );
        assert.equal(sums[19], 20);
        let ticks = 0;
        scope.launch(async (child) => {
          for (; ticks < 3; ticks++) await child.delay(1000);
        });
        assert.equal(await context.async('add', 2, 2), 4); // a plain promise
        assert.equal(await scope.withContext(context, 'add', 2, 3), 5);
        await scope.advanceUntilIdle();
        assert.equal(ticks, 3);
        assert.equal(scope.currentTime, 3000);
        const error = await failure(scope.withContext(context, 'fail'));
        assert.instanceOf(error, Error);
      }),
    ));

  it('goes on for the main thread', () =>
    runTest(async (scope) => {
      const began = performance.now();
      const value = await Main.async(async (main) => {
        await main.delay(20);
        return 'real';
      });
      assert.equal(value, 'real');
      assert.isAtLeast(performance.now() - began, 19);
      assert.equal(scope.currentTime, 0);
      const job = Main.async(async (main) => {
        for (let i = 0; i < 50; i++) await main.yield();
        return 50;
      });
      assert.equal(await scope.await(job), 50);
      assert.equal(scope.currentTime, 0);
    }));

  it('is waited for if nothing else is left to do', () =>
    runTest(async (scope) => {
      await turns(5);
      await scope.delay(1000);
      await turns(5);
      assert.equal(scope.currentTime, 1000);
      const value = await scope.suspendCancellable((resume) => {
        turns(5).then(() => resume(7));
      });
      assert.equal(value, 7);
      assert.equal(scope.currentTime, 1000);
      const parent = newJob();
      turns(5).then(() => parent.complete());
      await scope.join(parent);
    }));
});
