// Tests in virtual time: coworker/test.

import { after, describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  ContextKey,
  Main,
  MainScope,
  TimeoutCancellationError,
  newCompletableDeferred,
  newJob,
  newScope,
} from 'coworker';
import {
  TestDispatcher,
  TestScheduler,
  TestScope,
  newStandardTestDispatcher,
  newTestScheduler,
  newUnconfinedTestDispatcher,
  resetMain,
  runBlockingTest,
  runTest,
  setMain,
} from 'coworker/test';
import { failure, thrown, turns, uncaught, using } from './helpers/contexts.js';

const HOUR = 3_600_000;

/** So many turns of the queue of microtasks. */
async function hop(count) {
  for (let i = 0; i < count; i++) await undefined;
}

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

describe('test dispatchers', () => {
  it('queue, or begin within the call', () =>
    runTest(async (scope) => {
      const log = [];
      const body = async (child, what) => {
        log.push(`${what} begins`);
        await child.delay(10);
        log.push(`${what} ends at ${scope.currentTime}`);
      };
      const queued = newStandardTestDispatcher();
      const eager = newUnconfinedTestDispatcher(scope.testScheduler);
      assert.equal(queued.scheduler, scope.testScheduler);
      scope.launch({ context: queued }, body, 'queued');
      scope.launch({ context: eager }, body, 'eager');
      log.push('launched');
      await scope.delay(11);
      assert.deepEqual(log, [
        'eager begins',
        'launched',
        'queued begins',
        'eager ends at 10',
        'queued ends at 10',
      ]);
    }));

  it('let the nested wait for the outermost', () =>
    runTest((scope) => {
      const log = [];
      scope.launch({ context: newUnconfinedTestDispatcher() }, (outer) => {
        log.push(1);
        outer.launch((inner) => {
          log.push(3);
          inner.launch(() => log.push(5));
          log.push(4);
        });
        log.push(2);
      });
      assert.deepEqual(log, [1, 2, 3, 4, 5]);
    }));

  it('go on as soon as they can where nothing is queued', () =>
    runTest(async (scope) => {
      const log = [];
      const answer = newCompletableDeferred();
      scope.launch({ context: newUnconfinedTestDispatcher() }, async (child) => {
        log.push(await child.await(answer));
        await child.yield();
        log.push('yielded');
      });
      answer.complete('resumed');
      await hop(20); // no event is run meanwhile
      assert.deepEqual(log, ['resumed', 'yielded']);
    }));

  it('are inherited, and can be changed for a block', () =>
    runTest(async (scope) => {
      const log = [];
      const eager = newUnconfinedTestDispatcher();
      await scope.withContext({ context: eager }, async (inner) => {
        inner.launch(() => log.push(2)); // after the outermost
        log.push(1);
        await inner.delay(5);
      });
      const value = await scope.withContext({ context: eager }, () => 7);
      assert.equal(value, 7);
      const error = new Error('of the block');
      const fail = () => {
        throw error;
      };
      assert.equal(await failure(scope.withContext({ context: eager }, fail)), error);
      scope.launch(() => log.push(4));
      log.push(3);
      await scope.yield();
      assert.deepEqual(log, [1, 2, 3, 4]);
      assert.equal(scope.currentTime, 5);
    }));

  it('run a test', async () => {
    const dispatcher = newUnconfinedTestDispatcher();
    const { scheduler } = dispatcher;
    for (let i = 1; i <= 2; i++) {
      const log = [];
      await runTest(
        async (scope) => {
          assert.equal(scope.testScheduler, scheduler);
          scope.launch(() => log.push(1));
          log.push(2);
          await scope.delay(7);
        },
        { dispatcher },
      );
      assert.deepEqual(log, [1, 2]);
      assert.equal(scheduler.currentTime, 7 * i); // goes on
    }
    await scheduler.close();
  });

  it('can be made before coworker is ready', async () => {
    const scheduler = newTestScheduler();
    assert.equal(scheduler.currentTime, 0);
    await scheduler.close();
    await scheduler.close();
    const error = await failure(scheduler.runCurrent());
    assert.equal(error.name, 'IllegalStateError');
    assert.match(error.message, /closed/);
  });

  it('of another scheduler are refused in a test', async () => {
    const other = newStandardTestDispatcher(newTestScheduler());
    await runTest(async (scope) => {
      const error = thrown(() => scope.launch({ context: other }, () => {}));
      assert.equal(error.name, 'IllegalStateError');
      assert.match(error.message, /scheduler is not that of the running test/);
      const advancing = await failure(other.scheduler.advanceTimeBy(1));
      assert.equal(advancing.name, 'IllegalStateError');
      assert.equal((await failure(scope.testScheduler.close())).name, 'IllegalStateError');
    });
    await other.scheduler.close();
  });

  it('of a test cannot be used after it', async () => {
    const { testScheduler, backgroundScope } = await runTest((scope) => scope);
    for (const call of [
      () => backgroundScope.launch(() => {}),
      () => newScope({ context: newStandardTestDispatcher(testScheduler) }).launch(() => {}),
    ]) {
      const error = thrown(call);
      assert.equal(error.name, 'IllegalStateError');
      assert.match(error.message, /closed/);
    }
  });

  it('are checked', async () => {
    await Main.ready;
    assert.match(thrown(() => newStandardTestDispatcher(5)).message, /`scheduler`.*got 5/);
    assert.match(thrown(() => newUnconfinedTestDispatcher({})).message, /`scheduler`/);
    assert.match(thrown(() => Main.launch({ context: 5 }, () => {})).message, /options.context/);
    await runTest((scope) => {
      const error = thrown(() => scope.withContext({ context: Main }, () => {}));
      assert.match(error.message, /`options.context` to be a dispatcher/);
    });
    await using(1, (context) => {
      const dispatcher = newStandardTestDispatcher();
      const error = thrown(() => context.launch({ context: dispatcher }, 'add', 1, 2));
      assert.match(error.message, /functions of this thread/);
    });
  });
});

