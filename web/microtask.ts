/**
 * Microtasks.
 *
 * @module
 */

const settled = Promise.resolve();

/**
 * Calls back in a microtask, as `queueMicrotask()` does, for which Node takes five
 * times as long. What `callback` throws is an unhandled rejection.
 */
export function inMicrotask(callback: () => void): void {
  void settled.then(callback);
}
