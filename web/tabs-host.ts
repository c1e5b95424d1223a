/**
 * The pool of a page that is host, and those that use it. Jobs of all pages stand in
 * one line, in which pages take turns, and leave it when a worker is about to begin
 * them: so it is known which ones have not begun if the page is lost.
 *
 * @module
 */
import { registerHandles } from './all-handles.js';
import type { FixedWorkerContext } from './context.js';
import { noMemory } from './errors.js';
import { STREAM, Target } from './launch.js';
import * as layout from './layout.gen.js';
import { Memory } from './memory.js';
import type { Pointer } from './module.js';
import { nativeNames } from './native-names.js';
import { openContext } from './open-context.js';
import type { ContextOptions } from './options.js';
import type { Bodies } from './root-realm.js';
import type { Runtime } from './runtime.js';
import { Guest } from './tabs-guest.js';
import type { GuestJob, Host } from './tabs-job.js';
import { locks } from './tabs-locks.js';
import type { Introduction } from './tabs-meeting.js';
import type { Qualities } from './tabs-preference.js';

/** How long the jobs are to last that a worker finds when it looks for the next one. */
const AHEAD_MS = 1;
/** So many they are at most. */
const MOST_AHEAD = 32;
const ANY_NUMBER = 0x7fffffff;
/** After so long a page that does not say whether a job may begin does not keep a place any more. */
const ABSENT_MS = 50;
/** How long tasks may take to stop when the pool is given up. */
const GRACE_MS = 100;

export class Hosting implements Host, Bodies {
  readonly runtime: Runtime;
  readonly inner: FixedWorkerContext;
  readonly lodge: Target;
  readonly tasks: readonly string[];
  places: number;
  private readonly guests = new Map<string, Guest>();
  /** Those that have not come yet: a page may have a connection at the same time. */
  private readonly invited = new Map<string, Guest>();
  private readonly jobs = new Map<Pointer, GuestJob>();
  private readonly numbers = new Map<string, number>();
  private due: GuestJob[] = [];
  /** Those that wait for their pages to say that they may begin, in order, and since when. */
  private readonly asked = new Map<GuestJob, number>();
  /** Of these: those that have waited for long. Others have their places. */
  private readonly absent = new Set<GuestJob>();
  private absence: ReturnType<typeof setTimeout> | undefined;
  /** Jobs that have left the line, and whose pages were not told of their ends. */
  private running = 0;
  /** Of these: those that may not begin again. */
  private plain = 0;
  private isPaused = false;
  private refusedBefore = 0;
  /** Invitations that were asked for in the name of a page that there is not. */
  private strangers = 0;
  private isOver = false;
  private drained: (() => void) | undefined;
  private calmed: (() => void) | undefined;
  private deserted: (() => void) | undefined;
  /** How long a job has kept a worker, roughly. */
  private cost = AHEAD_MS;
  private countedAt = 0;
  private counted = 0;

  /** A page would rather be host. */
  wanted: ((page: string, qualities: Qualities) => void) | undefined;

  /** Opens a pool; see {@link openContext} for what it throws (rejects). */
  static async open(workers: number, name: string, options: ContextOptions): Promise<Hosting> {
    const inner = await openContext(workers, name, options, false);
    try {
      await inner.ready;
      return new Hosting(inner);
    } catch (error) {
      void inner.close({ cancel: true, grace: GRACE_MS });
      throw error;
    }
  }

  private constructor(inner: FixedWorkerContext) {
    registerHandles();
    this.inner = inner;
    const { base: runtime, opened: target, name, workers } = inner;
    this.runtime = runtime;
    this.places = workers;
    this.tasks = [...new Set([STREAM, ...target.tasks!, ...nativeNames(runtime.module)])];
    runtime.writeBytes(Memory.encode(`${name}\0`));
    // Views with fewer places than this are lines of their own.
    const at = runtime.module._cwb_context_lodge(ANY_NUMBER);
    if (at < 0) throw noMemory();
    runtime.module._cwb_places(at, workers);
    this.lodge = new Target(runtime, at, name, true);
    runtime.bodies.set(at, this);
    runtime.afterTurn.add(this.afterTurn);
  }

