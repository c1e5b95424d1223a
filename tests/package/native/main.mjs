import { newFixedWorkerContext } from 'coworker';
import module from './module.mjs';

const context = await newFixedWorkerContext(2, 'own', {
  module,
  worker: () => new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' }),
});
console.log(await context.async('twice', 21), await context.async('add', 1, 2));
await context.close();
