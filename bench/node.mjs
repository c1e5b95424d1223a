// The rows of Node: each is measured in a process of its own.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { placements } from './placement.mjs';
import { row } from './report.mjs';
import { median } from './rounds.js';

const run = promisify(execFile);

async function measure(script, ...args) {
  const path = fileURLToPath(new URL(`node/${script}.mjs`, import.meta.url));
  const { stdout } = await run(process.execPath, [path, ...args.map(String)]);
  return JSON.parse(stdout);
}

async function start({ quick }) {
  const processes = quick ? 3 : 7;
  const first = [];
  const later = [];
  const bare = [];
  for (let i = 0; i < processes; i++) {
    const times = await measure('start');
    first.push(times.first);
    later.push(...times.later);
    bare.push(...times.bare);
  }
  const goal = { atMost: 120, peers: { '3 bare workers': median(bare) } };
  return [
    row('Node: 3 workers ready, first context', 'ms', median(first), goal),
    row('Node: 3 workers ready, later context', 'ms', median(later), goal),
  ];
}

async function idle({ quick }) {
  const { percent, megabytes } = await measure('idle', quick ? 2 : 5);
  return [
    row('Node: processor use of an idle pool', '%', percent, { atMost: 0.1 }),
    row('Node: memory of a worker', 'MB', megabytes),
  ];
}

async function lives({ quick }) {
  const times = await measure('lives', quick ? 5 : 15);
  const start = median(times.start);
  const replacement = median(times.replacement);
  return [
    row('Node: another worker for a lost one', 'ms', replacement, {
      peers: { 'one that starts': start },
      ratio: replacement / start,
      goal: '<= 1.2 x one that starts',
      met: replacement <= 1.2 * start,
    }),
    row('Node: closing 8 idle workers', 'ms', median(times.close), { atMost: 50 }),
  ];
}

/** Groups of rows by name. */
export function nodeGroups({ quick, turns }) {
  const tasks = (which, extra) => measure('tasks', which, JSON.stringify({ ...turns, ...extra }));
  const groups = {};
  for (const placement of placements()) {
    groups[`Node, ${placement}: a task, one at a time`] = async () => [
      await tasks('one', { placement }),
    ];
    groups[`Node, ${placement}, isolated: a task, one at a time`] = async () => [
      await tasks('oneIsolated', { placement, tier: 'isolated' }),
    ];
  }
  return {
    ...groups,
    'Node: tasks, 1000 in flight': async () => [await tasks('many')],
    'Node, isolated: tasks, 1000 in flight': async () => [
      await tasks('manyIsolated', { tier: 'isolated' }),
    ],
    'Node: a task with 1 MB of shared memory': async () => [await tasks('shared')],
    'Node: 3 workers ready': () => start({ quick }),
    'Node: lives of workers': () => lives({ quick }),
    'Node: idle pool': () => idle({ quick }),
  };
}
