/**
 * Functions of C that are tasks.
 *
 * @module
 */
import type { CoreModule } from './module.js';

/** What a user's module exports for tasks. */
export function nativeNames(module: CoreModule): string[] {
  return Object.keys(module).flatMap((key) => {
    const exported = /^_cw_export_(.+)$/.exec(key);
    if (exported) return exported[1]!;
    return typeof module[key] === 'function' && /^_(?!cwb?_|_)/.test(key) ? key.slice(1) : [];
  });
}
