/**
 * The worker's side in Node, without a module: for workers of a module of your
 * own.
 *
 * @module
 */
import { createRequire } from 'node:module';
import type * as workerThreads from 'node:worker_threads';
import type { Transferable as NodeTransferable } from 'node:worker_threads';
import { IsolatedRealm } from './isolated-realm.js';
import type { CoreModule, ModuleFactory } from './module.js';
import { readNativeTask } from './native.js';
import { isBegin } from './protocol.js';
import type { TaskModule } from './task-runner.js';
import { WorkerRealm } from './worker-realm.js';
import type { WorkerHost } from './worker-realm.js';

export * from './common.js';

/** As in browsers; see worker-core.ts. */
export function serve(tasks: object, module: ModuleFactory, solo?: ModuleFactory): void {
  // By this value Emscripten's glue knows that it is to run a thread.
  const threads = createRequire(import.meta.url)('node:worker_threads') as typeof workerThreads;
  (threads as { workerData: unknown }).workerData = 'em-pthread';
  const port = threads.parentPort!;
  const host: WorkerHost = {
    post: (message, transfer) => port.postMessage(message, transfer as NodeTransferable[]),
    nextTurn: (callback) => setImmediate(callback),
  };
  const realm = new WorkerRealm(tasks as TaskModule, host);
  realm.readNative = readNativeTask;
  port.on('message', (data) => {
    if (isBegin(data)) becomeIsolated(data);
  });
  const hear = (server: WorkerRealm | IsolatedRealm) => {
    port.on('message', (data) => {
      if (!isBegin(data)) server.hear(data);
    });
    // The glue's handler would end the thread.
    process.removeAllListeners('uncaughtException');
    process.removeAllListeners('unhandledRejection');
    process.on('uncaughtException', (error) => server.stray(error));
    process.on('unhandledRejection', (error) => server.stray(error));
  };
  const becomeIsolated = (message: unknown) => {
    const isolated = new IsolatedRealm(tasks as TaskModule, host);
    isolated.readNative = readNativeTask;
    void isolated.begin(message, solo).then(() => hear(isolated));
  };
  const options = { coworker: realm };
  realm.setModule(options as unknown as CoreModule); // the glue fills it in
  module(options).then(
    () => hear(realm),
    (error: unknown) => realm.failed(error),
  );
}
