/**
 * The office of the host: its lock, for which pages stand in line, the pool of the
 * page that has it, and its epoch.
 *
 * Each host has an epoch: one more than the highest that any page knows, which pages
 * keep as the names of locks that they share; so it grows as long as one of them
 * lives, whichever that is.
 *
 * @module
 */
import type { ContextOptions } from './options.js';
import { Hosting } from './tabs-host.js';
import { hold, locks } from './tabs-locks.js';
import type { Held } from './tabs-locks.js';

/** What a page's pool is opened with. */
export interface PoolOptions {
  readonly workers: number;
  readonly name: string;
  readonly context: ContextOptions;
}

/** The page that may hold the office. */
export interface Officer {
  /** It takes part, and stays. */
  readonly isStaying: boolean;
  /** It has the pool from now on. */
  begins(hosting: Hosting): void;
  /** Its pool could not be opened, or has ended by itself. */
  fails(error: Error): void;
  /** Somebody else has taken its place. */
  isDeposed(): void;
}

export class Office {
  private readonly key: string;
  private readonly pool: PoolOptions;
  private readonly officer: Officer;
  /** The lock, and who waits for it. */
  private held: Held | undefined;
  private queue: AbortController | undefined;
  /** Of the highest epoch that this page knows. */
  private memory: Held | undefined;
  epoch = 0;
  private refusedBefore = 0;
  hosting: Hosting | undefined;

  constructor(key: string, pool: PoolOptions, officer: Officer) {
    this.key = key;
    this.pool = pool;
    this.officer = officer;
  }

  /** This page has the lock, and perhaps its pool already. */
  get isHeld(): boolean {
    return this.held !== undefined;
  }

  /** What the pools that this page has had have refused of others. */
  get refused(): number {
    return this.refusedBefore + (this.hosting?.refused ?? 0);
  }

  /** Stands in line for it. */
  stand(): void {
    const queue = new AbortController();
    this.queue = queue;
    hold(`${this.key} host`, { signal: queue.signal })
      .then((held) => {
        if (queue.signal.aborted) held.release();
        else void this.elected(held);
      })
      .catch(() => {}); // it has left, or has got the lock in another way
  }

  /** Gives up all that others see of it, without waiting for anything. */
  leave(): void {
    this.queue?.abort();
    this.held?.release();
    this.held = undefined;
    this.memory?.release();
    this.memory = undefined;
  }

  /** The pool, which is no longer this office's to look after. */
  takeHosting(): Hosting | undefined {
    const { hosting } = this;
    this.refusedBefore += hosting?.refused ?? 0;
    this.hosting = undefined;
    return hosting;
  }

  // ---- epochs

  private epochLock(epoch: number): string {
    return `${this.key} epoch ${epoch}`;
  }

  /** The highest epoch that any page knows. */
  async highest(): Promise<number> {
    const { held = [] } = await locks().query();
    const before = this.epochLock(0).slice(0, -1);
    const epochs = held.map(({ name = '' }) =>
      name.startsWith(before) ? Number(name.slice(before.length)) : 0,
    );
    return Math.max(0, ...epochs);
  }

  /** Lets others see that a page knows of an epoch. */
  know(epoch: number): Promise<Held> {
    return hold(this.epochLock(epoch), { mode: 'shared' });
  }

  remember(epoch: number, memory: Held): void {
    this.memory?.release();
    this.memory = memory;
    this.epoch = epoch;
  }

  /** Whoever has the lock `claim` calls this, so no two hosts have one epoch. */
  private async beginEpoch(held: Held): Promise<boolean> {
    const epoch = (await this.highest()) + 1;
    if (this.held !== held) return false;
    const memory = await this.know(epoch);
    if (this.held === held) this.remember(epoch, memory);
    else memory.release();
    return this.held === held;
  }

  // ---- having it

  /** This page has got the lock in its turn. */
  private async elected(held: Held): Promise<void> {
    const pool = this.take(held);
    const claim = await hold(`${this.key} claim`);
    const isHost = await this.beginEpoch(held);
    claim.release();
    await this.open(held, pool, isHost);
  }

  /** Takes the place of a host, unless there is a later one by then. */
  async usurp(epoch: number): Promise<void> {
    const claim = await hold(`${this.key} claim`);
    let held: Held;
    let pool: Promise<Hosting>;
    let isHost: boolean;
    try {
      const isOther = (await this.highest()) > epoch && epoch > 0;
      if (isOther || this.epoch !== epoch || this.held || !this.officer.isStaying) return;
      this.queue?.abort(); // it need not stand in line any more
      held = await hold(`${this.key} host`, { steal: true });
      pool = this.take(held);
      isHost = await this.beginEpoch(held);
    } finally {
      claim.release();
    }
    await this.open(held, pool, isHost);
  }

  /** Workers take longest to start, so they do that first. */
  private take(held: Held): Promise<Hosting> {
    this.held = held;
    void held.stolen.then(() => this.deposed(held));
    const { workers, name, context } = this.pool;
    const pool = Hosting.open(workers, name, context);
    pool.catch(() => {}); // see open()
    return pool;
  }

  private async open(held: Held, pool: Promise<Hosting>, isHost: boolean): Promise<void> {
    let hosting: Hosting;
    try {
      hosting = await pool;
    } catch (error) {
      if (this.held === held) this.officer.fails(error as Error);
      return;
    }
    if (!isHost || this.held !== held || !this.officer.isStaying) {
      void hosting.close();
      return;
    }
    hosting.inner.hasFailed = (error) => {
      if (this.hosting === hosting) this.officer.fails(error);
    };
    this.hosting = hosting;
    this.officer.begins(hosting);
  }

  private deposed(held: Held): void {
    if (this.held !== held) return;
    this.held = undefined;
    void this.takeHosting()?.close();
    this.officer.isDeposed();
  }

  // ---- handing it over

  /**
   * Ends the pool in order, for another page to take the place: once nothing runs
   * that may not begin again there.
   * @param ms - how long to wait for that
   * @returns false if it takes too long: then the pool goes on
   */
  async handOver(ms: number): Promise<boolean> {
    const { held, hosting } = this;
    if (!held || !hosting) return false;
    const isCalm = await hosting.calm(ms);
    if (this.hosting !== hosting) return false;
    if (!isCalm) return false;
    this.takeHosting();
    await hosting.resign(0);
    return this.held === held;
  }

  /** Whoever was to take the place has not come: the next one in line does. */
  giveUp(): void {
    const { held } = this;
    if (!held) return;
    this.held = undefined;
    held.release();
  }
}
