/**
 * Errors that nobody caught, of something that a task has begun: in a timer, in
 * a callback, of a promise that nobody looks at.
 *
 * @module
 */
import { CancellationError } from './errors.js';
import type { Realm } from './realm.js';

/**
 * An error of this thread that nobody caught. If only one task is under way here
 * it fails with that; else `tell` is called, if there is anything to tell.
 */
export function strayed(realm: Realm, error: unknown, worker: string, tell: () => void): void {
  if (error instanceof CancellationError) return; // it was meant to end
  if (!failOnlyBody(realm, error, worker)) tell();
}

function failOnlyBody(realm: Realm, error: unknown, worker: string): boolean {
  const { module, memory } = realm;
  if (realm.home === 0 || realm.isOver) return false;
  const body = module._cwb_only_body();
  if (body === 0) return false;
  const task = memory.text(module._cw_job_name(body));
  const taken = realm.errors.take(error, { task, worker });
  realm.hasAbandoned = true;
  module._cwb_abandon(body, taken);
  module._cw_error_release(taken);
  realm.schedulePump();
  return true;
}
