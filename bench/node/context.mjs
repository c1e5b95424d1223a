import { newFixedWorkerContext } from '../../dist/index.node.js';

/** A context with the tasks of the benchmarks. */
export function openContext(workers, name, tier = 'shared') {
  return newFixedWorkerContext(workers, name, {
    tier,
    worker: () =>
      new Worker(new URL('../tasks/worker.node.js', import.meta.url), { type: 'module' }),
  });
}
