// Jobs on the main thread, and how it fares while others work.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Main, MainScope, TimeoutCancellationError } from 'coworker';
import { cells, failure, thrown, uncaught, until, using } from './helpers/contexts.js';

/**
 * Counts turns of the event loop by messages, which come in each one: timers
 * come by the clock. The function that it returns ends that.
 */
function countTurns() {
  let passed = 0;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    passed++;
    port2.postMessage(null);
  };
  port2.postMessage(null);
  return () => {
    port1.close();
    return passed;
  };
}

describe('the main thread', () => {
  it('is ready without any context', async () => {
    const error = thrown(() => Main.launch(() => {}));
    assert.equal(error.name, 'CoworkerError');
    assert.include(error.message, 'Main.ready');
    assert.equal(await Main.ready, undefined);
    assert.equal(await Main.async(() => 5), 5);
  });

  it('runs functions with a scope and arguments', async () => {
    await Main.ready;
    const local = Symbol('need not be cloned');
    const result = await Main.async(
      function named(scope, one, two) {
        assert.instanceOf(scope, MainScope);
        assert.isTrue(scope.isActive);
        return [scope.taskName, scope.workerName, one, two];
      },
      local,
      2,
    );
    assert.deepEqual(result, ['named', 'main', local, 2]);
  });

  it('does not run them before launch() returns', async () => {
    await Main.ready;
    let ran = false;
    const job = Main.launch(() => (ran = true));
    assert.isFalse(ran);
    await job.join();
    assert.isTrue(ran);
  });

  it('tells at once how a job ended that began within the call', async () => {
    await Main.ready;
    await Main.async((scope) => {
      const start = 'undispatched';
      const job = scope.async({ start }, () => 5);
      assert.isTrue(job.isCompleted);
      assert.equal(job.getCompleted(), 5);
      assert.isUndefined(job.getCompletionErrorOrUndefined());
      const error = new Error('on purpose');
      const failing = scope.async({ start, job: null }, () => {
        throw error;
      });
      assert.equal(
        thrown(() => failing.getCompleted()),
        error,
      );
      assert.equal(failing.getCompletionErrorOrUndefined(), error);
    });
  });

  it('gives values as they are', async () => {
    await Main.ready;
    const value = { method() {} };
    assert.equal(await Main.async(() => value), value);
    assert.equal(await Main.withContext(async () => value), value);
    assert.isUndefined(await Main.async(() => {}));
  });

  it('gives errors as they are', async () => {
    await Main.ready;
    const error = new RangeError('own');
    const fail = () => {
      throw error;
    };
    assert.equal(await failure(Main.async(fail)), error);
    assert.equal(await failure(Main.async(async () => fail())), error);
    const job = Main.async((scope) => scope.async(fail));
    assert.equal((await failure(job)).message, 'own');
  });

  it('refuses what is no function', async () => {
    await Main.ready;
    for (const [value, text] of [
      ['greet', "'greet'"],
      [undefined, 'undefined'],
      [5, '5'],
    ]) {
      const error = thrown(() => Main.launch(value));
      assert.equal(error.constructor, TypeError);
      assert.include(error.message, text);
    }
    const error = await failure(Main.async((scope) => scope.launch('greet')));
    assert.equal(error.constructor, TypeError);
    assert.include(error.message, 'scope.launch(context, name');
  });

  it('reports failures of launched functions', async () => {
    await Main.ready;
    const error = new RangeError('reported');
    const errors = await uncaught(async (next) => {
      const reported = next();
      Main.launch(() => {
        throw error;
      });
      await reported;
    });
    assert.deepEqual(errors, [error]);
  });

  it('delays and cancels', async () => {
    await Main.ready;
    let cleaned = false;
    let begun = false;
    const job = Main.async(async (scope) => {
      begun = true;
      try {
        await scope.delay(1e9);
      } finally {
        cleaned = true;
      }
    });
    await until(() => begun);
    job.cancel(new Error('why'));
    const error = await failure(job);
    assert.equal(error.constructor, CancellationError);
    assert.equal(error.cause.message, 'why');
    assert.isTrue(cleaned);
    await Main.async((scope) => scope.delay(5));
    await Main.async((scope) => scope.yield());
  });

  it('has timeouts and signals', async () => {
    await Main.ready;
    const wait = (scope) => scope.delay(1e9);
    const late = await failure(Main.async({ timeout: 10 }, wait));
    assert.equal(late.constructor, TimeoutCancellationError);
    const controller = new AbortController();
    const { signal } = controller;
    const job = Main.async({ signal }, wait);
    controller.abort('stop');
    assert.equal((await failure(job)).cause, 'stop');
    let begun = false;
    const listening = Main.async(
      (scope) =>
        new Promise((_resolve, reject) => {
          begun = true;
          scope.signal.onabort = () => reject(scope.signal.reason);
        }),
    );
    await until(() => begun);
    listening.cancel();
    assert.equal((await failure(listening)).constructor, CancellationError);
  });

  it('waits for children, and is cancelled by their failures', async () => {
    await Main.ready;
    const marks = [];
    await Main.async((scope) => {
      scope.launch(async (inner) => {
        await inner.delay(5);
        marks.push('child');
      });
    });
    assert.deepEqual(marks, ['child']);
    const job = Main.async(async (scope) => {
      scope.launch(() => {
        throw new RangeError('child');
      });
      try {
        await scope.delay(1e9);
      } finally {
        marks.push('cancelled');
      }
    });
    assert.equal((await failure(job)).message, 'child');
    assert.deepEqual(marks, ['child', 'cancelled']);
  });
});

