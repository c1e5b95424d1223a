/**
 * How the page knows that a worker's thread is really gone: engines let one run
 * on for a while after it was terminated.
 *
 * @module
 */

/**
 * Takes a lock of a name that nobody else has, and keeps it: once the thread is
 * gone for sure, and only then, somebody else gets it.
 *
 * @returns the name once it has the lock; undefined if there can be no proof
 */
export function proveLife(): Promise<string | undefined> {
  const locks = (navigator as { locks?: LockManager }).locks;
  if (!locks) return Promise.resolve(undefined);
  const lock = `coworker:${crypto.randomUUID()}`;
  const forEver = new Promise(() => {});
  return new Promise((resolve) => {
    const hold = () => {
      resolve(lock);
      return forEver;
    };
    locks.request(lock, hold).catch(() => resolve(undefined));
  });
}

/** Fulfilled once the holder of the lock is gone. */
export async function proofOf(lock: string): Promise<boolean> {
  await navigator.locks.request(lock, () => {});
  return true;
}
