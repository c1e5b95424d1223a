// What a user of the package writes; every tool gets these same files.

import { CancellationError, newFixedWorkerContext } from 'coworker';
import { runC } from './native.js';
import { runTabs } from './tabs.js';

/** Which workers there are, as tasks that keep them busy tell. */
async function workersOf(context) {
  const names = new Set();
  while (names.size < 2) {
    const tasks = [context.async('whereAmI'), context.async('whereAmI')];
    for (const name of await Promise.all(tasks)) names.add(name);
  }
  return [...names].sort();
}

async function run() {
  const context = await newFixedWorkerContext(2, 'app', {
    worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  });
  await context.ready;

  const sum = await context.async('add', 2, 3);
  const [[date, key]] = await context.async('invert', new Map([['one', new Date(1)]]));
  const nested = await context.async('nested', [1, 2, 3]);
  const workers = await workersOf(context);
  const failed = await context.async('fail', 'wrong').catch((error) => error);

  const endless = context.async('waitForever');
  endless.cancel();
  const cancelled = await endless.then(
    () => false,
    (error) => error instanceof CancellationError,
  );
  await context.close();
  const { launched, completed } = context.stats();

  // Without a worker script of ours the package's own one runs.
  const bare = await newFixedWorkerContext(1, 'bare');
  await bare.ready;
  await bare.close();

  return {
    tier: context.tier,
    sum,
    inverted: [date.getTime(), key],
    nested,
    workers,
    failed: [failed instanceof RangeError, failed.message, failed.task],
    cancelled,
    left: launched - completed,
    c: await runC(),
    tabs: await runTabs(),
  };
}

globalThis.results = run();
