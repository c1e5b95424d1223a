// How long workers take to come and go: one that starts, one that takes the
// place of a lost one, and eight idle ones that are closed. Prints milliseconds
// as JSON.

import { once } from 'node:events';
import { openContext } from './context.mjs';

const rounds = Number(process.argv[2]);
/** Losses are not to be too many. */
const losses = { count: 1e6, period: 1 };

async function started() {
  const start = performance.now();
  const context = await openContext(1, 'start');
  await context.ready;
  const time = performance.now() - start;
  await context.close();
  return time;
}

const context = await openContext(1, 'lost', { losses });
const cells = context.allocate(Int32Array, 1);

async function replaced() {
  Atomics.store(cells, 0, 0);
  const job = context.async({ killable: { grace: 0 } }, 'loop', cells);
  job.join();
  while (Atomics.load(cells, 0) === 0) await new Promise(setImmediate);
  const lost = once(context, 'workerlost');
  const ready = once(context, 'workerreplaced');
  job.cancel();
  await lost;
  const start = performance.now();
  await ready;
  return performance.now() - start;
}

async function closed() {
  const idle = await openContext(8, 'idle');
  await idle.ready;
  const start = performance.now();
  await idle.close();
  return performance.now() - start;
}

const times = { start: [], replacement: [], close: [] };
for (let i = 0; i < rounds; i++) {
  times.start.push(await started());
  times.replacement.push(await replaced());
  times.close.push(await closed());
}
await context.close();
console.log(JSON.stringify(times));
