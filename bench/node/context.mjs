import { newFixedWorkerContext } from '../../dist/index.node.js';

/** A context with the tasks of the benchmarks. */
export function openContext(workers, name, options = {}) {
  return newFixedWorkerContext(workers, name, {
    tier: 'shared',
    ...options,
    worker: () =>
      new Worker(new URL('../tasks/worker.node.js', import.meta.url), { type: 'module' }),
  });
}
