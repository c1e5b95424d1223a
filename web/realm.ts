/**
 * A realm is a JavaScript thread that the core runs on: the main one, or a
 * worker's. This is the part that both have: turns of the core on the event
 * loop, tokens for what is under way, values in and out of shared memory.
 *
 * @module
 */
import { DECLINED, DOES_NOT_FIT, Reader, Writer } from './codec.js';
import { StartError } from './errors.js';
import * as layout from './layout.gen.js';
import type { Job } from './job.js';
import type { LaunchRealm, Target } from './launch.js';
import type { LocalJobs } from './local-jobs.js';
import { Memory } from './memory.js';
import type { CoreModule, Host, NativeTaskReader, Pointer } from './module.js';
import type { ProgressModule } from './progress.js';
import type { RealmOptions } from './protocol.js';
import { gated } from './gated.js';
import { support } from './references.js';
import type { BaseScope } from './scope.js';
import { Errors } from './thrown.js';

/** What a token stands for. */
export interface Ticket {
  /** The job of this token has ended. */
  jobEnded?(outcome: number, data: Pointer, length: number, worker: Pointer): void;
  /** What a body waits for has come to an end: with an error unless that is 0. */
  settled?(error: Pointer, data: Pointer, length: number): void;
  /** The core waits for whoever has this continuation, which is owned. */
  readonly suspended?: ((continuation: Pointer) => void) | undefined;
  /**
   * There is news for a function; it gives the token back itself. An element is
   * its to read. What it throws it returns as an owned error, else 0 or nothing.
   */
  readonly handled?:
    ((news: number, data: Pointer, token: number, element: Pointer) => unknown) | undefined;
}

/** How long a wait for nothing may go on. */
const STALE_MS = 50;
/** What setTimeout() takes. */
const MAX_TIMEOUT = 2 ** 31 - 1;
/** How long a realm may go on by microtasks before others get a turn. */
const TURN_MS = 2;
/**
 * Promises that a resumed body may pass on its way to where it waits next,
 * before others have their turn: one for each function that it returns from.
 */
const MAX_HOPS = 32;

/**
 * When the core runs next, as far as that is certain: in the next microtask,
 * once a body has come to where it waits, or in a later turn.
 */
type Due = 'not' | 'soon' | 'after hops' | 'next turn';

type WaitAsync = (
  array: Int32Array,
  index: number,
  value: number,
  timeout?: number,
) => { async: false; value: string } | { async: true; value: Promise<string> };

export abstract class Realm implements Host {
  module!: CoreModule;
  memory!: Memory;
  /** The core's record of this realm's worker. */
  self: Pointer = 0;
  /** The core's record of this realm itself: no other one ever has the same. */
  home: Pointer = 0;
  reader!: Reader;
  /** There for a user's own module: the package's has no coroutines to call. */
  readNative: NativeTaskReader | undefined;
  readonly errors = new Errors(this);
  /** The functions that run on this thread; there from the first one on. */
  locals: LocalJobs | undefined;
  /** Called after each turn of the core, by contexts that this thread looks after. */
  readonly afterTurn = new Set<() => void>();
  /** Called after each turn of the core. */
  afterPump: (() => void) | undefined;
  /** Somebody is going to list the jobs of this thread. */
  listsJobs = false;
  /** Handles to jobs that were not launched here, by the core's address. */
  readonly watched = new Map<Pointer, Job>();
  /** The context that functions of this thread run on. */
  own!: Target;
  /** Tells progress to another core, for which a job runs here. */
  readonly tellAway: ((job: Pointer, value: unknown) => void) | undefined;
  /** Whom handles are for that are just being read. */
  receiver: BaseScope | undefined;
  /** What the values that were encoded last refer to. */
  readonly references: number[] = [];
  /** True once the thread is about to end: the core has no worker here any more. */
  isOver = false;

  /** Jobs run per turn, so that the event loop stays responsive; 0: no limit. */
  protected budget = 0;
  /** How often bodies go on per turn. */
  protected goesPerTurn = 64;
  private writer!: Writer;
  private scratch: Pointer = 0;
  private scratchBytes = 0;
  private readonly tickets: (Ticket | undefined)[] = [];
  private readonly freeTokens: number[] = [];
  private open = 0;
  /** Those that would hold the process, but must not. */
  private readonly unheld = new Set<number>();

