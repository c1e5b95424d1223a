// Workers are killed at random instants under mixed load. COWORKER_KILLS (in
// pages: ?kills=) is how many, COWORKER_SEED (?chaos-seed=) the first round's
// seed; a round that fails names its own.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { Round } from './helpers/chaos.js';
import { inPage, nativeOptions, random, using } from './helpers/contexts.js';

function setting(variable, name) {
  if (!inPage) return process.env[variable];
  return new URLSearchParams(location.search).get(name) ?? undefined;
}
const asked = setting('COWORKER_KILLS', 'kills');
const KILLS = Number(asked ?? 20);
const SEED = Number(setting('COWORKER_SEED', 'chaos-seed') ?? 1);

/** More rounds than this, and nobody was killed although it was due. */
const ROUNDS_PER_KILL = 5;
const native = await nativeOptions();
const sizes = [1, 2, 4];

describe('chaos', () => {
  for (const [index, workers] of sizes.entries()) {
    it(`settles everything once, ${workers} workers`, { timeout: 3_600_000 }, () =>
      using(
        workers,
        async (context) => {
          const sum = { jobs: 0, steps: 0, latest: 0 };
          const kills = Math.ceil((KILLS - index) / sizes.length);
          let rounds = 0;
          while (context.stats().lost < kills) {
            const seed = SEED + rounds++;
            try {
              await new Round(context, random(seed), sum).run();
            } catch (error) {
              const text = `seed ${seed}, ${workers} workers, round ${rounds}: ${error.message}`;
              throw new Error(text, { cause: error });
            }
            assert.isBelow(rounds, kills * ROUNDS_PER_KILL, 'rounds for so few kills');
          }
          const { lost, undead } = context.stats();
          assert.isAtMost(sum.steps, 2 + lost / 10, 'steps that were lost on the way');
          if (asked === undefined) return;
          console.log(
            `${workers} workers, ${rounds} rounds from seed ${SEED}: ${sum.jobs} jobs, ${lost} ` +
              `workers lost with ${sum.steps} steps of others, ${undead} of their threads undead, ` +
              `the latest job settled ${Math.round(sum.latest)} ms after its time of grace`,
          );
        },
        { ...native, losses: { count: KILLS * 100, period: 1000 } },
      ),
    );
  }
});
