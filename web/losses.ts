/**
 * What a context tells of workers that it has lost.
 *
 * @module
 */
import type { RoleEvent } from './tabs-context.js';
import type { UncaughtErrorEvent } from './uncaught.js';

/** A worker was lost, or another thread has taken its place. */
export class WorkerEvent extends Event {
  /** The worker's name. */
  readonly worker: string;
  /** Its index in the context, from 0. */
  readonly index: number;
  /** How it was lost; empty if it is there again. */
  readonly reason: string;

  /** @internal */
  constructor(type: 'workerlost' | 'workerreplaced', worker: string, index: number, reason = '') {
    super(type);
    this.worker = worker;
    this.index = index;
    this.reason = reason;
  }
}

/** A context whose runtime had failed goes on with new workers. */
export class RebuiltEvent extends Event {
  /** As {@link FixedWorkerContext.generation}. */
  readonly generation: number;

  /** @internal */
  constructor(generation: number) {
    super('contextrebuilt');
    this.generation = generation;
  }
}

/** What contexts tell of themselves. */
export interface ContextEvents {
  contextrebuilt: RebuiltEvent;
  /** Only of contexts that pages share. */
  rolechange: RoleEvent;
  workerlost: WorkerEvent;
  workerreplaced: WorkerEvent;
  uncaughterror: UncaughtErrorEvent;
}

interface Listening extends EventTarget {
  /**
   * Hears of workers that were lost, and of other threads that have taken their
   * places: `workerlost` and `workerreplaced`; of the context as a whole that was
   * lost and goes on: `contextrebuilt`; and of errors that nobody takes:
   * `uncaughterror`.
   */
  addEventListener<K extends keyof ContextEvents>(
    type: K,
    listener: (event: ContextEvents[K]) => void,
    options?: AddEventListenerOptions | boolean,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
}

/** EventTarget with the types of these events. */
export const ContextEventTarget = EventTarget as { new (): Listening };
