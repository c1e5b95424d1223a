/**
 * What is sent to workers with cores of their own, and what comes back: to the
 * page's core each is a job whose body is elsewhere.
 *
 * @module
 */
import { forEach } from './batch.js';
import type { Unpacked } from './batch.js';
import { carry, handlesError, revive } from './carried.js';
import type { Carried } from './carried.js';
import type { Channel } from './channel.js';
import { writeElement } from './channel-element.js';
import type { CrewHost } from './crew.js';
import { HostLostError, noMemory } from './errors.js';
import { Errand } from './isolated-member.js';
import type { Member, Place, Sender } from './isolated-member.js';
import type { Job } from './job.js';
import type { Away } from './launch.js';
import * as layout from './layout.gen.js';
import type { Memory } from './memory.js';
import type { Pointer } from './module.js';
import * as protocol from './protocol.js';
import type { MoreAnswers } from './protocol.js';
import type { Sent } from './references.js';
import type { Bodies } from './root-realm.js';
import type { Runtime } from './runtime.js';

export class Errands implements Bodies, Away, Sender {
  readonly memory: Memory;
  private readonly host: CrewHost;
  private readonly runtime: Runtime;
  private readonly choose: () => Place;
  /** How many there are. */
  size = 0;
  /** Where the values of streams go. */
  private readonly streams = new Map<Pointer, Channel>();
  private parcels = 0;
  /** What ends with this error now, in place of being sent. */
  stopped: Error | undefined;

  readonly kills: boolean;

  /**
   * @param choose - gives the worker for the next task
   * @param kills - workers can be ended for the sake of jobs
   */
  constructor(host: CrewHost, choose: () => Place, kills = true) {
    this.host = host;
    this.kills = kills;
    this.runtime = host.runtime;
    this.memory = host.runtime.memory;
    this.choose = choose;
  }

  // ---- sending

  run(at: Pointer, task: number, outcome: number, data: Pointer, length: number): number {
    const { runtime } = this;
    if (this.stopped) return this.refuse(this.stopped);
    let parcel: string | undefined;
    if (outcome === layout.OUTCOME_MESSAGE) {
      const sent = runtime.reader.readOne(data, length) as Sent;
      if (typeof sent !== 'string') return this.refuse(handlesError('an argument list'));
      parcel = sent;
    }
    const member = this.choose();
    const errand = new Errand(this, member, at);
    member.busy++;
    this.size++;
    errand.token = runtime.takeToken(errand, false);
    const { tells } = member;
    const kind = runtime.module._cwb_away_send(member.at, at, errand.token, tells ? 1 : 0);
    let flags = 0;
    let inherited: Uint8Array | undefined;
    if (kind !== 0) {
      this.qualify(errand, kind);
      if (kind & layout.AWAY_HEARD) flags |= protocol.WORK_LISTEN;
      if (kind & layout.AWAY_VALUES) inherited = this.valuesOf(at);
    }
    if (errand.cause) flags |= protocol.WORK_ATOMIC;
    if (tells || errand.isTold) flags |= protocol.WORK_TELL;
    if (this.streams.size > 0 && this.streams.has(at)) flags |= protocol.WORK_LISTEN;
    const { isAgain } = errand;
    if (parcel === undefined) {
      const enclosed = undefined;
      member.launch(errand.id, { task, flags, isAgain, data, length, enclosed, inherited }, this);
    } else {
      runtime.parcels.claim(parcel, (value, transfer) => {
        const enclosed = { value, transfer };
        const sending = { task, flags, isAgain, data, length, enclosed, inherited };
        errand.isMoved = member.launch(errand.id, sending, this);
        if (!errand.isMoved) errand.kept = { parcel, value };
      });
    }
    errand.isSent = true;
    if (errand.cause) member.cancel(errand.id, errand.cause, false);
    return layout.OUTCOME_PENDING | layout.KEEPS_PLACE;
  }

  /**
   * It has to be known when one begins that may be killed, or has time limits, which
   * its worker keeps, too.
   */
  private qualify(errand: Errand, kind: number): void {
    const { member, id } = errand;
    errand.isAgain = (kind & layout.AWAY_AGAIN) !== 0;
    if (kind & (layout.AWAY_KILLABLE | layout.AWAY_LIMITED)) {
      errand.isTold = true;
      member.told++;
    }
    if (!(kind & layout.AWAY_LIMITED)) return;
    const { runtime } = this;
    const { f64 } = runtime.memory.refresh();
    const first = runtime.scratchAt >>> 3;
    member.limit(id, f64[first]!, f64[first + 1]!);
  }

  nameOf(task: number): string {
    const { runtime, target } = this.host;
    return runtime.memory.text(runtime.module._cwb_task_name(target.context, task));
  }

  /** The values that a job inherits, as bytes. */
  private valuesOf(at: Pointer): Uint8Array | undefined {
    const { runtime } = this;
    const bytes = runtime.module._cwb_job_values(at);
    if (bytes === 0) return undefined;
    const { u8 } = runtime.memory.refresh();
    return u8.slice(runtime.scratchAt, runtime.scratchAt + bytes);
  }

