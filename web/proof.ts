/**
 * How the page knows that a worker's thread is really gone: engines let one run
 * on for a while after it was terminated.
 *
 * @module
 */

/**
 * Takes a lock of a name that nobody else has, and keeps it: once the thread is
 * gone for sure, and only then, somebody else gets it.
 */
export async function proveLife(taken: (lock: string) => void): Promise<void> {
  const locks = (navigator as { locks?: LockManager }).locks;
  if (!locks) return;
  const lock = `coworker:${crypto.randomUUID()}`;
  const forEver = new Promise(() => {});
  await locks
    .request(lock, () => {
      taken(lock);
      return forEver;
    })
    .catch(() => {}); // then there is no proof
}

/** Fulfilled once the holder of the lock is gone. */
export async function proofOf(lock: string): Promise<boolean> {
  await navigator.locks.request(lock, () => {});
  return true;
}
