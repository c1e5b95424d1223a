/**
 * A worker with a core of its own, as the page knows it: what it was sent, and
 * what it is to be sent next.
 *
 * @module
 */
import { Batch } from './batch.js';
import type { Carried } from './carried.js';
import type { RawWorker } from './environment.js';
import type { Memory } from './memory.js';
import type { Pointer } from './module.js';
import * as protocol from './protocol.js';
import type { ToIsolated } from './protocol.js';
import { Slots } from './slots.js';
import type { Numbered } from './slots.js';
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
  readonly member: Place;
  /** Its number there. */
  readonly id: number;
  /** It has come to where it waits. */
  waits = false;
  /** It has to be known for sure when it begins. */
  isTold = false;
  /** Some of its arguments are there, and nowhere else. */
  isMoved = false;
  /** It may begin again elsewhere. */
  isAgain = false;
  /** Its arguments, as long as it may have to be sent again. */
  kept: { parcel: string; value: unknown } | undefined;
  private readonly hears: Hears;
  /** By which the core tells that the job is cancelled, once ... */
  token = -1;
  /** ... unless it has done so. */
  hasToken = true;
  /** With what it was cancelled before it was sent. */
  cause: Carried | undefined;
  isSent = false;
  isOver = false;

  constructor(hears: Hears, member: Place, at: Pointer) {
    this.hears = hears;
    this.member = member;
    this.at = at;
    this.id = member.errands.add(this);
  }

  handled(_news: number, error: Pointer): void {
    this.hears.cancelled(this, error);
  }
}

type More = {
  -readonly [K in keyof protocol.MoreWork]: protocol.MoreWork[K][number][];
};

/** What a task is sent with: of one shape, without functions, since each task has one. */
export interface Sending {
  /** The number of the task in the context of this core. */
  readonly task: number;
  /** Flags as of {@link protocol.WORK_ATOMIC}. */
  readonly flags: number;
  /** It may begin again elsewhere. */
  readonly isAgain: boolean;
  /** The arguments: encoded, in the memory of this core, if no others come. */
  readonly data: Pointer;
  readonly length: number;
  readonly enclosed: { value: unknown; transfer: readonly Transferable[] } | undefined;
  /** The values that the job inherits. */
  readonly inherited: Uint8Array | undefined;
}

/** Who sends. */
export interface Sender {
  readonly memory: Memory;
  /** What a task is called. */
  nameOf(task: number): string;
}

/** Where tasks are sent to, and how. */
export abstract class Place {
  readonly index: number;
  /** The core's record of it, whoever is at the place. */
  readonly at: Pointer;
  ready = false;
  abstract readonly errands: Numbered<Errand>;
  /** Of these: those that have not come to where they wait. */
  busy = 0;
  /** Of all of them: those of which it has to be known when they begin. */
  told = 0;
  /** So many of them may be. */
  window = 1;

  constructor(index: number, at: Pointer) {
    this.index = index;
    this.at = at;
  }

  /** Whether it has to be told when the next one begins. */
  get tells(): boolean {
    return this.told > 0;
  }

  /** Sends a task; true if some of its arguments are gone from here by that. */
  abstract launch(id: number, sending: Sending, sender: Sender): boolean;
  /** Cancels a task that was sent, or what is below it. */
  abstract cancel(id: number, cause: Carried, children: boolean): void;
  /** Somebody listens to its progress. */
  abstract heard(id: number): void;
  /** One value of its stream was taken. */
  abstract taken(id: number): void;
  /** Has it keep a task's time, too; see {@link protocol.MoreWork.limits}. */
  abstract limit(id: number, timeout: number, deadline: number): void;
}

/** A worker, or the place of one that is being replaced. */
export class Member extends Place {
  /** What the worker hears of a number comes in order, so it never means another task. */
  readonly errands = new Slots<Errand>();
  /** It takes the place of one that was lost. */
  readonly isOther: boolean;
  worker: RawWorker | undefined;
  url: string | undefined;
  /** Milliseconds that its last tasks have taken, roughly. */
  cost = BUSY_MS;
  knows = new Set<number>();

  // What is to be sent with the next message.
  readonly work = new Batch();
  more: More | undefined;
  moved: Transferable[] = [];

  constructor(index: number, at: Pointer, isOther: boolean) {
    super(index, at);
    this.isOther = isOther;
  }

  override launch(id: number, sending: Sending, sender: Sender): boolean {
    const { task, flags, enclosed, inherited } = sending;
    if (!this.knows.has(task)) {
      this.knows.add(task);
      this.also.names.push([task, sender.nameOf(task)]);
    }
    if (enclosed) {
      this.also.values.push({ id, value: enclosed.value });
      this.moved.push(...enclosed.transfer);
      this.work.add(id, task | flags | protocol.WORK_ENCLOSED);
    } else {
      const { i32 } = sender.memory.refresh();
      this.work.add(id, task | flags, i32, sending.data >>> 2, sending.length);
    }
    if (inherited) this.also.inherited.push({ id, value: inherited });
    return enclosed !== undefined && enclosed.transfer.length > 0;
  }

  override limit(id: number, timeout: number, deadline: number): void {
    this.also.limits.push([id, timeout, deadline]);
  }

  override cancel(id: number, cause: Carried, children: boolean): void {
    this.work.add(id, children ? protocol.WORK_CANCEL_CHILDREN : protocol.WORK_CANCEL);
    this.also.causes.push(cause);
  }

  override heard(id: number): void {
    this.work.add(id, protocol.WORK_HEARD);
  }

  override taken(id: number): void {
    this.work.add(id, protocol.WORK_TAKEN);
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
    if (!more && typeof work === 'string') {
      this.worker?.postMessage(work);
      return;
    }
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
