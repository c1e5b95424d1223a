// How long three workers take to be ready. Prints milliseconds as JSON, of the
// first context of this process and of later ones.

import { once } from 'node:events';
import { Worker as NodeWorker } from 'node:worker_threads';
import { openContext } from './context.mjs';

const WORKERS = 3;

/** The same for workers that only answer a message. */
async function bare() {
  const start = performance.now();
  const workers = Array.from(
    { length: WORKERS },
    () => new NodeWorker(new URL('../tasks/raw.js', import.meta.url)),
  );
  const answers = workers.map((worker) => once(worker, 'message'));
  for (const worker of workers) worker.postMessage({ id: 0, a: 1, b: 2 });
  await Promise.all(answers);
  const time = performance.now() - start;
  await Promise.all(workers.map((worker) => worker.terminate()));
  return time;
}

const times = [];
const bareTimes = [];
for (let i = 0; i < 6; i++) {
  const start = performance.now();
  const context = await openContext(WORKERS, 'start');
  await context.ready;
  times.push(performance.now() - start);
  await context.close();
  bareTimes.push(await bare());
}
const [first, ...later] = times;
console.log(JSON.stringify({ first, later, bare: bareTimes }));