  private pumping = false;
  private due: Due = 'not';
  private waiting = false;
  private waitingUntil = Infinity;
  private alarm: ReturnType<typeof setTimeout> | undefined;
  private turnBegan = 0;
  private goes = 0;
  private hops = 0;
  /** The body that was resumed last waits again, or has ended. */
  private waits = false;
  private waitAsync: WaitAsync | undefined;
  private flagsAt: Pointer = 0;

  abstract run(job: Pointer, task: number, outcome: number, data: Pointer, length: number): number;
  abstract workerStart(worker: Pointer, name: Pointer): void;
  abstract workerEnd(worker: Pointer): void;
  /** The name of this realm's worker. */
  protected abstract readonly nameOfWorker: string;
  abstract workerLost(worker: Pointer, life: Pointer): void;
  abstract startAgain(argument: Pointer): number;
  abstract wake(worker: Pointer): void;
  abstract report(error: unknown): void;
  /** What listening to progress takes. */
  abstract loadProgress(): Promise<ProgressModule>;
  /** The run loop is over: its context is closed and empty. */
  protected abstract finished(): void;
  /** The core itself failed on this thread. */
  protected abstract crashed(error: unknown): void;
  /** Calls back in a new turn of the event loop. */
  protected abstract nextTurn(callback: () => void): void;
  /** The number of open tokens has become zero, or is not zero any more. */
  protected abstract busyChanged(busy: boolean): void;

  /** Takes the module up; afterwards the realm can run. */
  protected attach(module: CoreModule, memory: WebAssembly.Memory, options: RealmOptions): void {
    this.module = module;
    this.memory = new Memory(memory);
    this.flagsAt = module._cwb_flags();
    module._cwb_stack_save();
    const heap = () => this.memory.refresh();
    this.reader = new Reader(heap);
    this.reader.refer = (kind, at) => {
      const { handles } = support;
      if (handles) return handles.read(this as unknown as LaunchRealm, kind, at);
      throw new TypeError('coworker: a handle came of a class that is not imported here');
    };
    this.writer = new Writer(heap);
    this.writer.owner = this;
    if (!options.wakeByMessage) {
      this.waitAsync = (Atomics as unknown as { waitAsync?: WaitAsync }).waitAsync;
    }
    if (!this.growScratch(0)) {
      throw new StartError('out-of-memory', 'coworker: no shared memory left; raise `memory`');
    }
  }

  // ---- the performance timeline

  private get flags(): number {
    return this.memory.word(this.flagsAt);
  }

  /** True if somebody looks at jobs, and wants to know them by their names. */
  get namesJobs(): boolean {
    return this.listsJobs || (this.flags & 2) !== 0;
  }

  /** When something begins that is to stand there; 0: nothing is. */
  beginMeasure(): number {
    return (this.flags & 1) === 0 ? 0 : performance.now();
  }

  /** It is over; `began` is what {@link beginMeasure} gave. */
  endMeasure(name: string, began: number): void {
    if (began !== 0) performance.measure(name, { start: began });
  }

  // ---- turns

  /** Runs the core in the next microtask. */
  schedulePump(): void {
    if (this.pumping || this.due !== 'not') return;
    this.due = 'soon';
    queueMicrotask(this.soon);
  }

  // It may have been run meanwhile, and a body be on its way since.
  private readonly soon = (): void => {
    if (this.due === 'soon') this.pumpNow();
  };

  /** Runs what there is to do; then sleeps, or comes back in a later turn. */
  readonly pumpNow = (): void => {
    // A wake-up, perhaps by this thread's own end, may come after that.
    if (this.pumping || this.isOver) return;
    this.due = 'not';
    this.pumping = true;
    let why: number;
    try {
      why = this.module._cwb_run(this.budget);
    } catch (error) {
      this.pumping = false;
      if (this.survives(error)) this.schedulePump();
      else this.crashed(error);
      return;
    }
    this.pumping = false;
    if (why === layout.RUN_SLEEP) this.sleep();
    else if (why === layout.RUN_VISIT) this.visit();
    else if (why === layout.RUN_GO_ON) this.goOn();
    else this.finished();
    for (const call of this.afterTurn) call();
    this.afterPump?.();
  };

  /**
   * A trap has thrown the core out of what it was doing. True if that was user
   * code: its job has failed with the error, and all others go on.
   */
  private survives(error: unknown): boolean {
    this.module._cwb_stack_restore();
    const taken = this.errors.take(error, { worker: this.nameOfWorker });
    const survives = this.module._cwb_trapped(taken) !== 0;
    this.module._cw_error_release(taken);
    return survives;
  }

  /** Code of this realm may be killed from now on: see {@link gated}. */
  becameKillable(): void {
    this.module = gated(this.module);
  }

