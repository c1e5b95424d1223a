// The rules of virtual time, case by case, as bodies in JavaScript see them:
// each test's name begins with the number of its case.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Main } from 'coworker';
import {
  newStandardTestDispatcher,
  newTestScheduler,
  newUnconfinedTestDispatcher,
  runBlockingTest,
  runTest,
} from 'coworker/test';
import { failure } from './helpers/contexts.js';

/** A function that asserts the order in which it is called. */
function marks() {
  let last = 0;
  const mark = (number) => assert.equal(number, ++last, 'the mark');
  mark.last = () => last;
  return mark;
}

describe('virtual time, case by case', () => {
  it('case 244: advancing leaves out its last moment', () =>
    runTest(async (scope) => {
      let entered = false;
      scope.launch(async (child) => {
        await child.delay(15);
        entered = true;
      });
      await scope.runCurrent();
      await scope.advanceTimeBy(15);
      assert.isFalse(entered);
      assert.equal(scope.currentTime, 15);
      await scope.runCurrent();
      assert.isTrue(entered);
      assert.equal(scope.currentTime, 15);
    }));

  it('case 245: a chain of delays is advanced in pieces', () =>
    runTest(async (scope) => {
      let stage = 1;
      scope.launch(async (child) => {
        await child.delay(1000);
        assert.equal(scope.currentTime, 1000);
        stage = 2;
        await child.delay(500);
        assert.equal(scope.currentTime, 1500);
        stage = 3;
        await child.delay(501);
        assert.equal(scope.currentTime, 2001);
        stage = 4;
      });
      assert.equal(stage, 1);
      assert.equal(scope.currentTime, 0);
      await scope.advanceTimeBy(2000);
      assert.equal(stage, 3);
      assert.equal(scope.currentTime, 2000);
      await scope.advanceTimeBy(2);
      assert.equal(stage, 4);
      assert.equal(scope.currentTime, 2002);
    }));

  for (const [kind, make] of [
    ['queues', newStandardTestDispatcher],
    ['does not queue', newUnconfinedTestDispatcher],
  ]) {
    it(`case 247: delays come in order of time, where the dispatcher ${kind}`, async () => {
      await Main.ready;
      const scheduler = newTestScheduler();
      let measured = 0;
      const check = (time) => {
        assert.isBelow(measured, time);
        assert.equal(scheduler.currentTime, time);
        measured = time;
      };
      Main.launch({ context: make(scheduler) }, async (scope) => {
        scope.launch(async (child) => {
          await child.delay(100);
          check(100);
          const job = child.async(async (inner) => {
            await inner.delay(70);
            check(170);
          });
          await child.delay(1);
          check(101);
          await child.await(job);
          await child.delay(1);
          check(171);
        });
        scope.launch(async (child) => {
          await child.delay(200);
          check(200);
        });
        scope.launch(async (child) => {
          await child.delay(150);
          check(150);
          await child.delay(22);
          check(172);
        });
        await scope.delay(201);
        check(201);
      });
      await scheduler.advanceUntilIdle();
      assert.equal(measured, 201);
      assert.equal(scheduler.currentTime, 201);
      await scheduler.close();
    });
  }

  it('case 248: a yield goes behind all that is ready', async () => {
    const mark = marks();
    await runTest(async (scope) => {
      mark(1);
      scope.launch(async (child) => {
        mark(3);
        await child.yield();
        mark(6);
      });
      scope.launch(async (child) => {
        mark(4);
        await child.yield();
        mark(7);
      });
      mark(2);
      await scope.yield();
      mark(5);
    });
    assert.equal(mark.last(), 7);
  });

  it('case 250: a test in a test is refused', () =>
    runTest(async (scope) => {
      for (const inner of [runTest, runBlockingTest]) {
        const error = await failure(inner(() => assert.fail('it runs')));
        assert.equal(error.name, 'IllegalStateError');
        assert.equal(error.code, 'CW_ESTATE');
      }
      await scope.yield(); // the test goes on
      await scope.delay(5);
      assert.equal(scope.currentTime, 5);
    }));

  it('case 250: a failing body cancels its children', async () => {
    const mark = marks();
    const error = new Error('on purpose');
    const result = runTest(async (scope) => {
      scope.launch(async (child) => {
        let turns = 0;
        try {
          for (; ; turns++) await child.delay(1000);
        } catch (cancellation) {
          assert.instanceOf(cancellation, CancellationError);
          mark(2);
          assert.equal(turns, 1);
          assert.equal(scope.testScheduler.currentTime, 1500);
          throw cancellation;
        }
      });
      await scope.delay(1500);
      mark(1);
      throw error;
    });
    assert.equal(await failure(result), error);
    mark(3);
  });

  it('case 251: the background keeps nothing running', async () => {
    const mark = marks();
    await runTest(async (scope) => {
      let slow = 0;
      let fast = 0;
      scope.backgroundScope.launch(async (child) => {
        for (;;) {
          slow++;
          await child.delay(100);
        }
      });
      scope.backgroundScope.launch(async (child) => {
        for (;;) {
          fast++;
          await child.delay(50);
        }
      });
      await scope.advanceUntilIdle();
      assert.deepEqual([slow, fast], [0, 0]);
      const soon = scope.launch(async (child) => {
        await child.delay(1);
        assert.deepEqual([slow, fast], [1, 1]);
        mark(1);
      });
      await scope.join(soon);
      assert.deepEqual([slow, fast], [1, 1]);
      await scope.advanceTimeBy(199);
      assert.deepEqual([slow, fast], [2, 4]);
      await scope.advanceUntilIdle();
      assert.deepEqual([slow, fast], [2, 4]);
      await scope.runCurrent();
      assert.deepEqual([slow, fast], [3, 5]);
      scope.launch(async (child) => {
        await child.delay(1001);
        assert.deepEqual([slow, fast], [13, 25]);
        mark(2);
      });
      await scope.advanceUntilIdle();
      assert.deepEqual([slow, fast], [13, 25]);
      assert.equal(scope.currentTime, 1201);
      mark(3);
    });
    assert.equal(mark.last(), 3);
  });
});
