/**
 * Workers that share no memory with the page: each has a core of its own. A job
 * of the context is a job of the page's core, whose body is to send the task to a
 * worker; what becomes of it there comes back as the body's outcome.
 *
 * A task that was sent keeps its place in the core's context until it waits or
 * has ended, so the core hands out no more tasks than the workers are to have at
 * a time. That is one for each as long as tasks take long, so that none stands
 * behind another while a worker is free; and as many as a worker is done with
 * within a millisecond, if they are short, so that they share messages.
 *
 * @module
 */
import { unpack } from './batch.js';
import { carry, handlesError, revive } from './carried.js';
import type { Carried } from './carried.js';
import type { Crew, CrewHost } from './crew.js';
import { environment } from './environment.js';
import type { RawWorker, WorkerFault } from './environment.js';
import { StartError, TierError, WorkerCrashedError } from './errors.js';
import { explained } from './explain.js';
import { Errand, Member } from './isolated-member.js';
import type { Away } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import * as protocol from './protocol.js';
import type { FromIsolated, ToIsolated } from './protocol.js';
import type { Sent } from './references.js';
import type { Bodies } from './root-realm.js';
import type { Runtime } from './runtime.js';
import { readStats } from './stats.js';

/** The memory of a worker's core in the beginning, in MiB; it may grow. */
const FIRST_MEMORY = 2;

export class IsolatedCrew implements Crew, Bodies, Away {
  readonly tier = 'isolated';
  private host!: CrewHost;
  private readonly members: Member[] = [];
  private readonly errands = new Map<Pointer, Errand>();
  private lastId = 0;
  private places = 0;
  private tasks: readonly string[] = [];
  /** It has ended. */
  private stopped: Error | undefined;
  private begun = false;
  private isOver = false;
  private closing = false;
  private told = false;

  open(runtime: Runtime): number {
    return runtime.module._cwb_context_lodge(0);
  }

  begin(host: CrewHost): void {
    this.host = host;
    const { runtime, target, workers } = host;
    target.away = this;
    runtime.bodies.set(target.context, this);
    runtime.afterTurn.add(this.flush);
    for (let i = 0; i < workers; i++) {
      const member = new Member(i);
      this.members.push(member);
      this.start(member);
    }
    this.begun = true;
  }

  // ---- workers

  private start(member: Member): void {
    const { name, workers, options } = this.host;
    let made: { worker: RawWorker; url: string | undefined };
    try {
      made = environment().makeWorker(options.worker, true);
    } catch (error) {
      if (this.begun) {
        void environment()
          .refusal(error)
          .then((why) => this.host.fail(why as Error));
      } else {
        this.host.notMade(error);
      }
      return;
    }
    const { worker, url } = made;
    member.worker = worker;
    member.url = url;
    worker.listen(
      (data) => {
        if (member.worker === worker) this.heard(member, data);
      },
      (fault) => {
        if (member.worker === worker) void this.faulted(member, fault);
      },
    );
    const begin: ToIsolated = {
      type: 'begin',
      name: workers === 1 ? name : `${name}-${member.index + 1}`,
      context: name,
      memory: Math.min(FIRST_MEMORY, options.maximumMemory),
      maximumMemory: options.maximumMemory,
      wasmUrl: options.soloWasmUrl ?? (options.soloModule ? undefined : environment().soloWasmUrl),
    };
    worker.postMessage(protocol.seal(begin));
  }

  get missing(): number {
    return this.members.filter(({ ready }) => !ready).length;
  }

  count(): { workers: number; idle: number } {
    const up = this.members.filter(({ ready }) => ready);
    return { workers: up.length, idle: up.filter(({ busy }) => busy === 0).length };
  }

  private heard(member: Member, data: unknown): void {
    const message = protocol.open<FromIsolated>(data);
    switch (message?.type) {
      case 'ready':
        member.ready = true;
        this.tasks = message.tasks;
        if (this.missing === 0) this.host.ready(this.tasks);
        this.setPlaces();
        break;
      case 'answers':
        this.answered(member, message);
        break;
      case 'stray':
        this.host.stray(revive(message.error), member.index);
        break;
      case 'failed': {
        const { name } = this.host;
        this.host.fail(
          new StartError(
            message.outOfMemory ? 'out-of-memory' : 'script-error',
            `coworker: a worker of context '${name}' failed while it started: ${message.message}`,
            { cause: errorOf(message) },
          ),
        );
        break;
      }
      case 'crashed':
        this.lostWorker(member.index, errorOf(message));
        break;
    }
  }

