// Tests in virtual time: what becomes of their bodies, and of what these leave.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, ContextKey, Main, MainScope } from 'coworker';
import {
  TestDispatcher,
  TestScheduler,
  TestScope,
  newStandardTestDispatcher,
  runBlockingTest,
  runTest,
} from 'coworker/test';
import { failure } from './helpers/contexts.js';

const HOUR = 3_600_000;

describe('runTest', () => {
  it('gives the result, and takes no real time for delays', async () => {
    const began = performance.now();
    const result = await runTest(async (scope) => {
      assert.instanceOf(scope, TestScope);
      assert.instanceOf(scope, MainScope);
      assert.instanceOf(scope.testScheduler, TestScheduler);
      assert.equal(scope.currentTime, 0);
      await scope.delay(24 * HOUR);
      assert.equal(scope.currentTime, 24 * HOUR);
      await scope.yield();
      await scope.delay(0);
      assert.equal(scope.currentTime, 24 * HOUR);
      await scope.delay(0.5); // rounded up
      assert.equal(scope.currentTime, 24 * HOUR + 1);
      return { any: scope };
    });
    assert.instanceOf(result.any, TestScope);
    assert.equal(result.any.currentTime, 24 * HOUR + 1);
    assert.isBelow(performance.now() - began, HOUR);
    assert.equal(await runTest(() => 5), 5);
  });

  it('rejects with the very error of the body', async () => {
    const error = new Error('on purpose');
    const asynchronous = runTest(async (scope) => {
      await scope.delay(1);
      throw error;
    });
    assert.equal(await failure(asynchronous), error);
    const synchronous = runTest(() => {
      throw error;
    });
    assert.equal(await failure(synchronous), error);
    assert.equal(
      await failure(
        runTest(() => {
          throw 'text';
        }),
      ),
      'text',
    );
  });

  it('tells that the body was cancelled', async () => {
    const error = await failure(runTest((scope) => scope.cancel('why')));
    assert.instanceOf(error, CancellationError);
    assert.equal(error.cause, 'why');
  });

  it('waits for children in virtual time', async () => {
    const log = [];
    const value = await runTest((scope) => {
      for (const ms of [2000, 1000, 3000]) {
        scope.launch(async (child) => {
          await child.delay(ms);
          log.push(scope.testScheduler.currentTime);
        });
      }
      return 'early';
    });
    assert.equal(value, 'early');
    assert.deepEqual(log, [1000, 2000, 3000]);
  });

  it('fails with the failure of a child', async () => {
    const error = new Error('of a child');
    let cancelled = false;
    const result = runTest(async (scope) => {
      scope.launch(async (child) => {
        await child.delay(10);
        throw error;
      });
      try {
        await scope.delay(Infinity);
      } catch (cancellation) {
        cancelled = cancellation instanceof CancellationError;
        throw cancellation;
      }
    });
    assert.equal(await failure(result), error);
    assert.isTrue(cancelled);
  });

  it('tells failures that nobody takes at the end, the first one first', async () => {
    const [first, second, own] = ['first', 'second', 'own'].map((text) => new Error(text));
    const fail = async (child, ms, error) => {
      await child.delay(ms);
      throw error;
    };
    let reached = false;
    const body = async (scope, last) => {
      scope.backgroundScope.launch(fail, 2, second);
      scope.backgroundScope.launch(fail, 1, first);
      await scope.delay(10);
      reached = scope.isActive;
      if (last) throw last;
    };
    let error = await failure(runTest((scope) => body(scope)));
    assert.isTrue(reached);
    assert.equal(error, first);
    assert.deepEqual(error.suppressed, [second]);
    error = await failure(runTest((scope) => body(scope, own)));
    assert.equal(error, own);
    assert.deepEqual(error.suppressed, [first, second]);
  });

  it('leaves failures to those who take them', () =>
    runTest(async (scope) => {
      const error = new Error('taken');
      const taken = [];
      const fail = () => {
        throw error;
      };
      scope.backgroundScope.launch({ handler: (failed) => taken.push(failed) }, fail);
      const result = await scope.supervisorScope(async (inner) => {
        inner.launch({ handler: (failed) => taken.push(failed) }, fail);
        const job = inner.async(fail);
        return failure(inner.await(job));
      });
      assert.equal(result, error);
      await scope.delay(1);
      assert.deepEqual(taken, [error, error]);
    }));

  it('cancels the background at the end, and runs its clean-up', async () => {
    const log = [];
    await runTest(async (scope) => {
      const tick = async (child) => {
        try {
          for (;;) await child.delay(10);
        } finally {
          log.push(scope.testScheduler.currentTime);
        }
      };
      scope.backgroundScope.launch(tick);
      scope.backgroundScope.launch((child) => {
        child.launch(tick); // is in the background, too
      });
      assert.equal(await scope.backgroundScope.async(() => 7), 7);
      await scope.advanceUntilIdle();
      assert.equal(scope.currentTime, 0);
      await scope.delay(105);
      assert.deepEqual(log, []);
    });
    assert.deepEqual(log, [105, 105]);
  });

  it('runs one test after the other', async () => {
    const first = runTest((scope) => scope.delay(5));
    const error = await failure(runTest(() => assert.fail('it runs')));
    assert.equal(error.name, 'IllegalStateError');
    assert.match(error.message, /a test in virtual time is running/);
    await first;
    await runTest((scope) => scope.delay(5));
  });

  it('has values of keys, and names', () =>
    runTest(
      async (scope) => {
        assert.equal(scope.taskName, 'named');
        assert.equal(scope.get(new ContextKey('number')), 7);
        assert.equal(await scope.async((child) => child.get(new ContextKey('number'))), 7);
      },
      { name: 'named', values: [new ContextKey('number').with(7)] },
    ));

  it('refuses what it cannot use', async () => {
    const body = () => assert.fail('it runs');
    const message = async (promise) => (await failure(promise)).message;
    assert.match(await message(runTest()), /expected `body` to be a function, got undefined/);
    assert.match(await message(runBlockingTest(5)), /expected `body` to be a function, got 5/);
    assert.match(await message(runTest(body, 5)), /expected `options` to be an object, got 5/);
    assert.match(await message(runTest(body, { timeout: 'x' })), /`options.timeout`.*got 'x'/);
    assert.match(await message(runTest(body, { timeout: 0 })), /`options.timeout`.*got 0/);
    assert.match(await message(runTest(body, { timeout: -1 })), /`options.timeout`.*got -1/);
    assert.match(
      await message(runTest(body, { dispatcher: Main })),
      /`options.dispatcher` to be a TestDispatcher, got an object of MainContext: tests run in virtual/,
    );
    assert.match(await message(runTest(body, { handler() {} })), /takes no `handler`/);
    assert.match(await message(runTest(body, { name: 5 })), /`options.name`/);
    const background = newStandardTestDispatcher();
    assert.instanceOf(background, TestDispatcher);
    await runTest(() => {}); // nothing is left of these
  });
});

