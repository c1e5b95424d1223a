/**
 * A page's place among those that share a pool: which of them is host, as far as it
 * knows, and what becomes of it. Whoever has the host's lock is host, see
 * tabs-office.ts.
 *
 * @module
 */
import type { CrewHost } from './crew.js';
import { ABI, VERSION } from './layout.gen.js';
import { TabsCrew } from './tabs-crew.js';
import type { Company } from './tabs-crew.js';
import { Heir } from './tabs-heir.js';
import type { Hosting } from './tabs-host.js';
import { portLine } from './tabs-line.js';
import { hold } from './tabs-locks.js';
import type { Held } from './tabs-locks.js';
import { Meeting } from './tabs-meeting.js';
import type { Attendee, Broker, Introduction } from './tabs-meeting.js';
import { Office } from './tabs-office.js';
import type { Officer, PoolOptions } from './tabs-office.js';
import { Preference } from './tabs-preference.js';
import type { PreferenceOptions, Qualities, Voice } from './tabs-preference.js';
import { Watch } from './tabs-watch.js';
import type { Client } from './tabs-watch.js';

export type Role = 'host' | 'client';

/** What a seat is taken with. */
export interface SeatOptions extends PoolOptions, PreferenceOptions {
  readonly broker: Broker;
  readonly patience: number;
  readonly handover: number;
}

/** So long whoever is to be the next host may take. */
const HEIR_MS = 1000;
/** When a host that could not hand over tries again: after so many times its `handover`, but ... */
const YIELDS_AGAIN = 4;
/** ... not sooner than this. */
const YIELDS_AGAIN_MS = 1000;

export class Seat implements Company, Attendee, Officer, Voice, Client {
  readonly crew = new TabsCrew(this);
  readonly page = crypto.randomUUID();
  private readonly options: SeatOptions;
  private readonly changed: () => void;
  private readonly key: string;
  private readonly office: Office;
  private host!: CrewHost;
  private meeting: Meeting | undefined;
  private preference: Preference | undefined;
  /** As long as the page takes part. */
  private presence: Held | undefined;
  private isThere = false;
  private leaving: Promise<void> | undefined;
  role: Role = 'client';
  /** Changes of the host that this page has seen. */
  changes = 0;
  private yieldTimer: ReturnType<typeof setTimeout> | undefined;
  private isYielding = false;
  private isFindingOut = false;
  private readonly heir = new Heir();
  private readonly watching: Watch;
  private untrue = 0; // what others have said that is not so

  /** @param changed - hears that the role has changed */
  constructor(options: SeatOptions, changed: () => void) {
    this.options = options;
    this.changed = changed;
    this.key = `coworker ${VERSION} ${ABI} ${options.name}`;
    this.office = new Office(this.key, options, this);
    this.watching = new Watch(this, options.patience);
  }

  /** The highest epoch that this page knows. */
  get epoch(): number {
    return this.office.epoch;
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
    this.office.epoch = 0;
    void hold(this.lockOf(this.page)).then((held) => {
      this.presence = held;
      if (!this.isThere) {
        this.presence.release();
        return;
      }
      const { options } = this;
      this.preference = new Preference(options, () => this.canShare, this);
      this.meeting = new Meeting(this.key, this.page, options.broker, this);
      this.office.stand();
      this.seek();
    });
  }

  private lockOf(page: string): string {
    return `${this.key} page ${page}`;
  }

  get isStaying(): boolean {
    return this.isThere && !this.leaving;
  }

  /** Gives up all that others see of this page, without waiting for anything. */
  private go(): void {
    this.isThere = false;
    this.watching.end();
    clearTimeout(this.yieldTimer);
    this.preference?.close();
    this.preference = undefined;
    this.meeting?.close();
    this.meeting = undefined;
    this.office.leave();
    this.presence?.release();
    this.presence = undefined;
  }

  /** The page goes: for good, or to be frozen and perhaps to be shown again. */
  private readonly hide = (): void => {
    if (!this.isStaying) return;
    void this.office.takeHosting()?.close();
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
    await this.office.takeHosting()?.resign(this.options.handover);
    this.go();
    this.setRole('client');
  }

  // ---- being host

  begins(hosting: Hosting): void {
    const { epoch } = this;
    // Not before: what the last host has sent may still be on its way.
    this.crew.disconnect('was closed, has crashed or did not answer');
    const { port1, port2 } = new MessageChannel();
    const capability = crypto.getRandomValues(new Uint8Array(16));
    this.invite(this.page, { line: portLine(port1), epoch, capability });
    this.crew.connect({ line: portLine(port2), epoch, capability });
    this.setRole('host');
    this.meeting?.announce(epoch);
    hosting.wanted = (page, qualities) => this.preference?.wanted(page, qualities);
    this.preference?.hosting({ isShared: hosting.inner.tier === 'shared' });
  }

  fails(error: Error): void {
    this.go();
    this.host.fail(error);
  }

