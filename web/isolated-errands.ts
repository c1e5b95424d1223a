/**
 * What is sent to workers with cores of their own, and what comes back: to the
 * page's core each is a job whose body is elsewhere.
 *
 * @module
 */
import { unpack } from './batch.js';
import { carry, handlesError, revive } from './carried.js';
import type { Carried } from './carried.js';
import type { Channel } from './channel.js';
import { writeElement } from './channel-element.js';
import type { CrewHost } from './crew.js';
import { HostLostError, noMemory } from './errors.js';
import { Errand } from './isolated-member.js';
import type { Member, Place } from './isolated-member.js';
import type { Job } from './job.js';
import type { Away } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import * as protocol from './protocol.js';
import type { FromIsolated } from './protocol.js';
import type { Sent } from './references.js';
import type { Bodies } from './root-realm.js';
import type { Runtime } from './runtime.js';

export class Errands implements Bodies, Away {
  private readonly host: CrewHost;
  private readonly runtime: Runtime;
  private readonly choose: () => Place;
  private readonly open = new Map<Pointer, Errand>();
  /** Where the values of streams go. */
  private readonly streams = new Map<Pointer, Channel>();
  private lastId = 0;
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
    this.choose = choose;
  }

  /** How many there are. */
  get size(): number {
    return this.open.size;
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
    const id = (this.lastId = (this.lastId % 0x7fffffff) + 1);
    const errand = new Errand(this, member, id, at);
    member.errands.set(id, errand);
    member.busy++;
    this.open.set(at, errand);
    let flags = 0;
    const state = runtime.module._cwb_job_state(at);
    if (state & layout.JOB_CANCELLED) flags |= protocol.WORK_ATOMIC;
    const kind = runtime.module._cwb_away_send(member.at, at);
    if (kind !== 0) this.qualify(errand, kind);
    if (member.told > 0) flags |= protocol.WORK_TELL;
    else runtime.module._cwb_away_begun(at); // it will, and nobody tells when
    if (kind & layout.AWAY_HEARD || this.streams.has(at)) flags |= protocol.WORK_LISTEN;
    const inherited = this.valuesOf(at);
    const name = () => this.nameOf(task);
    const sending = { task, name, flags, data, length, inherited };
    const { u8 } = runtime.memory.refresh();
    if (parcel === undefined) {
      member.launch(id, { ...sending, enclosed: undefined }, u8);
    } else {
      runtime.parcels.claim(parcel, (value, transfer) => {
        errand.isMoved = member.launch(id, { ...sending, enclosed: { value, transfer } }, u8);
        if (!errand.isMoved) errand.kept = { parcel, value };
      });
    }
    errand.token = runtime.takeToken(errand, false);
    errand.note = runtime.module._cwb_on_completion(at, layout.ON_CANCELLING, errand.token);
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

  private nameOf(task: number): string {
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
    runtime.dropToken(errand.token, false);
    errand.token = -1;
    if (error === 0) return;
    errand.member.cancel(errand.id, carry(runtime, error), false);
    runtime.schedulePump();
  }

  cancelChildren(job: Pointer, cause: Pointer): void {
    const errand = this.open.get(job);
    if (!errand) return;
    const { runtime } = this;
    const none = { error: { kind: 'value', value: undefined }, suppressed: [] } as const;
    errand.member.cancel(errand.id, cause === 0 ? none : carry(runtime, cause), true);
    runtime.schedulePump();
  }

  listened(job: Pointer): void {
    const errand = this.open.get(job);
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

  /** Takes what a worker tells of its tasks. */
  answered(member: Member, message: FromIsolated & { type: 'answers' }): void {
    const values = protocol.byId(message.values);
    let begun = 0;
    let told = 0;
    const microseconds = unpack(message.answers, (id, what, bytes) => {
      const errand = member.errands.get(id);
      if (!errand) return;
      if (what === protocol.ANSWER_BEGINS) {
        this.begun(errand);
        return;
      }
      if (what === protocol.ANSWER_TELLS) {
        this.told(errand, bytes, undefined);
        return;
      }
      if (what === protocol.ANSWER_TELLS_ENCLOSED) {
        this.told(errand, undefined, message.told![told++]);
        return;
      }
      if (!errand.waits) begun++;
      if (what === protocol.ANSWER_WAITS) {
        this.begun(errand);
        this.placeBack(errand);
        return;
      }
      if (what === protocol.ANSWER_VALUE) {
        this.gave(errand, bytes);
      } else if (what === protocol.ANSWER_ENCLOSED) {
        this.gaveEnclosed(errand, values!.get(id));
      } else {
        const told = what === protocol.ANSWER_CANCELLED;
        this.failed(errand, values!.get(id) as Carried, told);
      }
    });
    member.learn(begun, microseconds / 1000);
  }

  /** A task has ended with a value, encoded. */
  gave(errand: Errand, bytes: Uint8Array): void {
    const { runtime } = this;
    this.leave(errand);
    runtime.writeBytes(bytes);
    runtime.module._cwb_complete_away(errand.at, layout.OUTCOME_VALUE | (bytes.length << 3));
  }

  /** The same with the value itself. */
  gaveEnclosed(errand: Errand, value: unknown): void {
    const { runtime } = this;
    this.leave(errand);
    const parcel = `${errand.member.index}:${errand.id}`;
    runtime.parcels.deposit(parcel, value, []);
    const length = runtime.encodeOne(parcel);
    runtime.module._cwb_complete_away(errand.at, layout.OUTCOME_MESSAGE | (length << 3));
  }

  /** It has ended with an error: `wasTold` to, by cancelling. */
  failed(errand: Errand, carried: Carried, wasTold: boolean): void {
    this.leave(errand);
    this.ended(errand, wasTold, carried);
  }

  /** A task tells something: encoded, or the value itself. */
  told(errand: Errand, bytes: Uint8Array | undefined, value: unknown): void {
    const { runtime } = this;
    const { module } = runtime;
    const { at } = errand;
    const channel = this.streams.get(at);
    if (channel) {
      if (bytes) {
        runtime.writeBytes(bytes);
        value = runtime.reader.readOne(runtime.scratchAt, bytes.length);
      }
      channel.give(value, () => this.taken(at));
      return;
    }
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
  private taken(at: Pointer): void {
    const errand = this.open.get(at);
    if (!errand) return;
    errand.member.taken(errand.id);
    this.runtime.schedulePump();
  }

  begun(errand: Errand): void {
    if (!errand.isAgain) errand.kept = undefined;
    this.runtime.module._cwb_away_begun(errand.at);
  }

  private placeBack(errand: Errand): void {
    if (errand.waits) return;
    errand.waits = true;
    errand.member.busy--;
    this.runtime.module._cwb_place_back(errand.at);
  }

  /** A task is over, or was lost; its job can be completed. */
  private leave(errand: Errand): void {
    const { runtime } = this;
    const { member } = errand;
    this.placeBack(errand);
    member.errands.delete(errand.id);
    if (errand.isTold) member.told--;
    this.open.delete(errand.at);
    if (errand.token >= 0 && runtime.module._cwb_handler_dispose(errand.note)) {
      runtime.dropToken(errand.token, false);
      errand.token = -1;
    }
  }

  /** It ended with an error: that of the core, if the job was cancelled there. */
  private ended({ at }: Errand, wasTold: boolean, carried: Carried): void {
    const { module } = this.runtime;
    const isCancelled = (module._cwb_job_state(at) & layout.JOB_CANCELLED) !== 0;
    if (!wasTold || !isCancelled) {
      module._cwb_complete_away(at, this.refuse(revive(carried) as Error, carried.isCrash));
      return;
    }
    // The core adds what the clean-up has met to the job's own error.
    const [met] = carried.suppressed;
    if (met) {
      module._cwb_complete_away(at, this.refuse(revive({ error: met, suppressed: [] }) as Error));
    } else {
      module._cwb_complete_away(at, layout.OUTCOME_CANCELLED);
    }
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
    for (const errand of [...member.errands.values()]) {
      this.leave(errand);
      if (errand.isMoved && errand.isAgain) {
        const why = 'coworker: it cannot be launched again, since its arguments were moved';
        runtime.module._cwb_complete_away(errand.at, this.refuse(new HostLostError(why)));
        continue;
      }
      if (errand.kept) runtime.parcels.deposit(errand.kept.parcel, errand.kept.value, []);
      if (errand.isMoved) runtime.module._cwb_away_begun(errand.at); // it cannot be sent again
    }
    runtime.writeBytes(reason);
  }

  /** Ends all that was sent to a worker with an error. */
  abandon(member: Place, error: Error): void {
    for (const errand of [...member.errands.values()]) {
      this.leave(errand);
      this.runtime.module._cwb_complete_away(errand.at, this.refuse(error, true));
    }
  }
}
