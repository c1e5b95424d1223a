// What loops have to do, case by case.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { Unconfined, newExecutorDispatcher } from 'coworker';
import { onMain } from './helpers/marks.js';

/** Why there is no form of a case here. */
const noBlocking = 'a thread of JavaScript cannot block to run a loop: there is no runBlocking()';

describe('loops', () => {
  it('case 103: nested unconfined jobs wait for the outermost one', () =>
    onMain(8, (scope, expect) => {
      const unconfined = { context: Unconfined };
      expect(1);
      scope.launch(unconfined, (outer) => {
        expect(2);
        outer.launch(unconfined, (nested) => {
          expect(4);
          nested.launch(unconfined, () => expect(6));
          nested.launch(unconfined, () => expect(7));
          expect(5);
        });
        expect(3);
      });
      expect(8);
    }));

  // A body of JavaScript comes back from launch() where it first awaits, so main
  // goes on there.
  it('case 104: an unconfined job yields to nested ones, else to nobody', () =>
    onMain(8, async (scope, expect) => {
      const unconfined = { context: Unconfined };
      expect(1);
      const queued = scope.launch(() => expect(8));
      const job = scope.launch(unconfined, async (outer) => {
        expect(2);
        outer.launch(unconfined, () => expect(4));
        expect(3);
        await outer.yield();
        expect(6);
        await outer.yield();
        expect(7);
      });
      expect(5);
      await scope.joinAll([job, queued]);
    }));

  it('case 106: yielding dispatches where beginning need not', async () => {
    await onMain(5, async (scope, expect) => {
      const tasks = [];
      const context = newExecutorDispatcher({
        execute: (run) => void tasks.push(run),
        isDispatchNeeded: () => false,
      });
      expect(1);
      const job = scope.launch({ context }, async (child) => {
        expect(2);
        await child.yield();
        expect(4);
      });
      expect(3);
      assert.equal(tasks.length, 1);
      tasks.shift()();
      await scope.join(job);
      expect(5);
    });
    await onMain(1, async (scope, expect) => {
      const context = newExecutorDispatcher({
        execute: (run) => run(),
        isDispatchNeeded: () => false,
      });
      const job = scope.launch({ context }, async (child) => {
        for (let i = 0; i < 100_000; i++) await child.yield();
        expect(1);
      });
      await scope.join(job);
    });
  });

  it('case 109: a loop in a loop', { skip: noBlocking });

  it('case 110: what is due goes on before what is ready later', () =>
    onMain(6, async (scope, expect) => {
      expect(1);
      scope.launch(async (child) => {
        expect(3);
        await child.delay(1);
        expect(5);
      });
      expect(2);
      await scope.yield();
      expect(4);
      // The thread is busy; the delay runs out meanwhile.
      for (const end = performance.now() + 20; performance.now() < end;);
      await scope.yield();
      expect(6);
    }));

  it('case 112: what is ready when a loop ends', { skip: noBlocking });
  it('case 113: a loop of a cancelled job', { skip: noBlocking });
});
