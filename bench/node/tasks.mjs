// What a task costs in Node, in a process of its own. Prints a row as JSON.
// argv: which row, and options for takeTurns() with the placement.

import { oneAtATime, sharedArgument, throughput } from '../comparison.js';
import { place } from '../placement.mjs';
import { openSides } from './sides.mjs';

const [, , which, json] = process.argv;
const { placement, tier, ...options } = JSON.parse(json);
const sides = await openSides(tier);
const [{ context }] = sides;

const rows = {
  one: () => {
    place(placement);
    return oneAtATime(`Node, ${placement}`, sides, { toRaw: 1.25 }, options);
  },
  many: () => throughput('Node', sides, { toBest: 10 }, options),
  oneIsolated: () => {
    place(placement);
    const goal = { toRaw: 1.15, raw: 'raw postMessage' };
    return oneAtATime(`Node, ${placement}, isolated`, sides, goal, options);
  },
  manyIsolated: () => throughput('Node, isolated', sides, { toBest: 2 }, options),
  shared: () => sharedArgument('Node', context, options),
};
console.log(JSON.stringify(await rows[which]()));
process.exit(0);
