/**
 * A job that another page has submitted: in the host's core it is one that stands in
 * line for the pool, and when its turn has come, what runs there is its child.
 *
 * @module
 */
import { Channel } from './channel.js';
import type { FixedWorkerContext } from './context.js';
import { handlesError } from './carried.js';
import { STREAM, launch } from './launch.js';
import type { Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { bindProducer } from './produce.js';
import { openListener } from './progress.js';
import type { Runtime } from './runtime.js';
import type { Guest } from './tabs-guest.js';
import type { Ticket } from './tokens.js';

/** The pool, as those see it who run in it. */
export interface Host {
  readonly runtime: Runtime;
  readonly inner: FixedWorkerContext;
  /** Where jobs stand in line. */
  readonly lodge: Target;
  readonly tasks: readonly string[];
  /** There may be a worker for each job: nobody waits for a place. */
  readonly isCalm: boolean;
  /** So many may have left it that no worker has begun. */
  readonly places: number;
  numberOf(task: string): number;
  launched(job: GuestJob): void;
  forget(job: GuestJob): void;
  /** A page was asked whether a job may begin, and has answered. */
  asks(job: GuestJob): void;
  answered(job: GuestJob): void;
  /** One that had left the line has ended. */
  completed(): void;
}

export class GuestJob implements Ticket {
  readonly id: number;
  readonly name: string;
  readonly guest: Guest;
  /** It may begin again on another page. */
  readonly isAgain: boolean;
  /** It counts as begun on its page, or may begin again: so it does not wait for a GO. */
  private mayBegin: boolean;
  /** Its page is to answer that it may begin. */
  private isAsked = false;
  private readonly host: Host;
  /** Its job in the line. */
  at: Pointer = 0;
  /** Its child that runs in the pool. */
  private inner: Pointer = 0;
  /** Its page has counted it as begun since it was sent, and need not be told. */
  isAtOnce: boolean;
  wasCancelled = false;
  /** It has left the line. */
  hasRun = false;
  private hasPlace = false;
  private isTold = false;
  private isHeard = false;
  private listening: Promise<void> | undefined;
  /** Arguments as the core keeps them. */
  private given: { outcome: number; data: Pointer; length: number } | undefined;
  /** Of a stream: values that may be sent, and who waits for one more. */
  private credit = 0;
  private room: (() => void) | undefined;
  /** It was cancelled, or its page is gone. */
  private isStopped = false;

  constructor(guest: Guest, host: Host, id: number, name: string, flags: number) {
    this.guest = guest;
    this.isAgain = (flags & layout.WIRE_IDEMPOTENT) !== 0;
    this.isAtOnce = (flags & layout.WIRE_AT_ONCE) !== 0;
    this.mayBegin = this.isAgain || this.isAtOnce;
    this.host = host;
    this.id = id;
    this.name = name;
  }

  /** There is no worker for it yet: its page does not count it as begun any more. */
  waits(): void {
    this.isAtOnce = false;
    this.mayBegin = this.isAgain;
  }

  /**
   * Its turn has come: it is to begin as soon as its page was told, or at once, if that
   * knows it already.
   * @returns false if it has to wait for {@link wasTold}
   */
  run(outcome: number, data: Pointer, length: number): boolean {
    this.given = { outcome, data, length };
    this.hasPlace = this.hasRun = true;
    this.isAsked = !this.mayBegin;
    if (!this.isAtOnce) this.guest.begins(this);
    return this.isAtOnce && this.beginsAtOnce();
  }

  /** Has a usual task begin; with all others it takes more than to launch them. */
  private beginsAtOnce(): boolean {
    const target = this.host.inner.opened;
    const found = this.name === STREAM ? undefined : target.find(this.name);
    return typeof found === 'number' && this.beginTask(target, found);
  }

  /** Its page was told. */
  wasTold(): void {
    this.isTold = true;
    if (this.mayBegin) this.begin();
    else this.host.asks(this);
  }

  /**
   * Its page says that it may begin: it does not launch it elsewhere any more.
   * @returns false if nobody has asked
   */
  go(): boolean {
    if (!this.isAsked) return false;
    this.isAsked = false;
    this.mayGo();
    return true;
  }

  /** It was cancelled: it waits for nothing that its page is to say, and ends in the pool. */
  stopsWaiting(): void {
    this.isStopped = true;
    this.takeRoom();
    this.mayGo();
  }

  private mayGo(): void {
    if (this.mayBegin) return;
    this.mayBegin = true;
    if (!this.isTold) return;
    this.host.answered(this);
    this.begin();
  }

  /** Launches it in the pool. */
  private begin(): void {
    const { inner, runtime } = this.host;
    const target = inner.opened;
    try {
      if (this.name === STREAM) this.beginStream(target);
      else {
        const found = target.find(this.name);
        if (typeof found !== 'number') this.beginCall(target, this.name, this.args());
        else if (!this.beginTask(target, found))
          throw new RangeError('coworker: no memory left on the page that has the pool');
      }
    } catch (error) {
      const taken = runtime.errors.take(error);
      runtime.writePointer(taken);
      this.complete(layout.OUTCOME_ERROR);
    }
    runtime.schedulePump();
  }

  /** @returns false if there is no memory left */
  private beginTask(target: Target, task: number): boolean {
    const { runtime } = this.host;
    const { module } = runtime;
    const { outcome, data, length } = this.given!;
    const isMessage = outcome === layout.OUTCOME_MESSAGE;
    runtime.writeFrom(data, length);
    let flags = layout.LAUNCH_ASYNC | layout.LAUNCH_TELLS | runtime.wakingFlags(target);
    // Who comes to want its place wakes this thread, which hears then that it has begun.
    if (this.host.isCalm) flags |= layout.LAUNCH_TELLS_LATE;
    if (isMessage) flags |= layout.LAUNCH_MESSAGE;
    if (this.isHeard) flags |= layout.LAUNCH_HELD;
    const token = runtime.takeToken({
      handled: () => this.placeBack(),
      jobEnded: (how, at, bytes) => this.innerEnded(how, at, bytes),
    });
    this.inner = module._cwb_launch(target.context, this.at, task, flags, token, length, 0);
    if (this.inner === 0) {
      runtime.dropToken(token);
      return false;
    }
    if (this.isHeard) {
      this.listenNow();
      module._cwb_launch_held(this.inner);
    }
    return true;
  }

  private args(): unknown[] {
    const { runtime } = this.host;
    const { outcome, data, length } = this.given!;
    if (outcome !== layout.OUTCOME_MESSAGE) {
      return length === 0 ? [] : runtime.reader.read(data, length);
    }
    let args: unknown[] = [];
    const parcel = runtime.reader.readOne(data, length) as string;
    runtime.parcels.claim(parcel, (list) => (args = list as unknown[]));
    return args;
  }

  /** What needs a handle: a coroutine of C, or a stream. */
  private beginCall(target: Target, task: string, args: readonly unknown[]): void {
    const { runtime } = this.host;
    const { references } = runtime;
    const job = launch<unknown>(target, this.at, layout.LAUNCH_ASYNC, undefined, task, args);
    this.inner = job.retain();
    if (this.isHeard) this.listenNow();
    this.placeBack(); // nobody tells when it begins
    job.then(
      (value) => {
        const length = runtime.encodeOne(value, 0, references);
        this.whenTold(() => this.complete(layout.OUTCOME_VALUE | (length << 3)));
      },
      (error: unknown) => {
        this.whenTold(() => {
          runtime.writePointer(runtime.errors.take(error));
          this.complete(layout.OUTCOME_ERROR);
        });
      },
    );
  }

  // ---- streams

  private beginStream(target: Target): void {
    const [task, credit, ...args] = this.args();
    if (typeof task !== 'string' || task === STREAM || !this.host.tasks.includes(task))
      throw target.unknown(String(task), this.host.tasks);
    if (typeof credit !== 'number' || !(credit >= 1)) throw new RangeError('coworker: no credit');
    this.credit = credit;
    const { away } = target;
    const channel = new Channel(away ? Infinity : 0);
    bindProducer(channel, () => {
      const job = launch(target, this.at, layout.LAUNCH_ASYNC, undefined, STREAM, [
        task,
        away ? credit : channel,
        ...args,
      ]);
      away?.feeds(job, channel);
      this.inner = job.retain();
      return job;
    });
    this.placeBack();
    void this.pass(channel);
  }

  /** Passes values on, as many as there is credit for. */
  private async pass(channel: Channel): Promise<void> {
    const { runtime } = this.host;
    let code = layout.OUTCOME_VALUE | 0;
    try {
      for await (const value of channel) {
        if (this.credit === 0 && !this.isStopped)
          await new Promise<void>((resolve) => (this.room = resolve));
        if (this.isStopped) continue; // it was cancelled, too
        this.credit--;
        this.guest.tell(this, layout.WIRE_ITEM, value);
      }
      code |= runtime.encodeOne(undefined) << 3;
    } catch (error) {
      runtime.writePointer(runtime.errors.take(error));
      code = layout.OUTCOME_ERROR;
    }
    this.complete(code);
    runtime.schedulePump();
  }

  /** So many values more were taken there; false: it gives none. */
  taken(values: number): boolean {
    if (this.name !== STREAM) return false;
    this.credit += values;
    this.takeRoom();
    return true;
  }

  private takeRoom(): void {
    this.room?.();
    this.room = undefined;
  }

  // ---- progress

  /** Its page wants to hear how far it is. */
  listen(): void {
    if (this.isHeard) return;
    this.isHeard = true;
    if (this.inner !== 0) this.listenNow();
  }

  private listenNow(): void {
    const { runtime, inner } = this.host;
    const at = runtime.module._cwb_progress_listen(this.inner, 0);
    if (at === 0) return;
    inner.opened.away?.listened(this.inner);
    const channel = openListener(runtime.own, at);
    this.listening = (async () => {
      for await (const value of channel) {
        try {
          this.guest.tell(this, layout.WIRE_PROGRESS, value);
        } catch (error) {
          runtime.report(error);
        }
      }
      channel.dispose();
    })();
  }

  /** Calls back once all that it has told is on its way. */
  private whenTold(call: () => void): void {
    const { runtime } = this.host;
    if (!this.listening) {
      call();
      return;
    }
    void this.listening.then(() => {
      call();
      runtime.schedulePump();
    });
  }

  // ---- the end

  private placeBack(): void {
    if (!this.hasPlace) return;
    this.hasPlace = false;
    this.host.runtime.module._cwb_place_back(this.at);
  }

  private innerEnded(outcome: number, data: Pointer, length: number): void {
    const { runtime } = this.host;
    const { module } = runtime;
    const kind = outcome & 7;
    if (kind === layout.OUTCOME_ERROR || kind === layout.OUTCOME_CANCELLED) {
      module._cw_error_retain(data);
      this.whenTold(() => {
        runtime.writePointer(data);
        this.complete(layout.OUTCOME_ERROR);
      });
      return;
    }
    this.host.inner.opened.launches = 0;
    const refers = (outcome & layout.OUTCOME_REFERS) !== 0;
    if (!refers && !this.listening) {
      runtime.writeFrom(data, length);
      this.complete(kind | (length << 3));
      return;
    }
    const bytes = runtime.memory.refresh().u8.slice(data, data + length);
    this.whenTold(() => {
      if (refers) {
        runtime.writePointer(runtime.errors.take(handlesError('the result of a task')));
        this.complete(layout.OUTCOME_ERROR);
        return;
      }
      runtime.writeBytes(bytes);
      this.complete(kind | (length << 3));
    });
  }

  /** The outcome of its child is its own. */
  private complete(code: number): void {
    const { module } = this.host.runtime;
    if (this.inner !== 0) module._cwb_job_drop(this.inner);
    this.inner = 0;
    const has = this.hasPlace ? layout.AWAY_PLACE : 0;
    this.hasPlace = false;
    module._cwb_complete_away(this.at, code, has);
    this.host.completed();
  }

  cancelChildren(cause: Pointer): void {
    if (this.inner === 0) return;
    const { runtime, inner } = this.host;
    runtime.module._cw_cancel_children(this.inner, cause);
    inner.opened.away?.cancelChildren(this.inner, cause);
  }

  /** Its job in the line has ended. */
  jobEnded(outcome: number, data: Pointer, length: number): void {
    this.guest.ended(this, outcome, data, length);
    this.host.runtime.module._cwb_job_drop(this.at);
  }
}
