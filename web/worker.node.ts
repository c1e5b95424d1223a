/**
 * The worker's side in Node, with the module that comes with the package.
 *
 * @module
 */
import factory from './coworker.node.mjs';
import { serveModule } from './worker-core.node.js';

export * from './common.js';

/** As in browsers; see worker.ts. */
export function serve(tasks: object): void {
  serveModule(tasks, factory, async () => (await import('./coworker-solo.node.mjs')).default);
}