  // ---- pages

  /** How many pages use the pool. */
  get clients(): number {
    return this.guests.size;
  }

  /** Batches and frames of theirs that were refused. */
  get refused(): number {
    let sum = this.refusedBefore + this.strangers;
    for (const { refused } of this.all) sum += refused;
    return sum;
  }

  private get all(): Guest[] {
    return [...this.guests.values(), ...this.invited.values()];
  }

  /**
   * Lets a page use the pool.
   * @param lock - that it holds as long as it lives
   */
  invite(page: string, introduction: Introduction, lock: string): void {
    this.invited.get(page)?.gone('its page was invited again');
    const { guests, invited } = this;
    const signal = new AbortController();
    let hasCome = false;
    const guest = new Guest(this, introduction, {
      wants: (qualities) => this.wanted?.(page, qualities),
      came: () => {
        hasCome = true;
        invited.delete(page);
        const before = guests.get(page);
        guests.set(page, guest);
        before?.gone('its page has come again');
        this.runtime.module._cwb_places(guest.view.context, this.places);
      },
      left: () => {
        signal.abort();
        this.refusedBefore += guest.refused;
        if (invited.get(page) === guest) invited.delete(page);
        if (guests.get(page) !== guest) return;
        guests.delete(page);
        if (guests.size === 0) this.deserted?.();
      },
    });
    invited.set(page, guest);
    const isDead = () => {
      if (!hasCome) this.strangers++;
      guest.gone('the page that launched it is gone');
    };
    locks()
      .request(lock, { signal: signal.signal }, isDead)
      .catch(() => {});
  }

  // ---- their jobs

  numberOf(task: string): number {
    return this.numbers.get(task) ?? this.askNumber(task);
  }

  private askNumber(task: string): number {
    const { runtime, lodge } = this;
    const bytes = Memory.encode(task);
    runtime.writeBytes(bytes);
    const number = runtime.module._cwb_task_number(lodge.context, bytes.length);
    if (number >= 0) this.numbers.set(task, number);
    return number;
  }

  launched(job: GuestJob): void {
    this.jobs.set(job.at, job);
  }

  asks(job: GuestJob): void {
    this.asked.set(job, performance.now());
    this.absence ??= setTimeout(this.lookForAbsent, ABSENT_MS);
  }

  answered(job: GuestJob): void {
    this.asked.delete(job);
    if (this.absent.delete(job)) this.setPlaces();
  }

  /** A page that is frozen keeps places in its own line only: it is asked no more than these. */
  private readonly lookForAbsent = (): void => {
    const { absent, asked } = this;
    this.absence = undefined;
    const before = absent.size;
    const since = performance.now() - ABSENT_MS;
    for (const [job, at] of asked) if (at <= since) absent.add(job);
    if (absent.size < asked.size) this.absence = setTimeout(this.lookForAbsent, ABSENT_MS);
    if (absent.size === before) return;
    this.setPlaces();
    if (this.plain === absent.size) this.calmed?.();
  };

  private setPlaces(): void {
    if (this.isPaused) return;
    const { runtime, lodge, places, absent } = this;
    runtime.module._cwb_places(lodge.context, places + absent.size);
    runtime.schedulePump();
  }

  forget(job: GuestJob): void {
    this.answered(job);
    if (!this.jobs.delete(job.at) || !job.hasRun) return;
    this.runtime.module._cwb_expected();
    this.running--;
    if (!job.isAgain) this.plain--;
    if (this.running === 0) this.drained?.();
    if (this.plain === this.absent.size) this.calmed?.();
  }

  run(at: Pointer, _task: number, outcome: number, data: Pointer, length: number): number {
    const job = this.jobs.get(at)!;
    this.running++;
    if (!job.isAgain) this.plain++;
    if (job.run(outcome, data, length)) {
      if (this.isSoon) this.runtime.module._cwb_expect();
    } else {
      this.due.push(job);
      this.runtime.schedulePump();
    }
    return layout.OUTCOME_PENDING | layout.KEEPS_PLACE;
  }

