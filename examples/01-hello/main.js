import { newFixedWorkerContext } from 'coworker';

const context = await newFixedWorkerContext(3, 'worker-context', {
  worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
});
try {
  // All three wait at the same time, so this takes one second.
  const jobs = ['Ada', 'Grace', 'Edsger'].map((name) => context.launch('greet', name));
  for (const job of jobs) await job.join();
} finally {
  await context.close();
}
