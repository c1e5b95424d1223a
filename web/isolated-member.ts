/**
 * A worker with a core of its own, as the page knows it: what it was sent, and
 * what it is to be sent next.
 *
 * @module
 */
import { Batch } from './batch.js';
import type { RawWorker } from './environment.js';
import type { Pointer } from './module.js';
import * as protocol from './protocol.js';
import type { ToIsolated } from './protocol.js';
import type { Ticket } from './tokens.js';

/** How long a worker is to be busy with what it was sent. */
const BUSY_MS = 1;
/** Tasks that a worker has not begun, at most. */
const MAX_WINDOW = 32;
/** Is told when the job of a task is cancelled. */
interface Hears {
  cancelled(errand: Errand, error: Pointer): void;
}

/** A task that was sent to a worker. */
export class Errand implements Ticket {
  readonly at: Pointer;
  readonly id: number;
  readonly member: Member;
  /** It has come to where it waits. */
  waits = false;
  /** It has to be known for sure when it begins. */
  isTold = false;
  /** Some of its arguments are there, and nowhere else. */
  isMoved = false;
  /** Its arguments, as long as it may have to be sent again. */
  kept: { parcel: string; value: unknown } | undefined;
  private readonly hears: Hears;
  /** By which the core tells that the job is cancelled. */
  token = -1;
  note: Pointer = 0;

  constructor(hears: Hears, member: Member, id: number, at: Pointer) {
    this.hears = hears;
    this.member = member;
    this.id = id;
    this.at = at;
  }

  handled(_news: number, error: Pointer): void {
    this.hears.cancelled(this, error);
  }
}

type More = {
  -readonly [K in keyof protocol.MoreWork]: protocol.MoreWork[K][number][];
};

/** A worker, or the place of one that is being replaced. */
export class Member {
  readonly index: number;
  /** The core's record of the worker, whoever is at its place. */
  readonly at: Pointer;
  /** It takes the place of one that was lost. */
  readonly isOther: boolean;
  worker: RawWorker | undefined;
  url: string | undefined;
  ready = false;
  readonly errands = new Map<number, Errand>();
  /** Of these: those that have not come to where they wait. */
  busy = 0;
  /** Of all of them: those of which it has to be known when they begin. */
  told = 0;
  /** So many of them may be. */
  window = 1;
  /** Milliseconds that its last tasks have taken, roughly. */
  cost = BUSY_MS;
  knows = new Set<number>();

  // What is to be sent with the next message.
  readonly work = new Batch();
  more: More | undefined;
  moved: Transferable[] = [];

  constructor(index: number, at: Pointer, isOther: boolean) {
    this.index = index;
    this.at = at;
    this.isOther = isOther;
  }

  /**
   * So many tasks have taken so long. It is quick to believe that tasks take long,
   * and slow to believe that they do not.
   */
  learn(tasks: number, ms: number): void {
    if (tasks === 0) return;
    const cost = ms / tasks;
    this.cost = Math.max(cost, (this.cost + cost) / 2);
    this.window = Math.max(1, Math.min(MAX_WINDOW, Math.floor(BUSY_MS / this.cost)));
  }

  /** Sends what has come together, once there is somebody. */
  send(): void {
    if (this.work.isEmpty || !this.ready) return;
    const { more, moved } = this;
    const work = this.work.take(0, moved);
    this.more = undefined;
    if (moved.length > 0) this.moved = [];
    const message: ToIsolated = more ? { type: 'work', work, more } : { type: 'work', work };
    // An empty list costs Node as much as the message.
    this.worker?.postMessage(protocol.seal(message), moved.length > 0 ? moved : undefined);
  }

  /** What most work does without. */
  get also(): More {
    return (this.more ??= { names: [], values: [], inherited: [], limits: [], causes: [] });
  }
}
