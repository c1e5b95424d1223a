/**
 * When the core runs on a thread: in turns of the event loop, between which it
 * sleeps without blocking.
 *
 * @module
 */
import { GONE } from './gate.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { inMicrotask } from './microtask.js';
import { Scratch } from './scratch.js';

/** How long a wait for nothing may go on. */
const STALE_MS = 50;
/** What setTimeout() takes. */
const MAX_TIMEOUT = 2 ** 31 - 1;
/** How long a realm may go on by microtasks before others get a turn. */
const TURN_MS = 2;
/** How often a realm may go on by microtasks because its own thread has woken it. */
const WAKES_PER_TURN = 64;
/**
 * Promises that a resumed body may pass on its way to where it waits next,
 * before others have their turn: one for each function that it returns from.
 */
const MAX_HOPS = 32;

/**
 * When the core runs next, as far as that is certain: as soon as what is going on
 * is over, in the next microtask, once a body has come to where it waits, or in a
 * later turn.
 */
type Due = 'not' | 'now' | 'soon' | 'after hops' | 'next turn';

export type WaitAsync = (
  array: Int32Array,
  index: number,
  value: number,
  timeout?: number,
) => { async: false; value: string } | { async: true; value: Promise<string> };

/** A realm in which the core runs. */
export abstract class Turns extends Scratch {
  /** The core's record of this realm's worker. */
  self: Pointer = 0;
  /** Called after each turn of the core, by contexts that this thread looks after. */
  readonly afterTurn = new Set<() => void>();
  /** Called after each turn of the core. */
  afterPump: (() => void) | undefined;
  /** True once the thread is about to end: the core has no worker here any more. */
  isOver = false;

  /** Jobs run per turn, so that the event loop stays responsive; 0: no limit. */
  protected budget = 0;
  /** How often bodies go on per turn. */
  protected goesPerTurn = 64;
  /** The body that was resumed last waits again, or has ended. */
  protected waits = false;
  /** None: messages wake. */
  protected waitAsync: WaitAsync | undefined;

  private pumping = false;
  private due: Due = 'not';
  private waiting = false;
  private waitingUntil = Infinity;
  private alarm: ReturnType<typeof setTimeout> | undefined;
  private turnBegan = 0;
  private goes = 0;
  private hops = 0;
  private wakes = 0;

  /** The run loop is over: its context is closed and empty. */
  protected abstract finished(): void;
  /** The core itself failed on this thread. */
  protected abstract crashed(error: unknown): void;
  /** Calls back in a new turn of the event loop. */
  protected abstract nextTurn(callback: () => void): void;
  /**
   * A trap has thrown the core out of what it was doing. True if that was user
   * code: its job has failed with the error, and all others go on.
   */
  protected abstract survives(error: unknown): boolean;

  /** Runs the core in the next microtask. */
  schedulePump(): void {
    if (this.pumping || this.due !== 'not') return;
    this.due = 'soon';
    inMicrotask(this.soon);
  }

  /** What this thread has just done has woken its own core. */
  wakeHere(): void {
    if (this.pumping || this.due !== 'not') return;
    if (++this.wakes < WAKES_PER_TURN) this.schedulePump();
    else this.turnNext();
  }

  private turnNext(): void {
    this.due = 'next turn';
    this.nextTurn(this.newTurn);
  }

  /** The caller is going to run the core at once: nobody else need see to it. */
  pumpComes(): void {
    if (this.due === 'not') this.due = 'now';
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
      if (error === GONE) return;
      if (this.survives(error)) {
        this.schedulePump();
        return;
      }
      this.isOver = true;
      this.crashed(error);
      return;
    }
    this.pumping = false;
    if (why === layout.RUN_REST) this.sleep(-1);
    else if (why === layout.RUN_SLEEP) this.sleep(this.module._cwb_sleep_ms());
    else if (why === layout.RUN_VISIT) this.visit();
    else if (why === layout.RUN_GO_ON) this.goOn();
    else this.finished();
    for (const call of this.afterTurn) call();
    this.afterPump?.();
  };

  /** Lets the body that was just resumed come to its next wait, then runs on. */
  private goOn(): void {
    if (++this.goes < this.goesPerTurn) {
      this.due = 'after hops';
      this.hops = this.waits ? 1 : MAX_HOPS;
      inMicrotask(this.hop);
    } else {
      this.turnNext();
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
    else inMicrotask(this.hop);
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
      inMicrotask(this.hop);
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
      this.turnNext();
    }
  }

  private readonly newTurn = (): void => {
    this.goes = this.wakes = 0;
    if (this.budget === 0) this.turnBegan = performance.now(); // see visit()
    this.pumpNow();
  };

  /**
   * Waits for the worker's word without blocking. A wait that is still under
   * way from an earlier sleep serves for this one, too; a second one would
   * stay behind for ever.
   * @param ms - for so long; -1: until it is woken
   */
  private sleep(ms: number): void {
    if (this.alarm !== undefined) clearTimeout(this.alarm);
    this.alarm = undefined;
    const isWaiting = !this.waitAsync || this.waiting;
    if (ms < 0 && isWaiting && this.waitingUntil === Infinity) return; // whoever wakes it
    const now = performance.now();
    const until = ms < 0 ? Infinity : now + ms;
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
}
