// Dispatchers and schedulers of tests, also in place of Main.

import { after, describe, it } from 'node:test';
import { assert } from 'chai';
import { Main, newCompletableDeferred, newScope } from 'coworker';
import {
  newStandardTestDispatcher,
  newTestScheduler,
  newUnconfinedTestDispatcher,
  resetMain,
  runTest,
  setMain,
} from 'coworker/test';
import { failure, hop, thrown, turns, uncaught, using } from './helpers/contexts.js';

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
