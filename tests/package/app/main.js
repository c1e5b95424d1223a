// What a user of the package writes; every tool gets these same files.

import { CancellationError, newFixedWorkerContext } from 'coworker';

async function run() {
  const context = await newFixedWorkerContext(2, 'app', {
    worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  });
  await context.ready;

  const sum = await context.async('add', 2, 3);
  const inverted = await context.async('invert', new Map([['one', new Date(1)]]));
  const nested = await context.async('nested', [1, 2, 3]);

  const endless = context.async('waitForever');
  endless.cancel();
  const cancelled = await endless.then(
    () => false,
    (error) => error instanceof CancellationError,
  );
  const { workers } = context.stats();
  await context.close();
  const { launched, completed } = context.stats();

  // Without a worker script of ours the package's own one runs.
  const native = await newFixedWorkerContext(1, 'native');
  await native.ready;
  const others = native.stats().workers;
  await native.close();

  const [[date, key]] = inverted;
  return {
    sum,
    inverted: [date.getTime(), key],
    nested,
    cancelled,
    launched,
    completed,
    workers: [workers, others],
  };
}

globalThis.results = run();
