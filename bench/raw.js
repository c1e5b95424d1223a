// The sides that are limits: the bare means of the platform, without any pool.

/** One worker that is sent messages, and answers with messages. */
export async function rawMessages(makeWorker) {
  const worker = await makeWorker();
  const waiting = new Map();
  let count = 0;
  worker.onmessage = ({ data }) => {
    const resolve = waiting.get(data.id);
    waiting.delete(data.id);
    resolve(data.result);
  };
  return {
    name: 'raw postMessage',
    call: (a, b) =>
      new Promise((resolve) => {
        const id = count++;
        waiting.set(id, resolve);
        worker.postMessage({ id, a, b });
      }),
  };
}

/** One worker that sleeps in Atomics.wait; its answer ends an Atomics.waitAsync. */
export async function rawAtomics(makeWorker) {
  const worker = await makeWorker();
  const cells = new Int32Array(new SharedArrayBuffer(1024));
  const ready = new Promise((resolve) => (worker.onmessage = resolve));
  worker.postMessage({ cells });
  await ready;
  let turn = 0;
  return {
    name: 'raw Atomics',
    single: true, // there is one place for arguments
    async call(a, b) {
      const answer = Atomics.waitAsync(cells, 64, turn++);
      cells[1] = a;
      cells[2] = b;
      Atomics.store(cells, 0, turn);
      Atomics.notify(cells, 0, 1);
      if (answer.async) await answer.value;
      return cells[65];
    },
  };
}
