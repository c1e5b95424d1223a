/**
 * A new turn of a browser's event loop, sooner than `setTimeout` gives one.
 *
 * @module
 */

/** Makes a function that calls back in a later turn, in order. */
export function turnMaker(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const queue: (() => void)[] = [];
  port1.onmessage = () => queue.shift()?.();
  return (callback) => {
    queue.push(callback);
    port2.postMessage(null);
  };
}
