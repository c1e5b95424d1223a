// What the library stands on: shared memory, and waiting in it.

import { describe, it } from 'node:test';
import { assert } from 'chai';

const inPage = typeof document === 'object';

const sharedMemory = () => new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });

async function startWorker(url) {
  if (inPage) return new Worker(url, { type: 'module' });
  const { Worker: Thread } = await import('node:worker_threads');
  return new Thread(url);
}

/** The first message from a worker of either kind. */
function firstMessage(worker) {
  return new Promise((resolve, reject) => {
    if (inPage) {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    } else {
      worker.once('message', resolve);
      worker.once('error', reject);
    }
  });
}

describe('isolation', () => {
  it('is there in the page', { skip: !inPage && 'only pages are isolated' }, () => {
    assert.isTrue(globalThis.crossOriginIsolated);
  });

  it('makes a shared memory', () => {
    assert.instanceOf(sharedMemory().buffer, SharedArrayBuffer);
  });

  it('wakes a worker that waits', { timeout: 20_000 }, async () => {
    const memory = sharedMemory();
    const cells = new Int32Array(memory.buffer);
    const url = new URL('./helpers/wait-worker.js', import.meta.url);
    const worker = await startWorker(url);
    try {
      const message = firstMessage(worker);
      worker.postMessage({ memory });
      // `notify` tells how many it has woken, which is none until one waits.
      const end = Date.now() + 9_000;
      while (Atomics.notify(cells, 0) === 0) {
        assert.isBelow(Date.now(), end, 'the worker never came to wait');
        await new Promise((done) => setTimeout(done, 5));
      }
      assert.equal(await message, 'ok');
    } finally {
      await worker.terminate();
    }
  });
});
