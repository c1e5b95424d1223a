/**
 * The worker's side in browsers, without a module: for workers of a module of
 * your own.
 *
 * @module
 */
import type { ModuleFactory } from './module.js';
import { readNativeTask } from './native.js';
import { serveModule } from './worker-serve.js';

export * from './common.js';

/**
 * Makes this worker run tasks. Call it once, at the top level of the worker's
 * script.
 *
 * @param tasks - an object of functions, such as `import * as tasks from './tasks.js'`
 * @param module - the default export of Emscripten's glue of your own module
 * @param solo - the same of that which is linked without threads, for tier
 * 'isolated'
 */
export function serve(tasks: object, module: ModuleFactory, solo?: ModuleFactory): void {
  serveModule(tasks, module, solo, readNativeTask);
}
