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
import { isBatch, unpack } from './batch.js';
import type { Packed } from './batch.js';
import { revive } from './carried.js';
import type { Crew, CrewHost } from './crew.js';
import { environment } from './environment.js';
import type { RawWorker, WorkerFault } from './environment.js';
import { ContextLostError, TierError, noMemory } from './errors.js';
import { explained } from './explain.js';
import { Errands } from './isolated-errands.js';
import { Member } from './isolated-member.js';
import { Memory } from './memory.js';
import * as protocol from './protocol.js';
import type { FromIsolated, MoreAnswers, ToIsolated } from './protocol.js';
import type { Runtime } from './runtime.js';
import { readStats } from './stats.js';
import { startFailed } from './told.js';

/** The memory of a worker's core in the beginning, in MiB; it may grow. */
const FIRST_MEMORY = 2;
/** Places for what is sent nowhere any more. */
const ANY_NUMBER = 0x7fffffff;
const nothingMore: MoreAnswers = {};

function isFreer(one: Member, other: Member): boolean {
  if (!other.ready) return true;
  const isIdle = one.busy === 0;
  if (isIdle !== (other.busy === 0)) return isIdle;
  const more = one.window - one.busy - (other.window - other.busy);
  return more > 0 || (more === 0 && one.errands.size < other.errands.size);
}

