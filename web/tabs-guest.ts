/**
 * A page as its host knows it: what it submits runs here, below one job, which is
 * cancelled when the page goes.
 *
 * @module
 */
import { carry, carryThrown, handlesError, revive } from './carried.js';
import type { Carried } from './carried.js';
import { CancellationError } from './errors.js';
import { elementsFor, noRoom } from './isolated-work.js';
import type { Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { snapshot } from './parcels.js';
import type { Runtime } from './runtime.js';
import { GuestJob } from './tabs-job.js';
import type { Host } from './tabs-job.js';
import { Mailbox, REFUSED } from './tabs-mailbox.js';
import type { Introduction } from './tabs-meeting.js';
import { isCause, isLuggage } from './tabs-messages.js';
import type { Luggage, Welcome } from './tabs-messages.js';
import { encoded } from './tabs-place.js';
import { qualitiesOf } from './tabs-preference.js';
import type { Qualities } from './tabs-preference.js';
import { isLaterSerial } from './slots.js';
import { openView } from './view.js';
import type { WireFrame } from './wire.js';

/** So many jobs of one page the host takes at a time; the others wait there. */
const QUOTA = 1024;

/** Hears of a page's coming and going, once each. */
export interface Door {
  /** It uses this connection: an invitation may get lost, or not be the only one. */
  came(): void;
  left(): void;
  /** It would rather be host. */
  wants(qualities: Qualities): void;
}

export class Guest {
  /** Its part of the pool. */
  readonly view: Target;
  readonly mailbox: Mailbox;
  private readonly host: Host;
  private readonly runtime: Runtime;
  private readonly door: Door;
  private readonly jobs = new Map<number, GuestJob>();
  /** What counts as begun there, and is to begin in this turn. */
  private hopes: GuestJob[] = [];
  /** The job above all of them. */
  private readonly above: Pointer;
  private isHere = false;
  private isGone = false;
  /** The number of the job that was submitted last. */
  private last = 0;

  constructor(host: Host, introduction: Introduction, door: Door) {
    this.host = host;
    this.door = door;
    const { runtime, lodge } = host;
    this.runtime = runtime;
    this.above = runtime.module._cw_supervisor_job_new(0);
    this.view = openView(lodge, host.places, lodge.name);
    const { tasks } = host;
    this.mailbox = new Mailbox(runtime, introduction, layout.WIRE_HOST, tasks.length, {
      read: (frame, value) => this.read(frame, value),
      isOutdated: () => {}, // what it is host of, its lock says
    });
  }

  get refused(): number {
    return this.mailbox.refused;
  }

  // ---- what it tells

  private read(frame: WireFrame, value: unknown): void {
    const { kind, job: id } = frame;
    switch (kind) {
      case layout.WIRE_HELLO:
        this.hello(frame);
        return;
      case layout.WIRE_SUBMIT:
        this.submit(frame, value);
        return;
      case layout.WIRE_BYE:
        this.gone('the page that launched it has closed its context');
        return;
      case layout.WIRE_REFUSED:
        return;
    }
    const job = this.jobs.get(id);
    if (job) this.readFor(job, frame);
    else if (isLaterSerial(id, this.last)) this.mailbox.refuse(frame, REFUSED.number);
  }

  private readFor(job: GuestJob, frame: WireFrame): void {
    switch (frame.kind) {
      case layout.WIRE_CANCEL:
        this.cancel(job, frame);
        break;
      case layout.WIRE_CREDIT:
        if (!job.taken(frame.a)) this.mailbox.refuse(frame, REFUSED.state);
        break;
      case layout.WIRE_PROGRESS_ON:
        job.listen();
        break;
      case layout.WIRE_GO:
        if (!job.go()) this.mailbox.refuse(frame, REFUSED.state);
        break;
    }
  }

  private hello(frame: WireFrame): void {
    const qualities = frame.a === 0 ? undefined : qualitiesOf(frame.a);
    if (frame.a !== 0 && !qualities) {
      this.mailbox.refuse(frame, REFUSED.state);
      return;
    }
    if (!this.isHere) this.door.came();
    this.isHere = true;
    const { tasks, inner } = this.host;
    const welcome: Welcome = { tasks, tier: inner.tier, quota: QUOTA };
    const bytes = encoded(this.runtime, welcome);
    this.mailbox.add(layout.WIRE_WELCOME, { a: inner.workers, b: tasks.length, bytes });
    this.mailbox.flush();
    if (qualities) this.door.wants(qualities);
  }

  private submit(frame: WireFrame, value: unknown): void {
    const { job: id, a: task, flags } = frame;
    const isBeside = (flags & layout.WIRE_BESIDE) !== 0;
    let why = 0;
    // One that has ended does not begin again because its frame comes again.
    if (!isLaterSerial(id, this.last)) why = REFUSED.number;
    else if (this.jobs.size >= QUOTA) why = REFUSED.quota;
    else if (isBeside && !isLuggage(value)) why = REFUSED.beside;
    if (why !== 0) {
      this.mailbox.refuse(frame, why);
      return;
    }
    this.last = id;
    const job = new GuestJob(this, this.host, id, this.host.tasks[task]!, flags);
    this.jobs.set(id, job);
    if (job.isAtOnce && !job.isAgain) this.hopes.push(job);
    try {
      if (isBeside) this.launchWith(job, value as Luggage);
      else this.launchPlain(job, frame);
    } catch (error) {
      this.settle(job, layout.WIRE_ERROR, carryThrown(error));
    }
  }

  /** The usual one: its arguments are checked where they are. */
  private launchPlain(job: GuestJob, { at, bytes }: WireFrame): void {
    if (bytes > 0) this.mailbox.foreign.read(at, bytes);
    const number = this.host.numberOf(job.name); // which may write over what follows
    this.runtime.writeFrom(at, bytes);
    this.launch(job, number, layout.LAUNCH_ASYNC, bytes, 0);
  }

  private launchWith(job: GuestJob, { args, bytes, inherited, isAtomic }: Luggage): void {
    const { runtime } = this;
    const number = this.host.numberOf(job.name);
    let flags = layout.LAUNCH_ASYNC | (isAtomic ? layout.LAUNCH_ATOMIC : 0);
    if (inherited) this.checkInherited(inherited);
    if (bytes) this.checkArgs(bytes);
    const given = elementsFor(runtime, inherited, undefined);
    let length: number;
    if (bytes) {
      runtime.writeBytes(bytes);
      ({ length } = bytes);
    } else {
      flags |= layout.LAUNCH_MESSAGE;
      length = runtime.encodeOne(runtime.deposit(args, []));
    }
    this.launch(job, number, flags, length, given);
  }

  private launch(job: GuestJob, task: number, flags: number, length: number, given: Pointer): void {
    const { runtime, view } = this;
    const { module } = runtime;
    const token = runtime.takeToken(job);
    job.at = module._cwb_launch(view.context, this.above, task, flags, token, length, given);
    if (given !== 0) module._cw_elements_release(given);
    if (job.at === 0) {
      runtime.dropToken(token);
      throw noRoom();
    }
    this.host.launched(job);
  }

  /** Nothing that comes may name a place in this page's memory. */
  private checkArgs(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.runtime.writeBytes(bytes);
    this.mailbox.foreign.read(this.runtime.scratchAt, bytes.length);
  }

  /** As valuesOf() of isolated-work.ts reads them. */
  private checkInherited(inherited: Uint8Array): void {
    const { runtime } = this;
    const view = new DataView(inherited.buffer, inherited.byteOffset, inherited.byteLength);
    for (let at = 0; at < inherited.length;) {
      const from = at + 8 + view.getUint32(at, true);
      const length = view.getUint32(at + 4, true);
      if (from + length > inherited.length) throw new RangeError('coworker: values are cut off');
      runtime.writeBytes(inherited.subarray(from, from + length));
      this.mailbox.foreign.readOne(runtime.scratchAt, length);
      at = from + length;
    }
  }

  private cancel(job: GuestJob, { at, bytes }: WireFrame): void {
    const said = this.mailbox.foreign.readOne(at, bytes);
    if (!isCause(said)) throw new TypeError('coworker: no cause');
    const [children, cause] = said;
    const { module, errors } = this.runtime;
    const error = errors.takeCause(revive(cause));
    if (children) {
      job.cancelChildren(error);
    } else {
      job.wasCancelled = true;
      module._cw_cancel(job.at, error);
      job.stopsWaiting();
    }
    module._cw_error_release(error);
  }

  // ---- what it is told

  begins(job: GuestJob): void {
    this.mailbox.add(layout.WIRE_BEGUN, { job: job.id });
  }

  /** Sends what a turn of the core has brought, and which jobs have to wait after all. */
  endTurn(): void {
    const { hopes, mailbox } = this;
    if (hopes.length > 0) {
      this.hopes = [];
      for (const job of hopes) {
        if (job.hasRun || this.jobs.get(job.id) !== job) continue;
        job.waits();
        mailbox.add(layout.WIRE_WAITS, { job: job.id });
      }
    }
    mailbox.flush();
  }

  /** A value that a job tells while it runs: a copy. */
  tell(job: GuestJob, kind: number, value: unknown): void {
    const { runtime, mailbox } = this;
    const { references } = runtime;
    const length = runtime.encodeOne(value, 0, references);
    if (references.length > 0) throw handlesError('what a task tells');
    if (length >= 0 && length <= layout.ELEMENT_MAX_BYTES) {
      mailbox.add(kind, { job: job.id, bytes: this.scratch(length) });
    } else {
      const copy = snapshot(value, []);
      mailbox.addBeside(kind, { job: job.id }, copy.value, copy.transfer);
    }
    runtime.schedulePump();
  }

  private scratch(length: number): Uint8Array {
    const { runtime } = this;
    const { u8 } = runtime.memory.refresh();
    return u8.slice(runtime.scratchAt, runtime.scratchAt + length);
  }

  /** A job has ended. */
  ended(job: GuestJob, outcome: number, data: Pointer, length: number): void {
    const { runtime, mailbox } = this;
    const { module } = runtime;
    const kind = outcome & 7;
    const value = { job: job.id, a: layout.WIRE_VALUE };
    if (kind === layout.OUTCOME_ERROR || kind === layout.OUTCOME_CANCELLED) {
      const isCancel = module._cw_error_code(data) === layout.CW_ECANCELED;
      const told = job.wasCancelled && isCancel;
      const where = { task: job.name, worker: this.host.inner.name };
      this.settle(
        job,
        told ? layout.WIRE_CANCELLED : layout.WIRE_ERROR,
        carry(runtime, data, where),
      );
      return;
    }
    if (kind === layout.OUTCOME_MESSAGE) {
      const parcel = runtime.reader.readOne(data, length) as string;
      runtime.parcels.claim(parcel, (content, transfer) => {
        mailbox.addBeside(layout.WIRE_SETTLED, value, content, transfer);
        this.forget(job);
        runtime.schedulePump();
      });
      return;
    }
    if (length <= layout.WIRE_MOST_PAYLOAD) {
      mailbox.addFrom(layout.WIRE_SETTLED, value, data, length);
    } else {
      mailbox.addBeside(layout.WIRE_SETTLED, value, runtime.reader.readOne(data, length));
    }
    this.forget(job);
  }

  private settle(job: GuestJob, how: number, carried: Carried): void {
    const bytes = encoded(this.runtime, carried);
    this.mailbox.add(layout.WIRE_SETTLED, { job: job.id, a: how, bytes });
    this.forget(job);
  }

  private forget(job: GuestJob): void {
    this.jobs.delete(job.id);
    this.host.forget(job);
  }

  /** The host hands over. */
  resign(): void {
    this.mailbox.add(layout.WIRE_RESIGN);
    this.mailbox.flush();
  }

  // ---- the end

  /** The page is gone: what it has launched is cancelled. */
  gone(why: string): void {
    if (this.isGone) return;
    this.isGone = true;
    const { runtime, above, view } = this;
    const { module, errors } = runtime;
    this.mailbox.close();
    const error = errors.takeCause(new CancellationError(`the job was cancelled: ${why}`));
    module._cw_cancel(above, error);
    module._cw_error_release(error);
    for (const job of [...this.jobs.values()]) job.stopsWaiting();
    module._cwb_job_drop(above);
    module._cw_context_release(view.context);
    runtime.schedulePump();
    this.door.left();
  }
}