  /** Its worker may be done with a job sooner than this thread could sleep: it sees that without a message. */
  private get isSoon(): boolean {
    return this.isCalm && this.inner.tier === 'shared';
  }

  /** There may be a worker for each job: nobody waits for a place. */
  get isCalm(): boolean {
    return this.running <= this.inner.workers && this.running === this.jobs.size;
  }

  /** Tells pages what has happened; only then those begin that are said to have begun. */
  private readonly afterTurn = (): void => {
    for (const guest of this.guests.values()) guest.endTurn();
    if (this.due.length === 0) return;
    const { due } = this;
    this.due = [];
    for (const job of due) job.wasTold();
  };

  /**
   * One that had left the line has ended. If jobs are short, workers find more of them: else each would wait for this
   * thread after every job.
   */
  completed(): void {
    const batch = this.places;
    if (++this.counted < batch) return;
    const now = performance.now();
    const cost = ((now - this.countedAt) / this.counted) * this.inner.workers;
    this.cost = this.countedAt === 0 ? AHEAD_MS : Math.min(AHEAD_MS, (this.cost + cost) / 2);
    this.countedAt = now;
    this.counted = 0;
    const ahead = Math.max(1, Math.min(MOST_AHEAD, Math.floor(AHEAD_MS / this.cost)));
    const places = ahead * this.inner.workers;
    if (places === this.places) return;
    this.places = places;
    const { module } = this.runtime;
    this.setPlaces();
    for (const { view } of this.guests.values()) module._cwb_places(view.context, places);
  }

  // ---- the end

  /** Begins no more jobs. */
  private pause(): void {
    this.isPaused = true;
    this.runtime.module._cwb_places(this.lodge.context, 0);
  }

  /**
   * Begins no more jobs, and waits for those that may not begin again elsewhere.
   * @returns false if they take longer than so many milliseconds: then it goes on
   */
  async calm(ms: number): Promise<boolean> {
    this.pause();
    const isCalm = () => this.plain === this.absent.size;
    if (!isCalm()) await this.atMost(ms, (resolve) => (this.calmed = resolve));
    if (isCalm() || this.isOver) return true;
    this.isPaused = false;
    this.setPlaces();
    return false;
  }

  /**
   * Takes no more jobs; those that have begun have so many milliseconds to end.
   * Pages get those back that have not begun, once they see another host.
   */
  async resign(ms: number): Promise<void> {
    this.pause();
    const end = performance.now() + ms;
    if (this.running > 0) await this.atMost(ms, (resolve) => (this.drained = resolve));
    // They have heard all of it before another page can be host.
    for (const guest of this.all) guest.resign();
    if (this.guests.size > 0) {
      const left = end - performance.now();
      await this.atMost(left, (resolve) => (this.deserted = resolve));
    }
    await this.close();
  }

  /** Waits for something, no longer than so many milliseconds. */
  private async atMost(ms: number, wait: (resolve: () => void) => void): Promise<void> {
    if (ms <= 0) return;
    let late: ReturnType<typeof setTimeout>;
    await new Promise<void>((resolve) => {
      wait(resolve);
      late = setTimeout(resolve, ms);
    });
    clearTimeout(late!);
  }

  /** Ends the pool at once: what runs in it is lost to the pages. */
  close(): Promise<void> {
    if (this.isOver) return Promise.resolve();
    this.isOver = true;
    clearTimeout(this.absence);
    for (const guest of this.all) {
      guest.resign();
      guest.gone('the page that has the pool gives it up');
    }
    const { runtime, lodge } = this;
    // What was cancelled by that, and stands in line, ends where it has a place.
    runtime.module._cwb_places(lodge.context, ANY_NUMBER);
    runtime.module._cw_context_close(lodge.context);
    return this.inner.close({ cancel: true, grace: GRACE_MS }).then(() => {
      runtime.pumpNow();
      runtime.afterTurn.delete(this.afterTurn);
      runtime.bodies.delete(lodge.context);
      if (this.jobs.size === 0) runtime.module._cwb_context_free(lodge.context);
    });
  }
}
