/**
 * The host in place of workers: a page's jobs of a shared context are jobs of its own
 * core, whose bodies are on the page that has the pool, be it this one.
 *
 * @module
 */
import { carryThrown } from './carried.js';
import type { Crew, CrewHost } from './crew.js';
import { ContextLostError, TierError, noMemory } from './errors.js';
import { Errands } from './isolated-errands.js';
import type { Errand } from './isolated-member.js';
import * as layout from './layout.gen.js';
import { STREAM } from './launch.js';
import { Memory } from './memory.js';
import type { Runtime } from './runtime.js';
import { Mailbox, REFUSED } from './tabs-mailbox.js';
import type { Introduction } from './tabs-meeting.js';
import { isCarried, isWelcome } from './tabs-messages.js';
import { HostPlace } from './tabs-place.js';
import { bitsOf } from './tabs-preference.js';
import type { Qualities } from './tabs-preference.js';
import type { WireFrame } from './wire.js';

/** Places for what is sent nowhere any more. */
const ANY_NUMBER = 0x7fffffff;

/** What a crew tells whoever finds its host. */
export interface Company {
  /** The core's context is there. */
  begun(host: CrewHost): void;
  /** The host has said what it has. */
  welcomed(): void;
  /** The host says that it is another one. */
  isOutdated(epoch: number): void;
  /** The host hands over, or goes. */
  resigned(): void;
  /** There is something to do: the host has to answer. */
  watch(): void;
  /** This page takes part no longer; fulfilled once its pool is gone, too, if it had one. */
  leave(): Promise<void>;
}

export class TabsCrew implements Crew {
  readonly tier = 'isolated';
  private readonly company: Company;
  private host!: CrewHost;
  private errands!: Errands;
  private place!: HostPlace;
  private places = 0;
  private isOver = false;
  private isClosing = false;
  private isLeaving = false;
  /** Batches that earlier connections have refused. */
  private refusedBefore = 0;

  constructor(company: Company) {
    this.company = company;
  }

  open(runtime: Runtime): number {
    return runtime.module._cwb_context_lodge(0);
  }

  begin(host: CrewHost): void {
    this.host = host;
    const { runtime, target, name } = host;
    this.errands = new Errands(host, () => this.place, false);
    target.away = this.errands;
    runtime.bodies.set(target.context, this.errands);
    runtime.afterTurn.add(this.flush);
    runtime.writeBytes(Memory.encode(`${name}\0`));
    const at = runtime.module._cwb_away_new(target.context);
    if (at === 0) host.notMade(noMemory());
    this.place = new HostPlace(runtime, at, (id, task) => this.unknown(id, task));
    this.company.begun(host);
  }

  // ---- the host

  /** Talks to this host from now on. */
  connect(introduction: Introduction): void {
    const { runtime } = this.host;
    const mailbox = new Mailbox(runtime, introduction, layout.WIRE_CLIENT, 0, {
      read: (frame, value) => this.read(frame, value),
      isOutdated: (epoch) => this.company.isOutdated(epoch),
    });
    this.place.mailbox = mailbox;
    mailbox.add(layout.WIRE_HELLO);
    mailbox.flush();
  }

  /** The host is no more, or another one; `how` it went. */
  disconnect(how: string): void {
    const { runtime, name } = this.host;
    const { place } = this;
    const { mailbox } = place;
    if (!mailbox) return;
    mailbox.add(layout.WIRE_BYE);
    this.refusedBefore += mailbox.refused;
    mailbox.close();
    this.place = new HostPlace(runtime, place.at, (id, task) => this.unknown(id, task));
    this.place.workers = place.workers;
    place.ready = false;
    this.setPlaces();
    this.errands.hostLost(place, Memory.encode(`the page that hosted context '${name}' ${how}`));
    runtime.pumpNow();
  }

  /** Whether something is there that the host has to answer for. */
  get isWaiting(): boolean {
    return this.errands.size > 0;
  }

  get isConnected(): boolean {
    return this.place.ready;
  }

  /** When the host was heard last. */
  get heardAt(): number {
    return this.place.mailbox?.heardAt ?? 0;
  }

  /** Asks the host to answer. */
  ping(): void {
    this.place.mailbox?.add(layout.WIRE_HELLO);
    this.place.mailbox?.flush();
  }

  /** Tells the host that this page would rather be it. */
  want(qualities: Qualities): void {
    this.place.mailbox?.add(layout.WIRE_HELLO, { a: bitsOf(qualities) });
    this.place.mailbox?.flush();
  }

  get refused(): number {
    return this.refusedBefore + (this.place.mailbox?.refused ?? 0);
  }

  get hostTier(): string {
    return this.place.tier;
  }

  private setPlaces(): void {
    const places = this.place.ready ? this.place.window : 0;
    if (places === this.places || this.isOver) return;
    this.places = places;
    const { runtime, target } = this.host;
    runtime.module._cwb_places(target.context, places);
    runtime.schedulePump();
  }

  private read(frame: WireFrame, value: unknown): void {
    const { kind, job, a, b } = frame;
    const { place } = this;
    if (kind === layout.WIRE_WELCOME) this.welcome(frame);
    else if (kind === layout.WIRE_RESIGN) this.company.resigned();
    else {
      const errand = place.errands.get(job);
      if (errand) this.readFor(errand, frame, value);
      else if (job !== 0 && !place.errands.wasGiven(job))
        place.mailbox!.refuse(frame, REFUSED.number);
    }
    // What it refuses otherwise has ended, or there is an answer to come.
    if (kind === layout.WIRE_REFUSED && b === layout.WIRE_SUBMIT && a !== REFUSED.number)
      this.wasRefused(job, a);
  }

