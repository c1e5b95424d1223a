// The bare means of the platform: the limits of what a package can reach.

const port =
  typeof WorkerGlobalScope === 'undefined'
    ? (await import('node:worker_threads')).parentPort
    : globalThis;

/** Adds what is in words 1 and 2 each time that word 0 changes. */
function answerInMemory(cells) {
  port.postMessage('ready');
  let turn = 0;
  for (;;) {
    Atomics.wait(cells, 0, turn);
    turn = Atomics.load(cells, 0);
    cells[65] = cells[1] + cells[2];
    Atomics.store(cells, 64, turn);
    Atomics.notify(cells, 64, 1);
  }
}

port.onmessage = ({ data }) => {
  if (data.cells) answerInMemory(data.cells);
  else port.postMessage({ id: data.id, result: data.a + data.b });
};
