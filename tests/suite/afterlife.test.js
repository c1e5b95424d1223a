// What a thread still does after it was ended: engines may let it go on with what
// was next in its queues.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { WorkerLostError } from 'coworker';
import { cells, endsLoopsInC, failure, nativeOptions, until, using } from './helpers/contexts.js';

const native = await nativeOptions();

describe('a thread that was ended', () => {
  for (const task of ['loop_for_ever', 'allocate_for_ever']) {
    it(`runs no more jobs: ${task}`, { timeout: 60_000 }, () =>
      using(
        1,
        async (context) => {
          const array = cells(context);
          const before = await context.async('realmOf');
          const loop = context.async({ killable: { grace: 0 } }, task, array.byteOffset);
          await until(() => Atomics.load(array, 0) === 1);
          loop.cancel();
          assert.instanceOf(await failure(loop), WorkerLostError);
          // As long as it may still be there. It hears of new jobs as its heir does.
          do {
            const jobs = Array.from({ length: 10 }, () => context.async('realmOf'));
            assert.notInclude(await Promise.all(jobs), before);
          } while (endsLoopsInC && context.stats().undead > 0);
        },
        native,
      ),
    );
  }
});
