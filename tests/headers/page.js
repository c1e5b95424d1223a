// Opens a context in whatever tier there is, and tells the server what came of it.
// Nothing of it stands in the page, as strict policies want it.

import { diagnose, newFixedWorkerContext } from '../../dist/index.js';

const worker = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const tasks = () => import('./tasks.js');

async function open() {
  const context = await newFixedWorkerContext(2, 'headers', { worker, tasks });
  const sum = await context.async('add', 1, 2);
  const [name] = await context.async('where');
  await context.close();
  return { opened: context.tier, sum, name };
}

const report = await diagnose({ worker, tasks });
const opened = await open().catch((error) => ({ error: String(error), stack: error?.stack }));
const found = { ...report, ...opened };
await fetch('/found', { method: 'POST', body: JSON.stringify(found) });