  /** Lets the body that was just resumed come to its next wait, then runs on. */
  private goOn(): void {
    if (++this.goes < this.goesPerTurn) {
      this.due = 'after hops';
      this.hops = this.waits ? 1 : MAX_HOPS;
      queueMicrotask(this.hop);
    } else {
      this.due = 'next turn';
      this.nextTurn(this.newTurn);
    }
  }

  /** Within a turn of the core: what comes next has to wait for the event loop's. */
  endTurn(): void {
    this.goes = this.goesPerTurn;
    this.module._cwb_goes_on();
  }

  private readonly hop = (): void => {
    if (this.due !== 'after hops') return;
    if (this.waits || --this.hops === 0) this.pumpNow();
    else queueMicrotask(this.hop);
  };

  /** A body has come to where it waits, or to its end. */
  arrived(): void {
    this.waits = true;
    this.schedulePump();
  }

  /** A body went through something that it could have waited for, and goes on. */
  goesOn(): void {
    this.waits = false;
    this.hops = MAX_HOPS;
    if (this.pumping) {
      this.module._cwb_goes_on();
    } else if (this.due === 'not' || this.due === 'soon') {
      this.due = 'after hops';
      queueMicrotask(this.hop);
    }
  }

  /** A body has launched a function for this thread, and goes on. */
  launchedHere(undispatched: boolean): void {
    // An undispatched one has come to where it waits; not so its caller.
    if (this.pumping || undispatched) this.goesOn();
    else this.schedulePump();
  }

  /** Lets the event loop have a turn: a small one, now and then a whole one. */
  private visit(): void {
    const now = performance.now();
    if (this.budget === 0 && now - this.turnBegan < TURN_MS) {
      this.schedulePump();
    } else {
      this.due = 'next turn';
      this.nextTurn(this.newTurn);
    }
  }

  private readonly newTurn = (): void => {
    this.goes = 0;
    if (this.budget === 0) this.turnBegan = performance.now(); // see visit()
    this.pumpNow();
  };

  /**
   * Waits for the worker's word without blocking. A wait that is still under
   * way from an earlier sleep serves for this one, too; a second one would
   * stay behind for ever.
   */
  private sleep(): void {
    const ms = this.module._cwb_sleep_ms();
    const now = performance.now();
    const until = ms < 0 ? Infinity : now + ms;
    clearTimeout(this.alarm);
    if (this.waitAsync && !this.waiting) {
      const index = (this.self + layout.WORKER_WORD) >>> 2;
      const wait = this.waitAsync.call(Atomics, this.memory.i32, index, 0, ms < 0 ? Infinity : ms);
      if (!wait.async) {
        this.schedulePump();
        return;
      }
      this.waiting = true;
      this.waitingUntil = until;
      void wait.value.then(this.woken);
      return;
    }
    // What the wait was for was cancelled: one with a time limit would keep a Node
    // process until that is over.
    if (
      until === Infinity &&
      this.waitingUntil - now > STALE_MS &&
      this.waitingUntil !== Infinity
    ) {
      Atomics.notify(this.memory.i32, (this.self + layout.WORKER_WORD) >>> 2);
    }
    if (until < this.waitingUntil || (!this.waitAsync && until !== Infinity)) {
      this.alarm = setTimeout(this.newTurn, Math.min(Math.max(0, ms), MAX_TIMEOUT));
    }
  }

  private readonly woken = (): void => {
    this.waiting = false;
    this.waitingUntil = Infinity;
    // Firefox tells of a wake-up by this thread at once, between two microtasks.
    if (this.due === 'not') this.newTurn();
  };

  // ---- tokens

  /**
   * Takes a token for something that will come back to this realm.
   * @param holds - a Node process does not end before that
   */
  takeToken(ticket: Ticket, holds = true): number {
    if (holds && this.open++ === 0) this.busyChanged(true);
    const token = this.freeTokens.pop() ?? this.tickets.length;
    this.tickets[token] = ticket;
    return token;
  }

  /** Gives it back; the core does not know it any more. */
  dropToken(token: number, holds = true): Ticket | undefined {
    const ticket = this.tickets[token];
    this.tickets[token] = undefined;
    this.freeTokens.push(token);
    const held = !this.unheld.delete(token) && holds;
    if (held && --this.open === 0) this.busyChanged(false);
    return ticket;
  }

  /**
   * Forgets what a token stands for, of which the core may or may not tell
   * something later: so nothing else gets the number before that.
   */
  protected abandonToken(token: number): void {
    this.tickets[token] = {};
    if (this.unheld.has(token)) return;
    this.unheld.add(token);
    if (--this.open === 0) this.busyChanged(false);
  }