  /** A body that ends with an error before it has begun. */
  private refuse(error: Error, isCrash = false): number {
    const { runtime } = this;
    const taken = runtime.errors.take(error);
    if (isCrash) runtime.module._cwb_error_mark_crash(taken);
    runtime.writePointer(taken);
    return layout.OUTCOME_ERROR;
  }

  /** The job of a task is cancelled. */
  cancelled(errand: Errand, error: Pointer): void {
    const { runtime } = this;
    errand.hasToken = false;
    if (errand.isOver) {
      runtime.dropToken(errand.token, false); // it was on its way
      return;
    }
    if (error === 0) return;
    const cause = carry(runtime, error);
    if (!errand.isSent) {
      errand.cause = cause;
      return;
    }
    errand.member.cancel(errand.id, cause, false);
    runtime.schedulePump();
  }

  /** The errand of a job that was sent, and has not ended there. */
  private errandOf(job: Pointer): Errand | undefined {
    const { runtime } = this;
    const ticket = runtime.ticketOf(runtime.module._cwb_away_token(job));
    return ticket instanceof Errand ? ticket : undefined;
  }

  cancelChildren(job: Pointer, cause: Pointer): void {
    const errand = this.errandOf(job);
    if (!errand) return;
    const { runtime } = this;
    const none = { error: { kind: 'value', value: undefined }, suppressed: [] } as const;
    errand.member.cancel(errand.id, cause === 0 ? none : carry(runtime, cause), true);
    runtime.schedulePump();
  }

  listened(job: Pointer): void {
    const errand = this.errandOf(job);
    if (!errand) return; // it will be sent with that
    errand.member.heard(errand.id);
    this.runtime.schedulePump();
  }

  feeds(job: Job, channel: Channel): void {
    const { address } = job;
    if (address === 0) return; // it has ended
    this.streams.set(address, channel);
    job.onEnd(() => this.streams.delete(address));
  }

  handles(task: string): Error {
    return handlesError(`the argument list of '${task}'`);
  }

  // ---- answers

  /**
   * Has a worker's window follow how long its tasks take. Before the answers are
   * taken, each of which may give its place to another task.
   */
  learn(member: Member, answers: Unpacked): void {
    let begun = 0;
    forEach(answers, (id, what) => {
      if (protocol.isProgress(what)) return;
      const errand = member.errands.get(id);
      if (errand && !errand.waits) begun++;
    });
    member.learn(begun, answers.number / 1000);
  }

  /** Takes what a worker tells of its tasks. */
  answered(member: Member, answers: Unpacked, more: MoreAnswers): void {
    const values = protocol.byId(more.values);
    let told = 0;
    forEach(answers, (id, what, words, at, length) => {
      const errand = member.errands.get(id);
      if (!errand) return;
      if (what === protocol.ANSWER_BEGINS) {
        this.begun(errand);
        return;
      }
      if (what === protocol.ANSWER_TELLS) {
        const bytes = new Uint8Array(words.buffer, words.byteOffset + at * 4, length);
        this.told(errand, bytes, undefined);
        return;
      }
      if (what === protocol.ANSWER_TELLS_ENCLOSED) {
        this.told(errand, undefined, more.told![told++]);
        return;
      }
      if (what === protocol.ANSWER_WAITS) {
        this.begun(errand);
        this.placeBack(errand);
        return;
      }
      if (what === protocol.ANSWER_VALUE) {
        this.gave(errand, words, at, length);
      } else if (what === protocol.ANSWER_ENCLOSED) {
        this.gaveEnclosed(errand, values!.get(id));
      } else {
        const told = what === protocol.ANSWER_CANCELLED;
        this.failed(errand, values!.get(id) as Carried, told);
      }
    });
  }

  /** A task has ended with a value, encoded: `length` bytes that begin at a word. */
  gave(errand: Errand, words: Int32Array, at: number, length: number): void {
    this.runtime.writeWords(words, at, length);
    this.complete(errand, layout.OUTCOME_VALUE | (length << 3));
  }

  /** The same with the value itself. */
  gaveEnclosed(errand: Errand, value: unknown): void {
    const { runtime } = this;
    const parcel = `back:${runtime.self}:${this.host.target.context}:${this.parcels++}`;
    runtime.parcels.deposit(parcel, value, []);
    const length = runtime.encodeOne(parcel);
    this.complete(errand, layout.OUTCOME_MESSAGE | (length << 3));
  }

  /** It has ended with an error: `wasTold` to, by cancelling. */
  failed(errand: Errand, carried: Carried, wasTold: boolean): void {
    this.complete(errand, this.ended(errand, wasTold, carried));
  }

  /** A task tells something: encoded, or the value itself. */
  told(errand: Errand, bytes: Uint8Array | undefined, value: unknown): void {
    if (!this.gaveItem(errand, bytes, value)) this.progressed(errand, bytes, value);
  }