  private async faulted(member: Member, { message, error }: WorkerFault): Promise<void> {
    if (member.ready) {
      this.lostWorker(member.index, error ?? new Error(message));
      return;
    }
    const { url } = member;
    const why = await explained(({ notStarted }) =>
      notStarted(this.host.name, url, { message, error }),
    );
    this.host.fail(why);
  }

  /**
   * A worker is no more, or is to be no more: what it was at ends with an error,
   * and another one takes its place.
   *
   * @param cause - why
   */
  lostWorker(index: number, cause: unknown): void {
    const member = this.members[index];
    if (!member?.worker || this.stopped || this.isOver) return;
    const { name, workers } = this.host;
    const who = workers === 1 ? name : `${name}-${index + 1}`;
    const lost = new WorkerCrashedError(
      `coworker: worker '${who}' was lost: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    void member.worker.terminate();
    member.worker = undefined; // what it has to say comes too late
    const next = new Member(index);
    this.members[index] = next;
    this.abandon(member, lost);
    this.start(next);
    this.setPlaces();
    this.host.runtime.pumpNow();
  }

  /** Ends all that was sent to a worker. */
  private abandon(member: Member, error: Error): void {
    for (const errand of [...member.errands.values()]) this.fail(errand, error);
  }

  // ---- sending

  run(at: Pointer, task: number, outcome: number, data: Pointer, length: number): number {
    const { runtime } = this.host;
    if (this.stopped) return this.refuse(this.stopped);
    let parcel: string | undefined;
    if (outcome === layout.OUTCOME_MESSAGE) {
      const sent = runtime.reader.readOne(data, length) as Sent;
      if (typeof sent !== 'string') return this.refuse(handlesError('an argument list'));
      parcel = sent;
    }
    const member = this.freest();
    const id = (this.lastId = (this.lastId + 1) & 0x7fffffff);
    const errand = new Errand(this, member, id, at);
    member.errands.set(id, errand);
    member.busy++;
    this.errands.set(at, errand);
    let what = task;
    if (runtime.module._cwb_job_state(at) & layout.JOB_CANCELLED) what |= protocol.WORK_ATOMIC;
    if (!member.knows.has(task)) {
      member.knows.add(task);
      const name = runtime.module._cwb_task_name(this.host.target.context, task);
      member.also.names.push([task, runtime.memory.text(name)]);
    }
    if (parcel === undefined) {
      member.work.add(id, what, runtime.memory.refresh().u8, data, length);
    } else {
      runtime.parcels.claim(parcel, (value, transfer) => {
        member.also.values.push({ id, value });
        member.moved.push(...transfer);
      });
      member.work.add(id, what | protocol.WORK_ENCLOSED);
    }
    const values = runtime.module._cwb_job_values(at);
    if (values > 0) {
      const { u8 } = runtime.memory.refresh();
      member.also.inherited.push({
        id,
        value: u8.slice(runtime.scratchAt, runtime.scratchAt + values),
      });
    }
    errand.token = runtime.takeToken(errand, false);
    errand.note = runtime.module._cwb_on_completion(at, layout.ON_CANCELLING, errand.token);
    return layout.OUTCOME_PENDING | layout.KEEPS_PLACE;
  }

  /** A body that ends with an error before it has begun. */
  private refuse(error: Error, isCrash = false): number {
    const { runtime } = this.host;
    const taken = runtime.errors.take(error);
    if (isCrash) runtime.module._cwb_error_mark_crash(taken);
    runtime.writePointer(taken);
    return layout.OUTCOME_ERROR;
  }

  /** The worker that has the most room. */
  private freest(): Member {
    let best = this.members[0]!;
    for (const member of this.members) {
      if (!member.ready) continue;
      const more = member.window - member.busy - (best.ready ? best.window - best.busy : -Infinity);
      if (more > 0 || (more === 0 && member.errands.size < best.errands.size)) best = member;
    }
    return best;
  }

  /** Tells the core how many tasks the workers are to have. */
  private setPlaces(): void {
    let places = 0;
    for (const { ready, window } of this.members) if (ready) places += window;
    if (places === this.places) return;
    this.places = places;
    const { runtime, target } = this.host;
    runtime.module._cwb_places(target.context, places);
    runtime.schedulePump();
  }

  /** The job of a task is cancelled. */
  cancelled(errand: Errand, error: Pointer): void {
    const { runtime } = this.host;
    runtime.dropToken(errand.token, false);
    errand.token = -1;
    if (error === 0) return;
    const { member } = errand;
    member.work.add(errand.id, protocol.WORK_CANCEL);
    member.also.causes.push(carry(runtime, error));
    runtime.schedulePump();
  }

  cancelChildren(job: Pointer, cause: Pointer): void {
    const errand = this.errands.get(job);
    if (!errand) return;
    const { runtime } = this.host;
    const { member } = errand;
    member.work.add(errand.id, protocol.WORK_CANCEL_CHILDREN);
    const none = { error: { kind: 'value', value: undefined }, suppressed: [] } as const;
    member.also.causes.push(cause === 0 ? none : carry(runtime, cause));
    runtime.schedulePump();
  }

  /** Sends what has come together. */
  private readonly flush = (): void => {
    for (const member of this.members) member.send();
    if (this.closing) this.look();
  };

  // ---- answers

  private answered(member: Member, message: FromIsolated & { type: 'answers' }): void {
    const { runtime } = this.host;
    const { module } = runtime;
    const values = protocol.byId(message.values);
    let begun = 0;
    const microseconds = unpack(message.answers, (id, what, bytes) => {
      const errand = member.errands.get(id);
      if (!errand) return;
      if (!errand.waits) begun++;
      if (what === protocol.ANSWER_WAITS) {
        this.placeBack(errand);
        return;
      }
      this.leave(errand);
      const { at } = errand;
      if (what === protocol.ANSWER_VALUE) {
        runtime.writeBytes(bytes);
        module._cwb_complete_away(at, layout.OUTCOME_VALUE | (bytes.length << 3));
      } else if (what === protocol.ANSWER_ENCLOSED) {
        const parcel = `${member.index}:${id}`;
        runtime.parcels.deposit(parcel, values!.get(id), []);
        module._cwb_complete_away(at, layout.OUTCOME_MESSAGE | (runtime.encodeOne(parcel) << 3));
      } else {
        this.ended(errand, what, values!.get(id) as Carried);
      }
    });
    member.learn(begun, microseconds / 1000);
    this.setPlaces();
    runtime.pumpNow();
  }

  private placeBack(errand: Errand): void {
    if (errand.waits) return;
    errand.waits = true;
    errand.member.busy--;
    this.host.runtime.module._cwb_place_back(errand.at);
  }

  /** A task is over; its job can be completed. */
  private leave(errand: Errand): void {
    const { runtime } = this.host;
    this.placeBack(errand);
    errand.member.errands.delete(errand.id);
    this.errands.delete(errand.at);
    if (errand.token >= 0 && runtime.module._cwb_handler_dispose(errand.note)) {
      runtime.dropToken(errand.token, false);
      errand.token = -1;
    }
  }

  /** It ended with an error: that of the core, if the job was cancelled there. */
  private ended({ at }: Errand, what: number, carried: Carried): void {
    const { module } = this.host.runtime;
    const isCancelled = (module._cwb_job_state(at) & layout.JOB_CANCELLED) !== 0;
    if (what !== protocol.ANSWER_CANCELLED || !isCancelled) {
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

  private fail(errand: Errand, error: Error): void {
    this.leave(errand);
    this.host.runtime.module._cwb_complete_away(errand.at, this.refuse(error, true));
  }

  // ---- ending

  close(): void {
    this.closing = true;
    this.host.runtime.schedulePump();
  }

  private look(): void {
    const { runtime, target } = this.host;
    if (runtime.module._cwb_context_over(target.context) !== 0) {
      this.end();
      this.host.over();
      return;
    }
    if (this.told) return;
    // Workers whose context is closed take nothing: first they get all there is.
    const { launched, completed } = this.counts();
    if (launched - completed !== this.errands.size) return;
    this.told = true;
    const message: ToIsolated = { type: 'close' };
    for (const { worker, ready } of this.members) {
      if (ready) worker?.postMessage(protocol.seal(message));
    }
  }

  private counts(): { launched: number; completed: number } {
    return readStats(this.host.runtime, this.host.target.context);
  }

  stop(error: Error): void {
    if (this.isOver) return;
    this.stopped = error;
    for (const member of this.members) this.abandon(member, error);
    this.end();
    // Those that have not begun come here, and end.
    const { runtime, target } = this.host;
    runtime.module._cwb_places(target.context, 0x7fffffff);
  }

  private end(): void {
    this.isOver = true;
    const { runtime, target } = this.host;
    runtime.afterTurn.delete(this.flush);
    for (const member of this.members) {
      void member.worker?.terminate();
      member.worker = undefined;
      member.ready = false;
    }
    if (!this.stopped) runtime.bodies.delete(target.context);
  }

  // ---- what it cannot do

  handles(task: string): Error {
    return handlesError(`the argument list of '${task}'`);
  }

  checkAllocate(): void {
    throw new TierError(
      "coworker: there is no memory to share with workers in tier 'isolated', so context.allocate() " +
        'has none to give; pass arrays as arguments, with the `transfer` option if they are large',
    );
  }
}

function errorOf({ message, stack }: { message: string; stack: string }): Error {
  const error = new Error(message);
  error.stack = stack;
  return error;
}
