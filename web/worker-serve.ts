/**
 * What all workers in browsers begin with.
 *
 * @module
 */
import { IsolatedRealm } from './isolated-realm.js';
import type { CoreModule, ModuleFactory, NativeTaskReader } from './module.js';
import { isBegin } from './protocol.js';
import { proveLife } from './proof.js';
import { turnMaker } from './turn.js';
import type { TaskModule } from './task-runner.js';
import { WorkerRealm } from './worker-realm.js';
import type { WorkerHost } from './worker-realm.js';

interface WorkerScope {
  name: string;
  addEventListener(
    type: string,
    listener: (event: MessageEvent & ErrorEvent & PromiseRejectionEvent) => void,
  ): void;
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onunhandledrejection: unknown;
}

/**
 * Makes this worker run tasks. Whether it shares memory with the page or has a
 * core of its own comes with the first message.
 * @param solo - the module without threads, if there is one
 * @param readNative - for modules with coroutines of their own
 */
export function serveModule(
  tasks: object,
  module: ModuleFactory,
  solo?: ModuleFactory,
  readNative?: NativeTaskReader,
): void {
  const scope = globalThis as unknown as WorkerScope;
  const host: WorkerHost = {
    post: (message, transfer) => scope.postMessage(message, transfer ?? []),
    nextTurn: turnMaker(),
    proveLife,
  };
  const realm = new WorkerRealm(tasks as TaskModule, host);
  realm.readNative = readNative;
  let server: WorkerRealm | IsolatedRealm = realm;
  scope.addEventListener('message', (event) => {
    if (isBegin(event.data)) {
      server = new IsolatedRealm(tasks as TaskModule, host);
      server.readNative = readNative;
      void server.begin(event.data, solo);
    } else {
      server.hear(event.data);
    }
  });
  scope.addEventListener('error', (event) => {
    event.preventDefault();
    server.stray(event.error ?? event.message);
  });
  scope.addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    server.stray(event.reason);
  });
  // By this name Emscripten's glue knows that it is to run a thread.
  scope.name = 'em-pthread';
  const options = { coworker: realm };
  realm.setModule(options as unknown as CoreModule); // the glue fills it in
  module(options).catch((error: unknown) => realm.failed(error));
  scope.onunhandledrejection = null; // the glue's would end the worker
}