  /** A stream has given a value, encoded or itself; false: the task is none. */
  gaveItem(errand: Errand, bytes: Uint8Array | undefined, value: unknown): boolean {
    const { runtime } = this;
    const channel = this.streams.get(errand.at);
    if (!channel) return false;
    if (bytes) {
      runtime.writeBytes(bytes);
      value = runtime.reader.readOne(runtime.scratchAt, bytes.length);
    }
    channel.give(value, () => this.taken(errand));
    return true;
  }

  /** A task says how far it is. */
  progressed({ at }: Errand, bytes: Uint8Array | undefined, value: unknown): void {
    const { runtime } = this;
    const { module } = runtime;
    for (let to = module._cwb_progress_next(at, 0); to !== 0;) {
      let head: number;
      if (bytes) {
        runtime.writeBytes(bytes);
        head = bytes.length << layout.ELEMENT_LENGTH_SHIFT;
      } else {
        head = writeElement(runtime, value);
      }
      if (module._cwb_progress_send(to, head) < 0) runtime.report(noMemory());
      to = module._cwb_progress_next(at, to);
    }
  }

  /** A value of a stream was received: the task may give another one. */
  private taken(errand: Errand): void {
    if (errand.isOver) return;
    errand.member.taken(errand.id);
    this.runtime.schedulePump();
  }

  begun(errand: Errand): void {
    if (!errand.isAgain) errand.kept = undefined;
    this.runtime.module._cwb_away_begun(errand.at);
  }

  /** It counted as begun, and is not. */
  waits(errand: Errand): void {
    this.runtime.module._cwb_away_waits(errand.at);
  }

  private placeBack(errand: Errand): void {
    if (errand.waits) return;
    errand.waits = true;
    errand.member.busy--;
    this.runtime.module._cwb_place_back(errand.at);
  }

  /** A task is over, or was lost. Gives what the core is to know of that. */
  private forget(errand: Errand): number {
    const { member } = errand;
    errand.isOver = true;
    this.size--;
    member.errands.delete(errand.id);
    if (errand.isTold) member.told--;
    let has = errand.hasToken ? layout.AWAY_HEARS : 0;
    if (!errand.waits) {
      errand.waits = true;
      member.busy--;
      has |= layout.AWAY_PLACE;
    }
    return has;
  }

  /** The same, and its job is completed. */
  private complete(errand: Errand, code: number): void {
    const { runtime } = this;
    const has = this.forget(errand);
    const isFree = runtime.module._cwb_complete_away(errand.at, code, has);
    if (isFree !== 0) runtime.dropToken(errand.token, false);
  }

  /** The same, and its job goes on. */
  private leave(errand: Errand): void {
    const { runtime } = this;
    const isFree = runtime.module._cwb_away_leave(errand.at, this.forget(errand));
    if (isFree !== 0) runtime.dropToken(errand.token, false);
  }

  /** How it ended that ended with an error: with that of the core, if it was cancelled there. */
  private ended({ at }: Errand, wasTold: boolean, carried: Carried): number {
    const { module } = this.runtime;
    const isCancelled = (module._cwb_job_state(at) & layout.JOB_CANCELLED) !== 0;
    if (!wasTold || !isCancelled) return this.refuse(revive(carried) as Error, carried.isCrash);
    // The core adds what the clean-up has met to the job's own error.
    const [met] = carried.suppressed;
    if (!met) return layout.OUTCOME_CANCELLED;
    return this.refuse(revive({ error: met, suppressed: [] }) as Error);
  }

  // ---- losing workers

  /** A worker is no more: the core ends what has begun there, and takes back the rest. */
  lost(member: Place, reason: Uint8Array): void {
    this.takeBack(member, reason);
    this.runtime.module._cwb_away_lost(member.at, reason.length);
  }

  /** The same where it was another page: also what may begin again is taken back. */
  hostLost(member: Place, reason: Uint8Array): void {
    this.takeBack(member, reason);
    this.runtime.module._cwb_away_host_lost(member.at, reason.length);
  }

  private takeBack(member: Place, reason: Uint8Array): void {
    const { runtime } = this;
    for (const errand of [...member.errands]) {
      this.leave(errand);
      if (errand.isMoved && errand.isAgain) {
        const why = 'coworker: it cannot be launched again, since its arguments were moved';
        runtime.module._cwb_complete_away(errand.at, this.refuse(new HostLostError(why)), 0);
        continue;
      }
      if (errand.kept) runtime.parcels.deposit(errand.kept.parcel, errand.kept.value, []);
      if (errand.isMoved) runtime.module._cwb_away_begun(errand.at); // it cannot be sent again
    }
    runtime.writeBytes(reason);
  }

  /** Ends all that was sent to a worker with an error. */
  abandon(member: Place, error: Error): void {
    for (const errand of [...member.errands]) this.complete(errand, this.refuse(error, true));
  }
}
