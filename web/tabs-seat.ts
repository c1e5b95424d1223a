/**
 * A page's place among those that share a pool: which of them is host, and since when.
 *
 * Whoever has the host's lock is host. Each host has an epoch: one more than the
 * highest that any page knows, which pages keep as the names of locks that they
 * share; so it grows as long as one of them lives, whichever that is.
 *
 * @module
 */
import type { CrewHost } from './crew.js';
import { ABI, VERSION } from './layout.gen.js';
import type { ContextOptions } from './options.js';
import { TabsCrew } from './tabs-crew.js';
import type { Company } from './tabs-crew.js';
import { Hosting } from './tabs-host.js';
import { portLine } from './tabs-line.js';
import { hold, locks } from './tabs-locks.js';
import type { Held } from './tabs-locks.js';
import { Meeting } from './tabs-meeting.js';
import type { Attendee, Broker, Introduction } from './tabs-meeting.js';

export type Role = 'host' | 'client';

/** What a seat is taken with. */
export interface SeatOptions {
  readonly workers: number;
  readonly name: string;
  readonly context: ContextOptions;
  readonly broker: Broker;
  readonly patience: number;
  readonly handover: number;
}

/** Looks after the host so many times before patience is over. */
const LOOKS = 4;

export class Seat implements Company, Attendee {
  readonly crew = new TabsCrew(this);
  readonly page = crypto.randomUUID();
  private readonly options: SeatOptions;
  private readonly changed: () => void;
  private readonly key: string;
  private host!: CrewHost;
  private meeting: Meeting | undefined;
  private hosting: Hosting | undefined;
  /** As long as the page takes part. */
  private presence: Held | undefined;
  /** The lock of the host, or who waits for it. */
  private office: Held | undefined;
  private queue: AbortController | undefined;
  /** Of the highest epoch that this page knows. */
  private memory: Held | undefined;
  private isThere = false;
  private leaving: Promise<void> | undefined;
  epoch = 0;
  role: Role = 'client';
  /** Changes of the host that this page has seen. */
  changes = 0;
  private lookTimer: ReturnType<typeof setTimeout> | undefined;
  private lookedAt = 0;
  private askedAt = 0;

  /** @param changed - hears that the role has changed */
  constructor(options: SeatOptions, changed: () => void) {
    this.options = options;
    this.changed = changed;
    this.key = `coworker ${VERSION} ${ABI} ${options.name}`;
  }

  // ---- coming and going

  begun(host: CrewHost): void {
    this.host = host;
    const page = globalThis as Partial<EventTarget>;
    page.addEventListener?.('pagehide', this.hide);
    page.addEventListener?.('pageshow', this.show);
    this.come();
  }

  private come(): void {
    this.isThere = true;
    this.epoch = 0;
    void hold(this.lockOf(this.page)).then((held) => {
      this.presence = held;
      if (!this.isThere) {
        this.presence.release();
        return;
      }
      this.meeting = new Meeting(this.key, this.page, this.options.broker, this);
      this.stand();
      this.seek();
    });
  }

  private lockOf(page: string): string {
    return `${this.key} page ${page}`;
  }

  /** Stands in line for the host's lock. */
  private stand(): void {
    const queue = new AbortController();
    this.queue = queue;
    hold(`${this.key} host`, { signal: queue.signal })
      .then((held) => {
        if (queue.signal.aborted) held.release();
        else void this.elected(held);
      })
      .catch(() => {}); // it has left, or has got the lock in another way
  }

  /** Gives up all that others see of this page, without waiting for anything. */
  private go(): void {
    this.isThere = false;
    this.queue?.abort();
    clearTimeout(this.lookTimer);
    this.lookTimer = undefined;
    this.meeting?.close();
    this.meeting = undefined;
    this.office?.release();
    this.office = undefined;
    this.memory?.release();
    this.memory = undefined;
    this.presence?.release();
    this.presence = undefined;
  }

  /** The page goes: for good, or to be frozen and perhaps to be shown again. */
  private readonly hide = (): void => {
    if (!this.isThere || this.leaving) return;
    const { hosting } = this;
    this.hosting = undefined;
    void hosting?.close();
    this.go();
    this.crew.disconnect('was left, as this one was hidden,');
    this.setRole('client');
  };

  private readonly show = (): void => {
    if (!this.isThere && !this.leaving) this.come();
  };

  leave(): Promise<void> {
    this.leaving ??= this.leaveInOrder();
    return this.leaving;
  }

  private async leaveInOrder(): Promise<void> {
    const page = globalThis as Partial<EventTarget>;
    page.removeEventListener?.('pagehide', this.hide);
    page.removeEventListener?.('pageshow', this.show);
    const { hosting } = this;
    this.hosting = undefined;
    await hosting?.resign(this.options.handover);
    this.go();
    this.setRole('client');
  }

  // ---- being host

  /** This page has got the host's lock in its turn. */
  private async elected(held: Held): Promise<void> {
    this.office = held;
    void held.stolen.then(() => this.deposed(held));
    const claim = await hold(`${this.key} claim`);
    const isHost = await this.beginEpoch(held);
    claim.release();
    if (isHost) await this.openPool(held);
  }

  /** Whoever has the lock `claim` calls this, so no two hosts have one epoch. */
  private async beginEpoch(held: Held): Promise<boolean> {
    const epoch = (await this.highest()) + 1;
    if (this.office !== held) return false;
    const memory = await hold(this.epochLock(epoch), { mode: 'shared' });
    if (this.office === held) this.remember(epoch, memory);
    else memory.release();
    return this.office === held;
  }

  private epochLock(epoch: number): string {
    return `${this.key} epoch ${epoch}`;
  }

