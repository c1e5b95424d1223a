/**
 * The worker's side in Node, without a module: for workers of a module of your
 * own.
 *
 * @module
 */
import { createRequire } from 'node:module';
import type * as workerThreads from 'node:worker_threads';
import type { Transferable as NodeTransferable } from 'node:worker_threads';
import type { CoreModule, ModuleFactory } from './module.js';
import { readNativeTask } from './native.js';
import { WorkerRealm } from './worker-realm.js';

export * from './common.js';

/** As in browsers; see worker-core.ts. */
export function serve(tasks: object, module: ModuleFactory): void {
  // By this value Emscripten's glue knows that it is to run a thread.
  const threads = createRequire(import.meta.url)('node:worker_threads') as typeof workerThreads;
  (threads as { workerData: unknown }).workerData = 'em-pthread';
  const port = threads.parentPort!;
  const realm = new WorkerRealm(tasks as Readonly<Record<string, unknown>>, {
    post: (message, transfer) => port.postMessage(message, transfer as NodeTransferable[]),
    nextTurn: (callback) => setImmediate(callback),
    proveLife: () => Promise.resolve(), // terminate() tells
  });
  realm.readNative = readNativeTask;
  const options = { coworker: realm };
  realm.setModule(options as unknown as CoreModule); // the glue fills it in
  module(options).then(
    () => {
      port.on('message', (data) => realm.hear(data));
      // The glue's handler would end the thread.
      process.removeAllListeners('uncaughtException');
      process.on('uncaughtException', (error) => realm.stray(error));
      process.on('unhandledRejection', (error) => realm.stray(error));
    },
    (error: unknown) => realm.failed(error),
  );
}
