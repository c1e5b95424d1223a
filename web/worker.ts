/**
 * The worker's side in browsers, with the module that comes with the package.
 *
 * @example
 * // worker.js
 * import { serve } from 'coworker/worker';
 * import * as tasks from './tasks.js';
 * serve(tasks);
 *
 * @module
 */
import factory from './coworker.mjs';
import solo from './coworker-solo.mjs';
import { serveModule } from './worker-serve.js';

export * from './common.js';

/**
 * Makes this worker run tasks. Call it once, at the top level of the worker's
 * script.
 *
 * @param tasks - an object of functions, such as `import * as tasks from './tasks.js'`
 */
export function serve(tasks: object): void {
  serveModule(tasks, factory, solo);
}
