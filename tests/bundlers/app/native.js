// A module in C of the application's own.

import { newFixedWorkerContext } from 'coworker';
import module from './native.mjs';
import soloModule from './native-solo.mjs';

/** Runs a coroutine in C and a task in JavaScript beside it. */
export async function runC() {
  const context = await newFixedWorkerContext(2, 'native', {
    module,
    soloModule,
    worker: () => new Worker(new URL('./native-worker.js', import.meta.url), { type: 'module' }),
  });
  const results = await Promise.all([context.async('fib', 10), context.async('add', 1, 2)]);
  await context.close();
  return results;
}
