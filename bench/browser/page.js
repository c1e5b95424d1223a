// The page's part of the benchmarks: `bench/browser.mjs` calls these functions.

import * as Comlink from 'comlink';
import { newFixedWorkerContext } from '../../dist/index.js';
import { oneAtATime, sharedArgument, throughput } from '../comparison.js';
import { rawAtomics, rawMessages } from '../raw.js';

const WORKERS = 2;

const openContext = (workers, name) =>
  newFixedWorkerContext(workers, name, {
    worker: () => new Worker(new URL('../tasks/worker.js', import.meta.url), { type: 'module' }),
  });

async function coworker() {
  const context = await openContext(WORKERS, 'bench');
  await context.ready;
  return { name: 'coworker', context, call: (a, b) => context.async('add', a, b) };
}

async function workerPool() {
  const pool = globalThis.workerpool.pool(
    new URL('../tasks/workerpool.page.js', import.meta.url).href,
    {
      minWorkers: WORKERS,
      maxWorkers: WORKERS,
      workerType: 'web',
    },
  );
  await pool.exec('add', [1, 2]);
  return { name: 'workerpool', call: (a, b) => pool.exec('add', [a, b]) };
}

async function comlink() {
  const remotes = Array.from({ length: WORKERS }, () =>
    Comlink.wrap(
      new Worker(new URL('../tasks/comlink.page.js', import.meta.url), { type: 'module' }),
    ),
  );
  await Promise.all(remotes.map((remote) => remote.add(1, 2)));
  let next = 0;
  return { name: 'comlink', call: (a, b) => remotes[next++ % WORKERS].add(a, b) };
}

const rawWorker = () => new Worker(new URL('../tasks/raw.js', import.meta.url), { type: 'module' });

let sides;

/** Starts all who take part. */
async function open() {
  const atomics = typeof Atomics.waitAsync === 'function' ? [rawAtomics(rawWorker)] : [];
  sides = await Promise.all([
    coworker(),
    workerPool(),
    comlink(),
    rawMessages(rawWorker),
    ...atomics,
  ]);
}

/** Milliseconds until three workers are ready. */
async function start() {
  const begin = performance.now();
  const context = await openContext(3, 'start');
  await context.ready;
  const time = performance.now() - begin;
  await context.close();
  return time;
}

/** Milliseconds until three bare workers have sent a message each. */
async function bare() {
  const begin = performance.now();
  const workers = [1, 2, 3].map(rawWorker);
  await Promise.all(
    workers.map((worker) => {
      const answer = new Promise((resolve) => (worker.onmessage = resolve));
      worker.postMessage({ id: 0, a: 1, b: 2 });
      return answer;
    }),
  );
  const time = performance.now() - begin;
  for (const worker of workers) worker.terminate();
  return time;
}

/** Leaves a pool behind that has worked and is idle now. */
async function idle() {
  const context = await openContext(4, 'idle');
  for (let i = 0; i < 1000; i++) await context.async('add', i, 1);
}

globalThis.bench = {
  open,
  start,
  idle,
  bare,
  one: (where, options) => oneAtATime(where, sides, {}, options),
  many: (where, goal, options) => throughput(where, sides, goal, options),
  shared: (where, options) => sharedArgument(where, sides[0].context, options),
};