  /** Another page has the lock: this one was frozen, or too busy, or has handed over. */
  isDeposed(): void {
    this.crew.disconnect('did not answer in time, and another one has taken its place,');
    this.setRole('client');
    this.preference?.hosting(undefined);
    if (!this.isStaying) return;
    this.office.stand();
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
    if (page === this.page || !this.office.isHeld) return 'no';
    return this.office.hosting ? 'ready' : 'soon';
  }

  invite(page: string, introduction: Introduction): void {
    this.office.hosting!.invite(page, introduction, this.lockOf(page));
  }

  offer(): void {
    this.meeting?.offer(this.epoch);
  }

  want(qualities: Qualities): void {
    this.heir.asks(this.epoch);
    this.crew.want(qualities);
  }

  yieldTo(page: string): void {
    if (!this.isYielding) void this.handOver(page);
  }

  private async handOver(page: string): Promise<void> {
    const { office, epoch, options } = this;
    const { handover } = options;
    this.isYielding = true;
    const isOver = await office.handOver(handover);
    this.isYielding = false;
    if (!this.isStaying) return;
    if (!isOver) {
      const again = Math.max(YIELDS_AGAIN_MS, handover * YIELDS_AGAIN);
      clearTimeout(this.yieldTimer);
      this.yieldTimer = setTimeout(() => office.hosting && this.offer(), again);
      return;
    }
    this.preference?.hosting(undefined);
    this.setRole('client');
    this.meeting?.bequeath(page, epoch);
    this.yieldTimer = setTimeout(() => {
      if (!office.isHeld || this.epoch !== epoch) return;
      office.giveUp();
      office.stand();
      this.seek();
    }, HEIR_MS);
  }

  get clients(): number | undefined {
    return this.office.hosting?.clients;
  }

  /** What this page has refused of others. */
  get refused(): number {
    const { crew, office, meeting } = this;
    return crew.refused + office.refused + (meeting?.refused ?? 0) + this.untrue;
  }

  // ---- as client

  private seek(): void {
    this.watching.asked();
    this.call();
    this.watch();
  }

  get isSeeking(): boolean {
    return this.isClient && !this.crew.isConnected;
  }

  hostIs(epoch: number): void {
    if (this.office.isHeld || epoch < this.epoch) return;
    if (epoch > this.epoch) void this.findOut();
    else if (!this.crew.isConnected) this.seek();
  }

  /** Whether there is a later host, as the locks say: what pages say may be wrong. */
  private async findOut(): Promise<void> {
    if (this.isFindingOut) return;
    this.isFindingOut = true;
    const { office, crew } = this;
    const highest = await office.highest();
    const memory = highest > this.epoch ? await office.know(highest) : undefined;
    this.isFindingOut = false;
    if (!memory) this.untrue++;
    if (!memory || office.isHeld || !this.isThere || highest <= this.epoch) {
      memory?.release();
      return;
    }
    // From now on no earlier one counts, which may not know yet that it has lost its place.
    office.remember(highest, memory);
    crew.disconnect('was closed, has crashed or did not answer');
    this.seek();
  }

  isOffered(epoch: number): void {
    if (epoch === this.epoch) this.apply();
  }

  isHeir(epoch: number): void {
    if (epoch !== this.epoch || !this.heir.isNamed(epoch)) this.untrue++;
    else if (this.heir.isHeirOf(epoch)) this.usurp();
  }

  /** Asks to be host, if there is a reason to. */
  private apply(): void {
    if (!this.office.isHeld && this.crew.isConnected)
      this.preference?.apply(this.crew.hostTier === 'shared');
  }

  /** Whether it would share memory with its workers. */
  private get canShare(): boolean {
    const { buffer } = this.host.runtime.sharedMemory;
    return typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
  }

  isSoon(): void {
    this.watching.asked();
  }

  meet(introduction: Introduction): void {
    const { epoch, line } = introduction;
    const { office, crew } = this;
    const isLate = () => epoch < this.epoch || !this.isSeeking;
    const leave = (memory?: Held) => {
      memory?.release();
      line.close();
    };
    const meet = async () => {
      const highest = isLate() ? 0 : await office.highest();
      if (!isLate() && highest !== epoch) this.untrue++;
      if (isLate() || highest !== epoch) {
        leave();
        return;
      }
      // Before it is heard, so that the next host has a higher one.
      const memory = await office.know(epoch);
      if (isLate()) {
        leave(memory);
        return;
      }
      office.remember(epoch, memory);
      crew.disconnect('has come again');
      crew.connect(introduction);
    };
    void meet();
  }

  welcomed(): void {
    this.watching.answered();
    this.changes++;
    this.apply();
  }

  isOutdated(epoch: number): void {
    this.hostIs(epoch);
  }

  resigned(): void {
    if (this.office.hosting) return;
    this.heir.isGiven(this.epoch);
    this.crew.disconnect('has handed over');
    this.seek();
    if (this.heir.isHeirOf(this.epoch)) this.usurp();
  }

  // ---- a host that does not answer

  watch(): void {
    this.watching.begin();
  }

  get isClient(): boolean {
    return this.isThere && !this.office.isHeld;
  }

  call(): void {
    this.meeting?.seek();
  }

  usurp(): void {
    void this.office.usurp(this.epoch);
  }
}