describe('a test scheduler of its own', () => {
  it('runs when told to, and only then', async () => {
    await Main.ready;
    const scheduler = newTestScheduler();
    const context = newStandardTestDispatcher(scheduler);
    const log = [];
    Main.launch({ context }, async (scope) => {
      log.push('begins');
      await scope.delay(1000);
      log.push('ends');
    });
    const eager = newUnconfinedTestDispatcher(scheduler);
    Main.launch({ context: eager }, async (scope) => {
      log.push('eager');
      await scope.delay(1000);
      log.push('eager ends');
    });
    assert.deepEqual(log, ['eager']);
    await turns(5);
    assert.deepEqual(log, ['eager']);
    await scheduler.runCurrent();
    assert.deepEqual(log, ['eager', 'begins']);
    await scheduler.advanceTimeBy(1001);
    assert.deepEqual(log, ['eager', 'begins', 'eager ends', 'ends']);
    assert.equal(scheduler.currentTime, 1001);
    await scheduler.close();
    assert.equal(scheduler.currentTime, 1001);
  });

  it('reports failures as ever', async () => {
    await Main.ready;
    const scheduler = newTestScheduler();
    const error = new Error('on purpose');
    const errors = await uncaught(async (next) => {
      const shown = next();
      Main.launch({ context: newStandardTestDispatcher(scheduler) }, () => {
        throw error;
      });
      await scheduler.runCurrent();
      await shown;
    });
    assert.deepEqual(errors, [error]);
    await scheduler.close();
  });

  it('cancels what is left when it is closed', async () => {
    await Main.ready;
    const scheduler = newTestScheduler();
    const context = newStandardTestDispatcher(scheduler);
    const log = [];
    const job = Main.launch({ context }, async (scope) => {
      try {
        await scope.delay(1000);
      } catch (error) {
        log.push(error.name);
        await turns(5); // is waited for
        log.push('cleaned');
      }
    });
    await scheduler.runCurrent();
    const ready = Main.launch({ context }, async (scope) => {
      log.push('ready');
      await scope.delay(1);
      log.push('never');
    });
    await scheduler.close();
    assert.deepEqual(log, ['ready', 'CancellationError', 'cleaned']);
    await job.join();
    await ready.join();
    assert.isTrue(ready.isCancelled);
  });
});

describe('Main in tests', () => {
  after(() => resetMain());

  it('can be replaced', async () => {
    await Main.ready;
    const dispatcher = newStandardTestDispatcher();
    setMain(dispatcher);
    const log = [];
    const before = Main.launch(() => log.push('before'));
    await turns(5);
    assert.deepEqual(log, []);
    assert.equal(newUnconfinedTestDispatcher().scheduler, dispatcher.scheduler);
    await runTest(async (scope) => {
      assert.equal(scope.testScheduler, dispatcher.scheduler);
      const job = Main.launch(async (main) => {
        log.push('main');
        await main.delay(500);
        log.push('later');
      });
      newScope().launch(() => log.push('scope'));
      await scope.advanceTimeBy(500);
      assert.deepEqual(log, ['before', 'main', 'scope']);
      await scope.join(job);
      assert.deepEqual(log, ['before', 'main', 'scope', 'later']);
    });
    await before.join();
    resetMain();
    resetMain();
    await Main.launch(() => log.push('real')).join();
    assert.equal(log.at(-1), 'real');
    await dispatcher.scheduler.close();
  });

  it('can be replaced by what does not queue', async () => {
    const dispatcher = newUnconfinedTestDispatcher();
    setMain(dispatcher);
    const log = [];
    Main.launch(async (scope) => {
      log.push(1);
      await scope.delay(10);
      log.push(3);
    });
    log.push(2);
    await dispatcher.scheduler.advanceUntilIdle();
    assert.deepEqual(log, [1, 2, 3]);
    resetMain();
    await dispatcher.scheduler.close();
  });

  it('takes dispatchers only', () => {
    for (const bad of [undefined, null, 5, Main, {}]) {
      assert.match(
        thrown(() => setMain(bad)).message,
        /expected `dispatcher` to be a TestDispatcher/,
      );
    }
  });
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
