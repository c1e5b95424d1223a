// What loops have to do, case by case.

import { describe, it } from 'node:test';
import { onMain } from './helpers/marks.js';

/** Why there is no form of a case here. */
const noBlocking = 'a thread of JavaScript cannot block to run a loop: there is no runBlocking()';

describe('loops', () => {
  it('case 103: unconfined jobs, nested', { skip: 'there are no unconfined jobs yet' });
  it('case 104: unconfined jobs that yield', { skip: 'there are no unconfined jobs yet' });
  it('case 106: yielding dispatches', { skip: 'there are no unconfined jobs yet' });
  it('case 107: many unconfined jobs that wait for a mutex', {
    skip: 'there are no unconfined jobs and no mutex yet',
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
