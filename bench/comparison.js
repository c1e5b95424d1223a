// The comparisons that are the same in Node and in pages: what a task costs,
// one at a time and many at once.

import { median, ratioOf, takeTurns } from './rounds.js';

export const IN_FLIGHT = 1000;
/** Tasks one after the other that are timed as one: some clocks are coarse. */
const IN_A_ROW = 25;

/** A side's tasks, all handed over at once. */
export function batch(side) {
  if (side.single) return undefined;
  return () => {
    const calls = new Array(IN_FLIGHT);
    for (let i = 0; i < IN_FLIGHT; i++) calls[i] = side.call(i, 1);
    return Promise.all(calls);
  };
}

/** Runs `once` several times, one after the other. */
const inARow = (once) => async () => {
  for (let i = 0; i < IN_A_ROW; i++) await once();
};

const toMicroseconds = (ms) => (ms * 1000) / IN_A_ROW;

const only = (sides, make) =>
  Object.fromEntries(sides.map((side) => [side.name, make(side)]).filter(([, once]) => once));

function split(samples, convert) {
  const { coworker, ...others } = samples;
  const peers = {};
  for (const [name, values] of Object.entries(others)) peers[name] = convert(median(values));
  return { coworker: convert(median(coworker)), peers };
}

const packages = (samples) =>
  Object.keys(samples).filter((name) => name !== 'coworker' && !name.startsWith('raw'));

/** A trivial task, awaited before the next one is launched. */
export async function oneAtATime(where, sides, goal, options) {
  const samples = await takeTurns(
    only(sides, (side) => inARow(() => side.call(20, 22))),
    options,
  );
  const { coworker, peers } = split(samples, toMicroseconds);
  const raw = goal.raw ?? 'raw Atomics';
  const limit = samples[raw];
  const toRaw = limit && ratioOf(samples.coworker, limit);
  const row = {
    name: `${where}: a task, one at a time`,
    unit: 'us',
    coworker,
    peers,
    ratio: toRaw,
  };
  if (goal.toRaw !== undefined) {
    return { ...row, goal: `<= ${goal.toRaw} x ${raw}`, met: toRaw <= goal.toRaw };
  }
  const ratios = packages(samples).map((name) => ratioOf(samples.coworker, samples[name]));
  const ratio = Math.max(...ratios);
  return { ...row, ratio, goal: '< each package', met: ratio < 1 };
}

/** A thousand tasks at once. */
export async function throughput(where, sides, goal, options) {
  const samples = await takeTurns(only(sides, batch), options);
  const { coworker, peers } = split(samples, (ms) => IN_FLIGHT / ms);
  // The best peer of each round is the one to compare with.
  const names = packages(samples);
  const best = samples.coworker.map((_, round) =>
    Math.min(...names.map((name) => samples[name][round])),
  );
  const ratio = ratioOf(best, samples.coworker);
  return {
    name: `${where}: tasks, ${IN_FLIGHT} in flight`,
    unit: '1000/s',
    coworker,
    peers,
    ratio,
    goal: `>= ${goal.toBest} x best package`,
    met: ratio >= goal.toBest,
  };
}

/** A task that is handed 1 MB of shared memory, against one without it. */
export async function sharedArgument(where, context, options) {
  const array = context.allocate(Float64Array, 2 ** 17);
  const samples = await takeTurns(
    {
      'with 1 MB': inARow(() => context.async('length', array)),
      'with nothing': inARow(() => context.async('nothing')),
    },
    options,
  );
  context.free(array);
  const ratio = ratioOf(samples['with 1 MB'], samples['with nothing']);
  return {
    name: `${where}: a task with 1 MB of shared memory`,
    unit: 'us',
    coworker: toMicroseconds(median(samples['with 1 MB'])),
    peers: { 'no argument': toMicroseconds(median(samples['with nothing'])) },
    ratio,
    goal: '<= 1.2 x no argument',
    met: ratio <= 1.2,
  };
}
