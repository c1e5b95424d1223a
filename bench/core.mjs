// The rows of the core's own benchmark (bench/c), natively compiled and as
// WebAssembly in Node.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { row } from './report.mjs';

const NATIVE = 'build/native/bench/core_bench';
const WASM = 'build/wasm-node/bench/core_bench.cjs';

/** Limits by the program's own row names; the last one is for WebAssembly. */
const limits = {
  'launch 1m, 2 workers': { native: 70, wasm: 150 },
  'scope of two asyncs, 1 worker': { native: 500, wasm: 500 },
  'scope of two asyncs, 2 workers': { native: 500, wasm: 500 },
  'cancelling a tree of 1m jobs': { native: 3e8, wasm: 3e8 },
  'fib(30), 2 workers': { wasm: 3e6 },
  'yield round trip, 1 worker': { native: 100, wasm: 100 },
  'ping-pong, contexts to threads': { native: 1.3, wasm: 1.3 },
  'channel of 64, 2 workers': { wasm: 60 },
  'rendezvous there and back, 1 worker': { wasm: 200 },
  '100000 delays of 1 s': { native: 1.05e9, wasm: 1.05e9 },
  'memory of a suspended coroutine': { native: 256, wasm: 256 },
  'the same, its own frame not counted': { native: 128, wasm: 128 },
  'processor use of 4 idle workers': { native: 0.1, wasm: 0.1 },
};

/** The program prints one JSON object per line. */
function run(kind, command, args) {
  const text = execFileSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 24 });
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => {
      const { name, unit, value } = JSON.parse(line);
      const atMost = limits[name]?.[kind];
      const place = kind === 'wasm' ? 'Wasm' : 'native';
      if (unit === 'ns' && value >= 1e6) {
        return row(`${place}: ${name}`, 'ms', value / 1e6, { atMost: atMost && atMost / 1e6 });
      }
      return row(`${place}: ${name}`, unit, value, { atMost });
    });
}

export function coreGroups() {
  const groups = {};
  if (existsSync(NATIVE)) groups['native: core'] = () => run('native', NATIVE, []);
  if (existsSync(WASM)) groups['Wasm: core'] = () => run('wasm', process.execPath, [WASM]);
  return groups;
}
