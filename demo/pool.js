// Opens contexts of the demo's own module.

import soloFactory from '../build/demo/demo-solo.mjs';
import factory from '../build/demo/demo.mjs';
import { newFixedWorkerContext } from '../dist/index.js';

/** Opens a context whose workers know tasks.js and the coroutines in C. */
export async function openPool(workers, name, options = {}) {
  const context = await newFixedWorkerContext(workers, name, {
    module: factory,
    soloModule: soloFactory, // for the tiers without shared memory
    worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
    tasks: () => import('./tasks.js'), // for the one without workers
    memory: 128,
    trace: true,
    ...options,
  });
  await context.ready;
  return context;
}