describe('the time limit of a test', () => {
  it('tells what hung, and cancels it', async () => {
    let cleaned = false;
    const result = runTest(
      async (scope) => {
        scope.launch(async function hangs(child) {
          await child.delay(Infinity);
        });
        scope.launch({ name: 'named' }, (child) => child.awaitCancellation());
        scope.launch(() => 1);
        try {
          await scope.delay(Infinity);
        } finally {
          cleaned = true;
        }
      },
      { timeout: 20 },
    );
    const error = await failure(result);
    assert.equal(error.name, 'TestTimeoutError');
    assert.equal(error.code, 'CW_ETIMEDOUT');
    assert.match(
      error.message,
      /^coworker: the time limit of the test ran out; its body is not over: waits for time to pass; active: hangs \(waits for time to pass\), named \(waits for time to pass\)$/,
    );
    assert.isTrue(cleaned);
  });

  it('names children if the body is over', async () => {
    const result = runTest(
      (scope) => {
        scope.launch(async function hangs(child) {
          await child.delay(Infinity);
        });
      },
      { timeout: 20 },
    );
    const error = await failure(result);
    assert.match(error.message, /ran out; active: hangs \(waits for time to pass\)$/);
  });

  it('reaches endless events, also within a call', async () => {
    const busy = async (child, ms) => {
      for (;;) await (ms ? child.delay(ms) : child.yield());
    };
    for (const ms of [0, 1]) {
      const error = await failure(runTest((scope) => busy(scope, ms), { timeout: 20 }));
      assert.equal(error.name, 'TestTimeoutError');
    }
    const within = async (scope) => {
      scope.launch(busy, 1);
      await scope.advanceUntilIdle();
    };
    assert.equal((await failure(runTest(within, { timeout: 20 }))).name, 'TestTimeoutError');
  });

  it('gives up a body that never comes back', async () => {
    const error = await failure(runTest(() => new Promise(() => {}), { timeout: 20 }));
    assert.equal(error.name, 'TestTimeoutError');
    assert.equal(await runTest(() => 1), 1);
  });

  it('is not noticed by those who are in time, however short', async () => {
    assert.equal(await runTest(() => 1, { timeout: Infinity }), 1);
    await runTest((scope) => scope.delay(100 * 24 * HOUR), { timeout: 10_000 });
  });
});

describe('runBlockingTest', () => {
  it('begins what is launched within the call, at any depth', async () => {
    const log = [];
    const result = await runBlockingTest(async (scope) => {
      log.push(1);
      scope.launch((child) => {
        log.push(2);
        child.launch(() => log.push(3));
        log.push(4);
      });
      log.push(5);
      await scope.delay(5);
      return scope.currentTime;
    });
    assert.equal(result, 5);
    assert.deepEqual(log, [1, 2, 3, 4, 5]);
  });

  it('advances up to the moment itself', () =>
    runBlockingTest(async (scope) => {
      let done = false;
      scope.launch(async (child) => {
        await child.delay(10);
        done = true;
      });
      await scope.advanceTimeBy(9);
      assert.isFalse(done);
      await scope.advanceTimeBy(1);
      assert.isTrue(done);
      assert.equal(scope.currentTime, 10);
    }));

  it('refuses to leave jobs', async () => {
    const hang = function hangs(child) {
      return child.delay(Infinity);
    };
    let error = await failure(
      runBlockingTest((scope) => {
        scope.launch(hang);
      }),
    );
    assert.equal(error.name, 'UncompletedTestError');
    assert.equal(error.code, 'CW_EBUSY');
    assert.equal(
      error.message,
      'coworker: the test is not over; active: hangs (waits for time to pass)',
    );
    // Its body ends when it is told that it was left behind, not any sooner.
    const outside = ({ signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', resolve));
    error = await failure(runBlockingTest(outside));
    assert.equal(
      error.message,
      'coworker: the test is not over; its body is not over: runs outside',
    );
  });

  it('refuses to leave events', async () => {
    const result = runBlockingTest((scope) => {
      scope.backgroundScope.launch(async (child) => {
        for (;;) await child.delay(1);
      });
    });
    assert.equal((await failure(result)).message, 'coworker: events of the test are left');
  });

  it('tells the error of the body first', async () => {
    const error = new Error('on purpose');
    const result = runBlockingTest((scope) => {
      scope.backgroundScope.launch((child) => child.delay(1));
      throw error;
    });
    assert.equal(await failure(result), error);
  });
});
