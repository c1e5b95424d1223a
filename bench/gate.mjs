// What it costs that threads may be killed: the core's own benchmark with the
// kill gate and without, in turns, as ratios of the best times.
//
//   node bench/gate.mjs BUILD BUILD_WITHOUT

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const ROUNDS = 7;
/** Parts of the names of rows; those of single operations, where it would show. */
const ROWS = [
  'launch 1m, 1 worker',
  'launch 1m, 2 workers',
  'yield round trip, 1 worker',
  'fib(30), 2 workers',
  'ping-pong, 2 contexts',
];
const AT_MOST = 1.05;

const builds = process.argv.slice(2);

function measure(build, kind, part) {
  const program = join(build, kind === 'Wasm' ? 'wasm-node' : 'native', 'bench/core_bench');
  const [command, args] =
    kind === 'Wasm' ? [process.execPath, [`${program}.cjs`, part]] : [program, [part]];
  return execFileSync(command, args, { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ name }) => name.includes(part));
}

for (const kind of ['native', 'Wasm']) {
  for (const part of ROWS) {
    const best = builds.map(() => new Map());
    const units = new Map();
    for (let round = 0; round < ROUNDS; round++) {
      builds.forEach((build, i) => {
        for (const { name, unit, value } of measure(build, kind, part)) {
          units.set(name, unit);
          best[i].set(name, Math.min(value, best[i].get(name) ?? Infinity));
        }
      });
    }
    if (units.size === 0) throw new Error(`the benchmark of the core has no row '${part}'`);
    for (const [name, unit] of units) {
      const [gated, without] = best.map((rows) => rows.get(name));
      const ratio = gated / without;
      const verdict = ratio <= AT_MOST ? 'ok' : `more than ${AT_MOST}`;
      console.log(
        `${kind}: ${name}: ${gated.toPrecision(3)} ${unit}, without ${without.toPrecision(3)}: ` +
          `${ratio.toFixed(2)}x, ${verdict}`,
      );
    }
  }
}
