/**
 * The worker's side in browsers, without a module: for workers of a module of
 * your own.
 *
 * @module
 */
import type { CoreModule, ModuleFactory } from './module.js';
import { turnMaker } from './turn.js';
import { WorkerRealm } from './worker-realm.js';

export { transfer } from './parcels.js';
export type { Scope } from './scope.js';

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
 * Makes this worker run tasks. Call it once, at the top level of the worker's
 * script.
 *
 * @param tasks - an object of functions, such as `import * as tasks from './tasks.js'`
 * @param module - the default export of Emscripten's glue of your own module
 */
export function serve(tasks: object, module: ModuleFactory): void {
  const scope = globalThis as unknown as WorkerScope;
  const realm = new WorkerRealm(tasks as Readonly<Record<string, unknown>>, {
    post: (message, transfer) => scope.postMessage(message, transfer ?? []),
    nextTurn: turnMaker(),
  });
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
