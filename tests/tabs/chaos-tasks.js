// Tasks that are written down before they begin.

import { write } from './ledger.js';

const { page, pool } = Object.fromEntries(new URLSearchParams(location.search));
const worker = crypto.randomUUID();

/** Never comes back where the page is going, and with it what it has asked for. */
async function begin(job) {
  try {
    write(pool, { type: 'ran', page, worker, job });
  } catch {
    await new Promise(() => {});
  }
  return { job, worker };
}

export const plain = (scope, job) => begin(job);

/** Keeps its worker so long. */
export async function work(scope, job, ms) {
  const value = await begin(job);
  const end = performance.now() + ms;
  while (performance.now() < end);
  return value;
}

export async function wait(scope, job, ms) {
  const value = await begin(job);
  await scope.delay(ms);
  return value;
}
