/**
 * Waiting outside of any job.
 *
 * @module
 */
import type { Target } from './launch.js';
import { BaseScope } from './scope.js';

class RootScope extends BaseScope {
  override inside(): this {
    return this;
  }
}

const roots = new WeakMap<Target, RootScope>();

/** A scope to wait in that ends with the context only. */
export function rootScope(target: Target): BaseScope {
  let root = roots.get(target);
  if (!root) {
    const at = target.realm.module._cwb_context_root(target.context);
    root = new RootScope(target, at, target.name, target.name);
    roots.set(target, root);
  }
  return root;
}