  /**
   * A token for a function that the core calls on this thread, until it drops it;
   * a Node process may end before that.
   */
  takeFunction(call: (news: number, data: Pointer, element: Pointer) => unknown): number {
    const handled: Ticket['handled'] = (news, data, token, element) => {
      if (news !== layout.NEWS_DROPPED) return call(news, data, element);
      this.dropToken(token, false);
      return 0;
    };
    return this.takeToken({ handled }, false);
  }

  /** What a token stands for, if it is one. */
  ticketOf(token: number): Ticket | undefined {
    return this.tickets[token];
  }

  /** All that is under way. */
  protected *openTickets(): Iterable<[number, Ticket]> {
    for (let token = 0; token < this.tickets.length; token++) {
      const ticket = this.tickets[token];
      if (ticket) yield [token, ticket];
    }
  }

  /** A Node process need not wait any more for what is under way now. */
  holdNoLonger(): void {
    for (const [token] of this.openTickets()) this.unheld.add(token);
    if (this.open > 0) this.busyChanged(false);
    this.open = 0;
  }

  jobEnded(token: number, outcome: number, data: Pointer, length: number, worker: Pointer): void {
    this.dropToken(token)?.jobEnded?.(outcome, data, length, worker);
  }

  settled(token: number, error: Pointer, data: Pointer, length: number): void {
    this.waits = false;
    this.dropToken(token)?.settled?.(error, data, length);
  }

  suspended(token: number, continuation: Pointer): void {
    this.tickets[token]?.suspended?.(continuation);
  }

  handled(token: number, news: number, data: Pointer, element: Pointer): number {
    const answer = this.tickets[token]?.handled?.(news, data, token, element);
    return typeof answer === 'number' ? answer : 0;
  }

  reported(error: Pointer): void {
    this.report(this.errors.read(error));
  }

  discarded(element: Pointer): void {
    support.handles!.discard!(this as unknown as LaunchRealm, element);
  }

  errorFreed(slot: number): void {
    this.errors.freed(slot);
  }

  /** Runs a function of this thread that the core has come to. */
  protected runLocal(job: Pointer, number: number): number {
    this.waits = false;
    return this.locals!.run(job, number);
  }

  // ---- values

  /** Room in the scratch buffer for at least so many bytes. */
  private growScratch(bytes: number): boolean {
    const size = Math.max(bytes, 16 * 1024);
    const at = this.module._cwb_scratch(size);
    if (at === 0) return false;
    this.scratch = at;
    this.scratchBytes = size;
    return true;
  }

  /**
   * Encodes an argument list into the scratch buffer. What it refers to is in
   * {@link references}.
   * @returns the number of bytes, or -1 if it takes structured clone
   */
  encodeList(values: readonly unknown[]): number {
    const { references, writer } = this;
    let length = writer.write(values, this.scratch, this.scratchBytes, references);
    if (length === DOES_NOT_FIT) {
      if (!this.growScratch(writer.needed)) return -1;
      length = writer.write(values, this.scratch, this.scratchBytes, references);
    }
    return length === DECLINED ? -1 : length;
  }

  /**
   * The same for a single value; `offset` bytes before it are left alone. Without
   * `references` it must not refer to anything.
   */
  encodeOne(value: unknown, offset = 0, references?: number[]): number {
    for (;;) {
      const { scratch, scratchBytes, writer } = this;
      const length = writer.writeOne(value, scratch + offset, scratchBytes - offset, references);
      if (length === DECLINED) return -1;
      if (length !== DOES_NOT_FIT) return length;
      if (!this.growScratch(offset + writer.needed)) return -1;
    }
  }

  /** Puts raw bytes into the scratch buffer, where a zero behind them has room, too. */
  writeBytes(bytes: Uint8Array): void {
    const room = bytes.length + 1;
    if (room > this.scratchBytes && !this.growScratch(room)) {
      throw new RangeError('coworker: out of shared memory; raise the `memory` option');
    }
    this.memory.refresh().u8.set(bytes, this.scratch);
  }

  /** Where the scratch buffer is, for reading what a call left there: it may have grown. */
  get scratchAt(): Pointer {
    return (this.scratch = this.module._cwb_scratch(0));
  }

  /** Puts an address at the beginning of the scratch buffer. */
  writePointer(at: Pointer): void {
    this.memory.refresh().u32[this.scratch >>> 2] = at;
  }
}
