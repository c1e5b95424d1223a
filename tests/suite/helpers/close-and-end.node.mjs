// A process that kills more workers than its memory has room for, and then has
// nothing more to do.

import { newFixedWorkerContext } from 'coworker';

const worker = () => new Worker(new URL('./worker.node.js', import.meta.url));

for (let round = 0; round < 20; round++) {
  const context = await newFixedWorkerContext(1, 'ends', { worker, memory: 4 });
  const cells = context.allocate(Int32Array, 1);
  const job = context.async('loopForEver', cells);
  job.catch(() => {});
  while (Atomics.load(cells, 0) === 0) await new Promise((resolve) => setTimeout(resolve));
  context.free(cells);
  await context.close({ cancel: true, grace: 0 });
}
console.log('closed');
