/**
 * Every message that crosses threads. All of them carry the envelope key, so
 * that messages of others pass by unseen.
 *
 * Everyday work comes this way only to workers that have a core of their own;
 * else it goes through shared memory.
 *
 * @module
 */
import type { Packed } from './batch.js';
import type { Carried } from './carried.js';

/** The key that marks our messages; its value is the protocol's version. */
export const KEY = 'coworker';
export const VERSION = 1;

/** A value that travels by structured clone, and what belongs to it. */
export interface Enclosed {
  readonly id: number;
  readonly value: unknown;
}

/** What most work does without. */
export interface MoreWork {
  /** Names of tasks, by number: of those that are new to the worker. */
  readonly names: readonly [number: number, name: string][];
  /** Lists of arguments. */
  readonly values: readonly Enclosed[];
  /** The values that jobs inherit. */
  readonly inherited: readonly Enclosed[];
  /** The timeout of a job, and in how many milliseconds its deadline runs out; -1: none. */
  readonly limits: readonly [id: number, timeout: number, deadline: number][];
  /** What jobs are cancelled with, one for each entry that cancels. */
  readonly causes: readonly Carried[];
}

/** What an entry of `work` is: a task to run, by its number, with these flags. */
export const WORK_NUMBER = 0xffffff;
export const WORK_ENCLOSED = 1 << 24; // its arguments are in `values`
export const WORK_ATOMIC = 1 << 25; // it was cancelled, but begins
export const WORK_CANCEL = 1 << 26; // cancels one that was sent before, or ...
export const WORK_CANCEL_CHILDREN = 1 << 27; // ... what is below it
export const WORK_TELL = 1 << 28; // the page is to know for sure whether it has begun
export const WORK_LISTEN = 1 << 29; // somebody listens to its progress
export const WORK_HEARD = 1 << 30; // the same for one that was sent before, or ...
export const WORK_TAKEN = (1 << 29) | (1 << 30); // ... one value of its stream was taken

/** What an entry of `answers` is; values are in `values`. */
export const ANSWER_WAITS = 0; // it has begun, and waits
export const ANSWER_VALUE = 1;
export const ANSWER_ENCLOSED = 2; // its value is in `values`
export const ANSWER_ERROR = 3; // its error is in `values`
export const ANSWER_CANCELLED = 4; // as it was told, or by its own time limit
export const ANSWER_BEGINS = 5; // of those that are to be told of
export const ANSWER_TELLS = 6; // how far it is, or one value of its stream; or that ...
export const ANSWER_TELLS_ENCLOSED = 7; // ... is in `told`

/** True for what is told of a task that goes on as before. */
export const isProgress = (what: number): boolean => what >= ANSWER_BEGINS;

/** What most answers do without. */
export interface MoreAnswers {
  readonly values?: readonly Enclosed[];
  /** One for each entry that says so. */
  readonly told?: readonly unknown[];
}

/** To a worker that has a core of its own. A batch of work may come by itself, too. */
export type ToIsolated =
  | {
      type: 'begin';
      name: string;
      context: string;
      memory: number;
      maximumMemory: number;
      wasmUrl: string | undefined;
    }
  | { type: 'work'; work: Packed; more?: MoreWork }
  /** No more work will come. */
  | { type: 'close' };

/** From such a worker. A batch of answers may come by itself, too. */
export type FromIsolated =
  | { type: 'ready'; tasks: string[] }
  | { type: 'failed'; message: string; stack: string; outOfMemory: boolean }
  | { type: 'crashed'; message: string; stack: string }
  | { type: 'stray'; error: Carried }
  /** How tasks have come along; the number is how many microseconds the worker was at it. */
  | ({ type: 'answers'; answers: Packed } & MoreAnswers);

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
  /** The thread is about to end; what is at `locals` is to be freed after that. */
  | { type: 'bye'; locals: number }
  /** The thread died of an error outside of any task. */
  | { type: 'crashed'; message: string; stack: string }
  /** An error that nobody caught, owned; 0 if the core cannot carry it yet. */
  | { type: 'stray'; error: number; message: string; stack: string }
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

/** Puts the envelope around a message, which it changes: copies cost more than the rest. */
export function seal<T extends FromWorker | ToWorker | FromIsolated | ToIsolated>(
  message: T,
): Record<string, unknown> {
  const sealed = message as Record<string, unknown>;
  sealed[KEY] = VERSION;
  return sealed;
}

/** Takes a message out of its envelope; undefined if it is not one of ours. */
export function open<T extends FromWorker | ToWorker | FromIsolated | ToIsolated>(
  data: unknown,
): T | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  if ((data as Record<string, unknown>)[KEY] !== VERSION) return undefined;
  return data as T;
}

/** True for the message by which a worker learns that it has a core of its own. */
export function isBegin(data: unknown): boolean {
  return open<ToIsolated>(data)?.type === 'begin';
}

/** Finds values by whom they are for. */
export function byId(values: readonly Enclosed[] | undefined): Map<number, unknown> | undefined {
  return values && new Map(values.map(({ id, value }) => [id, value]));
}
