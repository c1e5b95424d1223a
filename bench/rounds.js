// Compares several sides of one thing on a noisy machine: they take turns, a
// short while each, and what counts is the median over the rounds. Runs in
// Node and in pages.

import { Bench } from 'tinybench';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Milliseconds that one call of `once` takes in the middle, for about `time` ms. */
async function sample(once, time) {
  const bench = new Bench({ time, iterations: 3, warmup: false, throws: true });
  bench.add('side', once, { async: true });
  const [task] = await bench.run();
  return task.result.latency.p50;
}

/**
 * Measures each side in turns.
 *
 * @param {Record<string, () => Promise<unknown>>} sides one iteration each
 * @param {object} [options]
 * @param {number} [options.rounds]
 * @param {number} [options.time] milliseconds for a side in a round
 * @param {number} [options.warmUp] and before the first one
 * @returns {Promise<Record<string, number[]>>} each side's milliseconds per
 *   iteration, round by round
 */
export async function takeTurns(sides, { rounds = 15, time = 60, warmUp = time * 3 } = {}) {
  const names = Object.keys(sides);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await sample(sides[name], warmUp);
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another side, so that none always follows the same.
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length];
      samples[name].push(await sample(sides[name], time));
    }
  }
  return samples;
}

/** The median over the rounds of `a` divided by `b`, both of the same round. */
export function ratioOf(a, b) {
  return median(a.map((value, round) => value / b[round]));
}
