/**
 * What is special about Node.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker as NodeWorker } from 'node:worker_threads';
import type {
  Transferable as NodeTransferable,
  WorkerOptions as NodeOptions,
} from 'node:worker_threads';
import { availableParallelism } from 'node:os';
import { ISOLATED, captureWorker, installEnvironment } from './environment.js';
import type { Diagnosis, RawWorker } from './environment.js';

export function installNode(): void {
  // A timer that never fires: its reference keeps the process, when wanted.
  const keeper = setInterval(() => {}, 2 ** 31 - 1);
  keeper.unref();
  let keeping = 0; // each runtime tells for itself
  installEnvironment({
    checkSharedMemory: () => Promise.resolve(),
    lacksForSharing: () => Promise.resolve([]),
    lacksForWorkers: () => [],
    loadGlue: async () => (await import('./coworker.node.mjs')).default,
    loadSoloGlue: async () => (await import('./coworker-solo.node.mjs')).default,
    soloWasmUrl: new URL('./coworker-solo.wasm', import.meta.url).href,
    hasWorkers: true,
    wasmUrl: new URL('./coworker.wasm', import.meta.url).href,
    makeWorker(make, isolated = false) {
      // Known before the first message: the glue of threads takes those.
      const options = isolated ? { workerData: ISOLATED } : {};
      if (!make) {
        const url = new URL('./worker-default.node.js', import.meta.url);
        return { worker: wrap(new NodeWorker(url, options)), url: url.href };
      }
      const { worker, url } = captureWorker(make, (script, asked) => {
        const all = { ...(asked as NodeOptions | undefined), ...options };
        return new NodeWorker(new URL(String(script)), all) as unknown as Worker;
      });
      return { worker: wrap(worker as unknown as NodeWorker), url };
    },
    diagnose,
    refusal: (error) => Promise.resolve(error),
    nextTurn: (callback) => setImmediate(callback),
    cores: availableParallelism(),
    ioWorkers: 4,
    keepAlive(busy) {
      keeping += busy ? 1 : -1;
      if (keeping === 0) keeper.unref();
      else keeper.ref();
    },
    report(error) {
      setImmediate(() => {
        throw error;
      });
    },
  });
}

function wrap(worker: NodeWorker): RawWorker {
  worker.unref();
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer as NodeTransferable[]),
    terminate: async () => {
      await worker.terminate();
      return true;
    },
    listen(onMessage, onError) {
      let heard = false;
      worker.on('message', (data) => {
        heard = true;
        onMessage(data);
      });
      worker.on('messageerror', (error) => onError({ message: String(error), error }));
      worker.on('error', (error) => onError({ message: String(error), error }));
      worker.on('exit', (code) => {
        const how = heard ? ', as by process.exit()' : '; its script has to call serve()';
        onError({ message: `the thread ended with exit code ${code}${how}` });
      });
      worker.unref(); // listening had made it count again
    },
  };
}

async function diagnose(url: string | undefined): Promise<Diagnosis | undefined> {
  await Promise.resolve();
  if (url?.startsWith('file:') && !existsSync(fileURLToPath(url))) {
    return { reason: 'not-found', message: `there is no file ${fileURLToPath(url)}` };
  }
  return undefined;
}