export class IsolatedCrew implements Crew {
  readonly tier = 'isolated';
  private host!: CrewHost;
  private errands!: Errands;
  private readonly members: Member[] = [];
  private heardLast: Member | undefined;
  private places = 0;
  private tasks: readonly string[] = [];
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
    const { module } = runtime;
    this.errands = new Errands(host, () => this.freest());
    target.away = this.errands;
    runtime.bodies.set(target.context, this.errands);
    runtime.afterTurn.add(this.flush);
    for (let i = 0; i < workers; i++) {
      runtime.writeBytes(Memory.encode(`${this.nameOf(i)}\0`));
      const at = module._cwb_away_new(target.context);
      if (at === 0) {
        host.notMade(noMemory());
        break;
      }
      runtime.replacers.set(at, () => this.lost(i, 'was killed after the time of grace'));
      this.start(new Member(i, at, false));
    }
    this.begun = true;
  }

  // ---- workers

  private nameOf(index: number): string {
    const { name, workers } = this.host;
    return workers === 1 ? name : `${name}-${index + 1}`;
  }

  private start(member: Member): void {
    this.members[member.index] = member;
    const { name, options } = this.host;
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
      name: this.nameOf(member.index),
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
    if (isBatch(data)) {
      this.answered(member, data, nothingMore);
      return;
    }
    const message = protocol.open<FromIsolated>(data);
    switch (message?.type) {
      case 'ready':
        member.ready = true;
        this.tasks = message.tasks;
        if (member.isOther) this.host.replaced(member.index);
        if (this.missing === 0) this.host.ready(this.tasks);
        this.setPlaces();
        break;
      case 'answers':
        this.answered(member, message.answers, message);
        break;
      case 'stray':
        this.host.stray(revive(message.error), member.index);
        break;
      case 'failed':
        this.host.fail(startFailed(this.host.name, message));
        break;
      case 'crashed':
        this.lost(member.index, `stopped inside of the runtime (${message.message})`);
        break;
    }
  }

  private answered(member: Member, answers: Packed, more: MoreAnswers): void {
    const { runtime } = this.host;
    this.heardLast = member;
    runtime.pumpComes();
    try {
      const unpacked = unpack(answers);
      this.errands.learn(member, unpacked);
      this.setPlaces();
      this.errands.answered(member, unpacked, more);
    } finally {
      runtime.pumpNow();
    }
  }

  private async faulted(member: Member, { message, error }: WorkerFault): Promise<void> {
    if (member.ready) {
      this.lost(member.index, `died (${message})`);
      return;
    }
    const { url } = member;
    const why = await explained(({ notStarted }) =>
      notStarted(this.host.name, url, { message, error }),
    );
    this.host.fail(why);
  }

  /**
   * A worker that has nothing to do, or else the one that has the most room: it may have
   * much because its last tasks were short, and be at a long one now. The core may have
   * given more places than there are by now: then it is the one that has answered last,
   * which is not stuck.
   */
  private freest(): Member {
    let best = this.members[0]!;
    for (const member of this.members) if (member.ready && isFreer(member, best)) best = member;
    const { heardLast } = this;
    return best.window > best.busy || !heardLast?.ready ? best : heardLast;
  }

  /**
   * Tells the core how many tasks the workers are to have. As long as one of them is still
   * to come the others get no more than one each: nothing may stand behind a long task
   * that the next worker could do.
   */
  private setPlaces(): void {
    let places = 0;
    const areAllThere = this.members.every(({ ready }) => ready);
    for (const { ready, window } of this.members) if (ready) places += areAllThere ? window : 1;
    if (places === this.places) return;
    this.places = places;
    const { runtime, target } = this.host;
    runtime.module._cwb_places(target.context, places);
    runtime.schedulePump();
  }

  /** Sends what has come together. */
  private readonly flush = (): void => {
    for (const member of this.members) member.send();
    if (this.closing) this.look();
  };

  // ---- losing workers

  /** A worker is no more, or is to be no more: another one takes its place. */
  private lost(index: number, reason: string): void {
    const member = this.members[index];
    if (!member?.worker || this.isOver) return;
    this.end(member, reason);
    const next = new Member(index, member.at, true);
    this.members[index] = next;
    this.host.runtime.pumpNow(); // what it ran has ended: so its jobs are told first
    if (!this.host.lost(index, reason)) return;
    queueMicrotask(() => {
      if (this.members[index] === next && !this.isOver) this.start(next);
    });
  }

  /** Ends a worker, and what it runs. */
  private end(member: Member, reason: string): void {
    void member.worker?.terminate();
    member.worker = undefined; // what it has to say comes too late
    member.ready = false;
    this.setPlaces(); // those that are given back are gone
    this.errands.lost(member, Memory.encode(reason));
  }

  // ---- ending

  close(): void {
    this.closing = true;
    this.host.runtime.schedulePump();
  }

  private look(): void {
    const { runtime, target } = this.host;
    if (this.isOver) return;
    if (runtime.module._cwb_context_over(target.context) !== 0) {
      this.leave();
      runtime.bodies.delete(target.context);
      this.host.over();
      return;
    }
    if (this.told) return;
    // Workers whose context is closed take nothing: first they get all there is.
    const { launched, completed } = readStats(runtime, target.context);
    if (launched - completed !== this.errands.size) return;
    this.told = true;
    const message: ToIsolated = { type: 'close' };
    for (const { worker, ready } of this.members) {
      if (ready) worker?.postMessage(protocol.seal(message));
    }
  }

  kill(): boolean {
    const { runtime, target, name } = this.host;
    this.errands.stopped = new ContextLostError(`coworker: context '${name}' was closed`);
    for (const member of this.members)
      this.end(member, 'was killed, since its context was closed,');
    runtime.module._cwb_places(target.context, ANY_NUMBER);
    runtime.pumpNow();
    if (this.isOver) return true;
    this.leave();
    return runtime.module._cwb_context_over(target.context) !== 0;
  }

  stop(error: Error): void {
    if (this.isOver) return;
    this.errands.stopped = error;
    for (const member of this.members) this.errands.abandon(member, error);
    this.leave();
    // Those that have not begun come to the errands, and end.
    const { runtime, target } = this.host;
    runtime.module._cwb_places(target.context, ANY_NUMBER);
  }

  private leave(): void {
    this.isOver = true;
    const { runtime } = this.host;
    runtime.afterTurn.delete(this.flush);
    for (const member of this.members) {
      runtime.replacers.delete(member.at);
      void member.worker?.terminate();
      member.worker = undefined;
      member.ready = false;
    }
  }

  // ---- what it cannot do

  checkAllocate(): void {
    throw new TierError(
      "coworker: there is no memory to share with workers in tier 'isolated', so context.allocate() " +
        'has none to give; pass arrays as arguments, with the `transfer` option if they are large',
    );
  }
}
