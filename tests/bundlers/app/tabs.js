// A pool that pages share; each context is what a page of its own would have.

import { newSharedWorkerContext } from 'coworker/tabs';

const open = () =>
  newSharedWorkerContext(1, 'tabs', {
    worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  });

/** Runs a job of a client, and another one when it has become host. */
export async function runTabs() {
  const host = await open();
  await host.ready;
  const client = await open();
  await client.ready;
  const before = [host.role, client.role, await client.async('add', 1, 2)];
  await host.close();
  const after = [await client.async('add', 3, 4), client.role];
  await client.close();
  return [...before, ...after];
}
