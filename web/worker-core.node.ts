/**
 * The worker's side in Node, without a module: for workers of a module of your
 * own.
 *
 * @module
 */
import { createRequire } from 'node:module';
import type * as workerThreads from 'node:worker_threads';
import type { Transferable as NodeTransferable } from 'node:worker_threads';
import { ISOLATED } from './environment.js';
import type { IsolatedRealm } from './isolated-realm.js';
import type { CoreModule, ModuleFactory } from './module.js';
import { readNativeTask } from './native.js';
import type { TaskModule } from './task-runner.js';
import { WorkerRealm } from './worker-realm.js';
import type { WorkerHost } from './worker-realm.js';

export * from './common.js';

/** As in browsers; see worker-core.ts. */
export function serve(tasks: object, module: ModuleFactory, solo?: ModuleFactory): void {
  serveModule(tasks, module, () => Promise.resolve(solo));
}

/** @internal What only one of the tiers needs is loaded only there: starts are quicker. */
export function serveModule(
  tasks: object,
  module: ModuleFactory,
  loadSolo: () => Promise<ModuleFactory | undefined>,
): void {
  const threads = createRequire(import.meta.url)('node:worker_threads') as typeof workerThreads;
  const port = threads.parentPort!;
  const host: WorkerHost = {
    post: (message, transfer) => port.postMessage(message, transfer as NodeTransferable[]),
    nextTurn: (callback) => setImmediate(callback),
    proveLife: () => Promise.resolve(undefined), // terminate() tells
  };
  if (threads.workerData === ISOLATED) {
    void serveIsolated(port, tasks, host, loadSolo);
    return;
  }
  // By this value Emscripten's glue knows that it is to run a thread.
  (threads as { workerData: unknown }).workerData = 'em-pthread';
  const realm = new WorkerRealm(tasks as TaskModule, host);
  realm.readNative = readNativeTask;
  const options = { coworker: realm };
  realm.setModule(options as unknown as CoreModule); // the glue fills it in
  module(options).then(
    () => hear(port, realm),
    (error: unknown) => realm.failed(error),
  );
}

async function serveIsolated(
  port: workerThreads.MessagePort,
  tasks: object,
  host: WorkerHost,
  loadSolo: () => Promise<ModuleFactory | undefined>,
): Promise<void> {
  const [{ IsolatedRealm: Realm }, solo] = await Promise.all([
    import('./isolated-realm.js'),
    loadSolo(),
  ]);
  const realm = new Realm(tasks as TaskModule, host);
  realm.readNative = readNativeTask;
  port.once('message', (begin) => {
    void realm.begin(begin, solo).then(() => hear(port, realm));
  });
}

/** Once the glue is loaded, whose handlers of errors would end the thread. */
function hear(port: workerThreads.MessagePort, realm: WorkerRealm | IsolatedRealm): void {
  port.on('message', (data) => realm.hear(data));
  process.removeAllListeners('uncaughtException');
  process.removeAllListeners('unhandledRejection');
  process.on('uncaughtException', (error) => realm.stray(error));
  process.on('unhandledRejection', (error) => realm.stray(error));
}
