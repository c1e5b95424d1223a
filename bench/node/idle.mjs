// What a pool costs that has nothing to do: processor time and memory. Prints
// them as JSON.

import { setTimeout as sleep } from 'node:timers/promises';
import { openContext } from './context.mjs';

const seconds = Number(process.argv[2]);
const WORKERS = 4;

/** Without what the first context needs that later ones share. */
async function memoryPerWorker() {
  const before = process.memoryUsage.rss();
  const context = await openContext(WORKERS, 'memory');
  await context.ready;
  const megabytes = (process.memoryUsage.rss() - before) / WORKERS / 2 ** 20;
  await context.close();
  return megabytes;
}

const context = await openContext(WORKERS, 'idle');
for (let i = 0; i < 1000; i++) await context.async('add', i, 1);
await sleep(500); // until engines have done what they do after work
const before = process.cpuUsage();
await sleep(seconds * 1000);
const { user, system } = process.cpuUsage(before);
const percent = (user + system) / seconds / 1e4;
console.log(JSON.stringify({ percent, megabytes: await memoryPerWorker() }));
process.exit(0);
