// Races, in seeded rounds: however they go, each job settles once, and the
// counters agree in the end. COWORKER_STRESS_ROUNDS (in pages: ?rounds=) is the
// number of rounds, a tenth where each starts threads, COWORKER_STRESS_SEED the
// first seed.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { ContextClosedError } from 'coworker';
import { inPage, open, random, using } from './helpers/contexts.js';
import { balanced, isCancellation, pause, races, settleOnce } from './helpers/races.js';

const setting = (name, fallback) => {
  const text = inPage
    ? new URLSearchParams(location.search).get(name.toLowerCase())
    : process.env[`COWORKER_STRESS_${name}`];
  return Number(text ?? fallback);
};
const ROUNDS = setting('ROUNDS', 300);
const LONG_ROUNDS = Math.ceil(setting('ROUNDS', 100) / 10);
const SEED = setting('SEED', 1);

describe('races', () => {
  for (const workers of [2, 4, 8]) {
    for (const [name, race] of Object.entries(races)) {
      it(`between ${name}, ${workers} workers`, async () => {
        await using(workers, async (context) => {
          // Several at once, so that workers are busy with others', too.
          const together = 8;
          for (let round = 0; round < ROUNDS; round += together) {
            const rounds = Array.from({ length: together }, (_, i) => {
              const seed = SEED + round + i;
              return race(context, random(seed)).catch((error) => {
                throw new Error(`seed ${seed}: ${error.message}`, {
                  cause: error,
                });
              });
            });
            await Promise.all(rounds);
          }
          await balanced(context);
        });
      });
    }

    it(`between launches and the close, ${workers} workers`, async () => {
      // Each takes a context of its own.
      for (let round = 0; round < LONG_ROUNDS; round++) {
        const pick = random(SEED + round);
        const context = await open(workers, { ready: pick(2) === 0 });
        const settling = [];
        let closed;
        const total = 20 + pick(50);
        const closeAt = pick(total);
        for (let i = 0; i < total; i++) {
          if (i === closeAt) closed = context.close({ cancel: pick(2) === 0 });
          try {
            const job = context.async('grow', pick(3), pick(2));
            settling.push(settleOnce(job));
          } catch (error) {
            assert.instanceOf(error, ContextClosedError);
            assert.isAtLeast(i, closeAt);
          }
          if (pick(8) === 0) await pause(pick);
        }
        for (const { error } of await Promise.all(settling)) {
          if (error) assert.isTrue(isCancellation(error), String(error));
        }
        await closed;
        const { launched, completed, workers: up } = context.stats();
        assert.deepEqual([completed, up], [launched, 0]);
      }
    });
  }
});