describe('the main thread with a context', () => {
  it('has children there', async () => {
    await using(2, async (context) => {
      const sum = await Main.async(async (scope) => {
        const one = scope.async(context, 'add', 1, 2);
        const two = scope.withContext(context, {}, 'add', 3, 4);
        return (await one) + (await two);
      });
      assert.equal(sum, 10);
    });
  });

  it('cancels children there', async () => {
    await using(2, async (context) => {
      const at = cells(context);
      const job = Main.async(async (scope) => {
        scope.launch(context, 'cleanUp', at);
        await scope.delay(1e9);
      });
      await until(() => Atomics.load(at, 0) === 1);
      await job.cancelAndJoin();
      assert.equal(at[1], 1, 'the finally block has run');
    });
  });

  it('fails with children there', async () => {
    await using(2, async (context) => {
      const error = await failure(
        Main.async(async (scope) => {
          scope.launch(context, 'fail', 'over there');
          await scope.delay(1e9);
        }),
      );
      assert.instanceOf(error, RangeError);
      assert.equal(error.message, 'over there');
      assert.equal(error.task, 'fail');
    });
  });

  it('cancels children there when time runs out', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = Main.async({ timeout: 50 }, async (scope) => {
        await scope.async(context, 'cleanUp', at);
      });
      const error = await failure(job);
      assert.equal(error.constructor, TimeoutCancellationError);
      assert.equal(at[1], at[0]);
    });
  });

  it('stays responsive while ten thousand jobs run', async () => {
    await using(2, async (context) => {
      const passed = countTurns();
      const at = cells(context);
      const jobs = Array.from({ length: 10_000 }, () => context.async('mark', at, 0));
      await Promise.all(jobs);
      assert.equal(at[0], 10_000);
      // Not once at the end: in each turn it hears of some 1,000 ends at most.
      assert.isAtLeast(passed(), 5);
    });
  });

  it('stays responsive while ten thousand functions run', async () => {
    await Main.ready;
    const passed = countTurns();
    let ran = 0;
    const jobs = Array.from({ length: 10_000 }, () => Main.async(() => ran++));
    await Promise.all(jobs);
    assert.equal(ran, 10_000);
    assert.isAtLeast(passed(), 100); // a turn runs few of them
  });
});
