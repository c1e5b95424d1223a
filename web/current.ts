/**
 * The realm that this thread is, for what belongs to no scope.
 *
 * @module
 */
import { CoworkerError } from './errors.js';
import type { Target } from './launch.js';

let current: Target | undefined;

/** Called once the thread's realm runs; the first one stays. */
export function setCurrentTarget(target: Target): void {
  current ??= target;
}

/** True once the thread's realm runs. */
export function hasCurrentTarget(): boolean {
  return current !== undefined;
}

/**
 * The context that functions of this thread run on.
 * @throws CoworkerError if the core is not loaded
 */
export function currentTarget(): Target {
  if (current) return current;
  throw new CoworkerError(
    'coworker: Main is not ready; `await Main.ready` or open a worker context first',
    { code: 'CW_EINVAL' },
  );
}
