/**
 * What all workers in browsers begin with.
 *
 * @module
 */
import type { CoreModule, ModuleFactory, NativeTaskReader } from './module.js';
import { proveLife } from './proof.js';
import { turnMaker } from './turn.js';
import { WorkerRealm } from './worker-realm.js';

interface WorkerScope {
  name: string;
  addEventListener(
    type: string,
    listener: (event: MessageEvent & ErrorEvent & PromiseRejectionEvent) => void,
  ): void;
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onunhandledrejection: unknown;
}

/** Makes this worker run tasks; `readNative` is for modules with coroutines of their own. */
export function serveModule(
  tasks: object,
  module: ModuleFactory,
  readNative?: NativeTaskReader,
): void {
  const scope = globalThis as unknown as WorkerScope;
  const realm = new WorkerRealm(tasks as Readonly<Record<string, unknown>>, {
    post: (message, transfer) => scope.postMessage(message, transfer ?? []),
    nextTurn: turnMaker(),
    proveLife,
  });
  realm.readNative = readNative;
  scope.addEventListener('message', (event) => realm.hear(event.data));
  scope.addEventListener('error', (event) => {
    event.preventDefault();
    realm.stray(event.error ?? event.message);
  });
  scope.addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    realm.stray(event.reason);
  });
  // By this name Emscripten's glue knows that it is to run a thread.
  scope.name = 'em-pthread';
  const options = { coworker: realm };
  realm.setModule(options as unknown as CoreModule); // the glue fills it in
  module(options).catch((error: unknown) => realm.failed(error));
  scope.onunhandledrejection = null; // the glue's would end the worker
}
