/**
 * Every message that crosses threads. All of them carry the envelope key, so
 * that messages of others pass by unseen.
 *
 * Everyday work does not come this way: it goes through shared memory.
 *
 * @module
 */

/** The key that marks our messages; its value is the protocol's version. */
export const KEY = 'coworker';
export const VERSION = 1;

/** From a worker to the main realm. */
export type FromWorker =
  /** The thread runs and wants to be introduced. */
  | { type: 'hello'; worker: number }
  /** The task module is loaded; these are its functions. */
  | { type: 'ready'; tasks: string[] }
  /** The worker could not start. */
  | { type: 'failed'; message: string; stack: string; outOfMemory: boolean }
  /** As long as the thread lives it holds this lock. */
  | { type: 'mortal'; lock: string }
  /** The thread is over; its Worker may be thrown away. */
  | { type: 'bye' }
  /** The thread died of an error outside of any task. */
  | { type: 'crashed'; message: string; stack: string }
  /** An error that a task left behind, after its end. */
  | { type: 'stray'; message: string; stack: string }
  /** Wake another realm, which has no other way of waking. */
  | { type: 'wake'; worker: number }
  /** A value that shared memory does not carry, for whoever asks for it. */
  | { type: 'deposit'; parcel: string; value: unknown; transfer: Transferable[] }
  | { type: 'claim'; parcel: string }
  | { type: 'drop'; parcel: string };

/** From the main realm to a worker. */
export type ToWorker =
  | { type: 'init'; memory: WebAssembly.Memory; context: string; options: RealmOptions }
  | { type: 'parcel'; parcel: string; value: unknown }
  | { type: 'wake' };

/** What all realms of a runtime agree on. */
export interface RealmOptions {
  /** Realms that wait in their event loop are woken by messages. */
  readonly wakeByMessage: boolean;
}

/** Puts the envelope around a message. */
export function seal<T extends FromWorker | ToWorker>(message: T): Record<string, unknown> {
  return { [KEY]: VERSION, ...message };
}

/** Takes a message out of its envelope; undefined if it is not one of ours. */
export function open<T extends FromWorker | ToWorker>(data: unknown): T | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  if ((data as Record<string, unknown>)[KEY] !== VERSION) return undefined;
  return data as T;
}
