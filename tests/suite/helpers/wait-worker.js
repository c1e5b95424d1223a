// Waits in shared memory until it is woken, and says how that went. Runs as a
// module worker in a page and as a worker thread in Node.

const port =
  typeof WorkerGlobalScope === 'undefined'
    ? (await import('node:worker_threads')).parentPort
    : globalThis;

port.onmessage = ({ data: { memory } }) => {
  const cells = new Int32Array(memory.buffer);
  port.postMessage(Atomics.wait(cells, 0, 0, 10_000));
};