  /** The highest epoch that any page knows. */
  private async highest(): Promise<number> {
    const { held = [] } = await locks().query();
    const before = this.epochLock(0).slice(0, -1);
    const epochs = held.map(({ name = '' }) =>
      name.startsWith(before) ? Number(name.slice(before.length)) : 0,
    );
    return Math.max(0, ...epochs);
  }

  private remember(epoch: number, memory: Held): void {
    this.memory?.release();
    this.memory = memory;
    this.epoch = epoch;
  }

  private async openPool(held: Held): Promise<void> {
    const { workers, name, context } = this.options;
    const { epoch } = this;
    let hosting: Hosting;
    try {
      hosting = await Hosting.open(workers, name, context, epoch);
    } catch (error) {
      if (this.office === held) {
        this.go();
        this.host.fail(error as Error);
      }
      return;
    }
    if (this.office !== held || this.leaving) {
      void hosting.close();
      return;
    }
    // Not before: what the last host has sent may still be on its way.
    this.crew.disconnect('was closed, has crashed or did not answer');
    this.hosting = hosting;
    const { port1, port2 } = new MessageChannel();
    const capability = crypto.getRandomValues(new Uint8Array(16));
    this.invite(this.page, { line: portLine(port1), epoch, capability });
    this.crew.connect({ line: portLine(port2), epoch, capability });
    this.setRole('host');
    this.meeting?.announce(epoch);
  }

  /** Somebody has taken the host's lock away: this page was frozen, or too busy. */
  private deposed(held: Held): void {
    if (this.office !== held) return;
    const { hosting } = this;
    this.hosting = undefined;
    this.office = undefined;
    void hosting?.close();
    this.crew.disconnect('did not answer in time, and another one has taken its place,');
    this.setRole('client');
    if (!this.isThere || this.leaving) return;
    this.stand();
    this.seek();
  }

  private setRole(role: Role): void {
    if (role === this.role) return;
    this.role = role;
    this.changed();
  }

  // ---- as host, to others

  get epochOfHost(): number {
    return this.epoch;
  }

  seeks(page: string): 'ready' | 'soon' | 'no' {
    if (page === this.page || !this.office) return 'no';
    return this.hosting ? 'ready' : 'soon';
  }

  invite(page: string, introduction: Introduction): void {
    this.hosting!.invite(page, introduction, this.lockOf(page));
  }

  get clients(): number | undefined {
    return this.hosting?.clients;
  }

  /** What this page has refused of others. */
  get refused(): number {
    const { crew, hosting, meeting } = this;
    return crew.refused + (hosting?.refused ?? 0) + (meeting?.refused ?? 0);
  }

  // ---- as client

  private seek(): void {
    this.askedAt = performance.now();
    this.meeting?.seek();
    this.watch();
  }

  hostIs(epoch: number): void {
    if (this.office || epoch < this.epoch) return;
    if (epoch > this.epoch) this.crew.disconnect('was closed, has crashed or did not answer');
    if (!this.crew.isConnected) this.seek();
  }

  isSoon(): void {
    this.askedAt = performance.now();
  }

  meet(introduction: Introduction): void {
    const { epoch, line } = introduction;
    if (this.office || epoch < this.epoch || this.crew.isConnected) {
      line.close();
      return;
    }
    // Before it is heard, so that the next host has a higher one.
    void hold(this.epochLock(epoch), { mode: 'shared' }).then((memory) => {
      if (this.office || epoch < this.epoch || !this.isThere || this.crew.isConnected) {
        memory.release();
        line.close();
        return;
      }
      this.remember(epoch, memory);
      this.crew.disconnect('has come again');
      this.crew.connect(introduction);
    });
  }

  welcomed(): void {
    this.askedAt = 0;
    this.changes++;
  }

  isOutdated(epoch: number): void {
    if (epoch > this.epoch) this.hostIs(epoch);
  }

  resigned(): void {
    if (this.hosting) return;
    this.crew.disconnect('was closed, and has handed over,');
    this.seek();
  }

  // ---- a host that does not answer

  watch(): void {
    if (this.lookTimer !== undefined || !this.isThere || this.office) return;
    this.lookedAt = performance.now();
    this.lookTimer = setTimeout(this.look, this.options.patience / LOOKS);
  }

  private readonly look = (): void => {
    this.lookTimer = undefined;
    if (this.office || !this.isThere) return;
    const { crew } = this;
    const { patience } = this.options;
    const now = performance.now();
    // A page that was asleep itself has to ask once more.
    if (now - this.lookedAt > patience) this.askedAt = 0;
    if (crew.isConnected) {
      if (!crew.isWaiting) {
        this.askedAt = 0;
        return;
      }
      if (crew.heardAt >= this.askedAt) this.askedAt = 0;
    }
    if (this.askedAt === 0) {
      this.askedAt = now;
      if (crew.isConnected) crew.ping();
      else this.meeting?.seek();
    } else if (now - this.askedAt >= patience) {
      this.askedAt = now;
      void this.usurp(this.epoch);
    } else if (!crew.isConnected) {
      this.meeting?.seek();
    }
    this.watch();
  };

  /** Takes the place of a host that does not answer, unless somebody else has. */
  private async usurp(epoch: number): Promise<void> {
    const claim = await hold(`${this.key} claim`);
    let held: Held | undefined;
    try {
      const isOther = (await this.highest()) > epoch && epoch > 0;
      if (isOther || this.epoch !== epoch || this.office || !this.isThere) return;
      this.queue?.abort(); // it need not stand in line any more
      held = await hold(`${this.key} host`, { steal: true });
      this.office = held;
      const mine = held;
      void held.stolen.then(() => this.deposed(mine));
      if (!(await this.beginEpoch(held))) held = undefined;
    } finally {
      claim.release();
    }
    if (held) await this.openPool(held);
  }
}
