// Who takes part in Node: the same trivial task on two workers each.

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker as NodeWorker } from 'node:worker_threads';
import * as Comlink from 'comlink/dist/esm/comlink.mjs';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import Piscina from 'piscina';
import { FixedThreadPool } from 'poolifier';
import Tinypool from 'tinypool';
import workerpool from 'workerpool';
import { rawAtomics, rawMessages } from '../raw.js';
import { openContext } from './context.mjs';

const WORKERS = 2;
const file = (name) => new URL(`../tasks/${name}`, import.meta.url);
const path = (name) => fileURLToPath(file(name));

async function coworker(tier) {
  const context = await openContext(WORKERS, 'bench', { tier });
  await context.ready;
  return { name: 'coworker', context, call: (a, b) => context.async('add', a, b) };
}

async function piscina() {
  const pool = new Piscina({
    filename: file('tinypool.js').href,
    minThreads: WORKERS,
    maxThreads: WORKERS,
  });
  await pool.run({ a: 1, b: 2 });
  return { name: 'piscina', call: (a, b) => pool.run({ a, b }) };
}

async function tinypool() {
  const pool = new Tinypool({
    filename: file('tinypool.js').href,
    minThreads: WORKERS,
    maxThreads: WORKERS,
  });
  await pool.run({ a: 1, b: 2 });
  return { name: 'tinypool', call: (a, b) => pool.run({ a, b }) };
}

async function workerPool() {
  const pool = workerpool.pool(path('workerpool.js'), {
    minWorkers: WORKERS,
    maxWorkers: WORKERS,
    workerType: 'thread',
  });
  await pool.exec('add', [1, 2]);
  return { name: 'workerpool', call: (a, b) => pool.exec('add', [a, b]) };
}

async function poolifier() {
  const pool = new FixedThreadPool(WORKERS, path('poolifier.js'));
  await pool.execute({ a: 1, b: 2 });
  return { name: 'poolifier', call: (a, b) => pool.execute({ a, b }) };
}

async function comlink() {
  const remotes = Array.from({ length: WORKERS }, () =>
    Comlink.wrap(nodeEndpoint(new NodeWorker(file('comlink.node.js')))),
  );
  await Promise.all(remotes.map((remote) => remote.add(1, 2)));
  let next = 0;
  return { name: 'comlink', call: (a, b) => remotes[next++ % WORKERS].add(a, b) };
}

/** With the interface of a page's worker. */
async function rawWorker() {
  const worker = new NodeWorker(file('raw.js'));
  await once(worker, 'online');
  return {
    postMessage: (message) => worker.postMessage(message),
    set onmessage(listener) {
      worker.removeAllListeners('message');
      worker.on('message', (data) => listener({ data }));
    },
  };
}

/** All sides, ready to run; ours in a tier. */
export function openSides(tier) {
  return Promise.all([
    coworker(tier),
    piscina(),
    tinypool(),
    workerPool(),
    poolifier(),
    comlink(),
    rawMessages(rawWorker),
    rawAtomics(rawWorker),
  ]);
}