  private readFor(errand: Errand, frame: WireFrame, value: unknown): void {
    const { runtime } = this.host;
    const { errands, place } = this;
    const { foreign } = place.mailbox!;
    const { kind, a, at, bytes, flags } = frame;
    const isBeside = (flags & layout.WIRE_BESIDE) !== 0;
    if (kind === layout.WIRE_BEGUN) {
      errands.begun(errand);
      place.begins(errand);
    } else if (kind === layout.WIRE_WAITS) {
      errands.waits(errand);
    } else if (kind === layout.WIRE_PROGRESS || kind === layout.WIRE_ITEM) {
      if (!isBeside) foreign.readOne(at, bytes);
      const data = isBeside ? undefined : runtime.memory.refresh().u8.slice(at, at + bytes);
      if (kind === layout.WIRE_PROGRESS) errands.progressed(errand, data, value);
      else if (!errands.gaveItem(errand, data, value)) place.mailbox!.refuse(frame, REFUSED.state);
    } else if (kind === layout.WIRE_SETTLED) {
      this.settled(errand, a, () => {
        if (a !== layout.WIRE_VALUE) return foreign.readOne(at, bytes);
        if (isBeside) {
          errands.gaveEnclosed(errand, value);
        } else {
          foreign.readOne(at, bytes);
          const { i32 } = runtime.memory.refresh();
          errands.gave(errand, i32, at >>> 2, bytes);
        }
        return undefined;
      });
    }
  }

  private settled(errand: Errand, how: number, read: () => unknown): void {
    try {
      const carried = read();
      if (how === layout.WIRE_VALUE) return;
      if (!isCarried(carried)) throw new TypeError('coworker: the host has told no error');
      this.errands.failed(errand, carried, how === layout.WIRE_CANCELLED);
    } catch (error) {
      // It has ended there, so it has to end here.
      if (!errand.isOver) this.errands.failed(errand, carryThrown(error), false);
      throw error;
    }
  }

  /** The host does not take a job. */
  private wasRefused(job: number, why: number): void {
    const errand = this.place.errands.get(job);
    if (!errand) return;
    const { name } = this.host;
    const error = new RangeError(
      `coworker: the page that hosts context '${name}' has refused a job (${why})`,
    );
    this.errands.failed(errand, carryThrown(error), false);
  }

  private welcome({ at, bytes, a }: WireFrame): void {
    const { place } = this;
    const welcome = place.mailbox!.foreign.readOne(at, bytes);
    if (!isWelcome(welcome)) throw new TypeError('coworker: the host has not said what it has');
    if (place.ready) return; // it has answered a ping
    place.welcome(welcome, a);
    this.host.ready(welcome.tasks.filter((task) => task !== STREAM));
    this.setPlaces();
    this.company.welcomed();
  }

  private unknown(id: number, task: string): void {
    const errand = this.place.errands.get(id);
    if (!errand) return;
    const { target, runtime } = this.host;
    if (!this.place.ready) {
      // The core had let it go before the host was lost: it waits for the next one.
      this.errands.hostLost(this.place, Memory.encode('its page was no host any more'));
      return;
    }
    this.errands.failed(errand, carryThrown(target.unknown(task, target.tasks ?? [])), false);
    runtime.pumpNow();
  }

  /** Sends what has come together. */
  private readonly flush = (): void => {
    this.place.mailbox?.flush();
    if (this.errands.size > 0) this.company.watch();
    if (this.isClosing) this.look();
  };

  // ---- as a crew

  /** As long as there is no host, nothing has started. */
  get missing(): number {
    return this.host.target.tasks ? 0 : 1;
  }

  count(): { workers: number; idle: number } {
    const { workers, busy } = this.place;
    return { workers, idle: Math.max(0, workers - busy) };
  }

  close(): void {
    this.isClosing = true;
    this.host.runtime.schedulePump();
  }

  private look(): void {
    const { runtime, target } = this.host;
    if (this.isOver || this.isLeaving) return;
    if (runtime.module._cwb_context_over(target.context) === 0) return;
    this.isLeaving = true;
    void this.company.leave().then(() => {
      if (!this.isOver) this.leave();
      this.host.over();
    });
  }

  kill(): boolean {
    const { runtime, target, name } = this.host;
    this.errands.stopped = new ContextLostError(`coworker: context '${name}' was closed`);
    this.disconnect('was left by this one, which has closed the context,');
    runtime.module._cwb_places(target.context, ANY_NUMBER);
    runtime.pumpNow();
    const isEmpty = runtime.module._cwb_context_over(target.context) !== 0;
    if (!this.isOver) this.leave();
    void this.company.leave();
    return isEmpty;
  }

  stop(error: Error): void {
    if (this.isOver) return;
    this.errands.stopped = error;
    this.errands.abandon(this.place, error);
    this.leave();
    void this.company.leave();
    const { runtime, target } = this.host;
    runtime.module._cwb_places(target.context, ANY_NUMBER);
  }

  private leave(): void {
    this.isOver = true;
    const { runtime, target } = this.host;
    const { mailbox } = this.place;
    mailbox?.add(layout.WIRE_BYE);
    mailbox?.close();
    runtime.afterTurn.delete(this.flush);
    if (this.errands.stopped === undefined) runtime.bodies.delete(target.context);
  }

  checkAllocate(): void {
    throw new TierError(
      'coworker: there is no memory to share with other pages, so context.allocate() has none to ' +
        'give; pass arrays as arguments',
    );
  }
}
