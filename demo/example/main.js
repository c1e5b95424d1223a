import { newFixedWorkerContext } from '../../dist/index.js';

// Three workers: worker-context-1, worker-context-2 and worker-context-3.
export const context = await newFixedWorkerContext(3, 'worker-context', {
  worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  tasks: () => import('./tasks.js'), // for pages where there are no workers
  trace: true, // for the drawing on this page
});

// Run calls this. The three tasks wait at the same time, so it takes one second.
export async function main(print) {
  const names = ['Ada', 'Grace', 'Linus'];
  const greetings = names.map((name) => context.async('greet', name));
  for (const greeting of greetings) print(await greeting);
}
