/**
 * The threads of a context: who they are, what they tell, how they are lost and
 * replaced. A context that has to be rebuilt gets another workforce.
 *
 * @module
 */
import type { WorkerFault } from './environment.js';
import { ContextLostError } from './errors.js';
import { explained } from './explain.js';
import { Memory } from './memory.js';
import type { Pointer } from './module.js';
import type { CheckedOptions } from './options.js';
import type { FromWorker } from './protocol.js';
import type { Runtime } from './runtime.js';
import { spawnWith } from './threads.js';
import type { Spawner, Thread } from './threads.js';
import { errorOf, startFailed } from './told.js';
import { Slot } from './workforce-slot.js';

/** The context as its threads see it. */
export interface Employer {
  readonly runtime: Runtime;
  readonly name: string;
  readonly workers: number;
  readonly options: CheckedOptions;
  nameOf(index: number): string;
  tell(type: 'workerlost' | 'workerreplaced', index: number, reason?: string): void;
  /** These are the tasks. */
  learn(tasks: readonly string[]): void;
  /** All workers have started. */
  ready(): void;
  /** Another one starts: it has so much time from now on. */
  startsAgain(): void;
  /** The function that makes workers has failed. */
  notMade(error: unknown): void;
  /** A task has left an error behind. */
  stray(error: unknown, index: number): void;
  /** A worker was lost. True: that is one too many. */
  isTooMuch(index: number, reason: string): boolean;
  /** The context cannot go on. */
  fail(error: Error): void;
  /** A thread has died inside of the core. */
  broken(error: ContextLostError): void;
  /** The last thread is gone. */
  over(): void;
}

export class Workforce {
  private readonly employer: Employer;
  private readonly slots: Slot[] = [];
  /** Lost, and on their way out. */
  private readonly dying = new Set<Thread>();
  /** Threads that are not over yet. */
  private left: number;
  /** Nobody wants to hear of it any more. */
  private isDismissed = false;
  private startedEnded: (() => void) | undefined;

  constructor(employer: Employer) {
    this.employer = employer;
    this.left = employer.workers;
  }

  // ---- coming

  /** Opens the core's context, whose name is in the scratch buffer: its address, or an error code. */
  open(): number {
    const { runtime, workers, options } = this.employer;
    return spawnWith(this.spawner(), () =>
      runtime.module._cwb_context_open(workers, options.trace ? 1 : 0),
    );
  }

  /** The context could not be opened: waits for the end of threads that were started before. */
  async endStarted(): Promise<void> {
    this.isDismissed = true;
    this.left = this.slots.length;
    if (this.left === 0) return;
    const { runtime, options } = this.employer;
    runtime.hold();
    let timer: ReturnType<typeof setTimeout>;
    await new Promise<void>((resolve) => {
      this.startedEnded = resolve;
      timer = setTimeout(resolve, options.startTimeout);
    });
    clearTimeout(timer!);
    runtime.release();
  }

  /** Workers that have not started yet. */
  get missing(): number {
    const ready = this.slots.filter((slot) => slot.ready).length;
    return this.employer.workers - ready;
  }

  /** @param index - of the worker that gets another thread; none: all of them get one */
  private spawner(index?: number): Spawner {
    const { slots, employer } = this;
    return {
      make: employer.options.worker,
      spawned: (thread) => {
        const place = index ?? slots.length;
        slots[place] = new Slot(employer.runtime, thread, place, index !== undefined);
      },
      message: (thread, message) => this.heard(thread, message),
      notMade: (error) => employer.notMade(error),
      fault: (thread, fault) => void this.faulted(thread, fault),
      ended: (thread) => this.oneEnded(thread),
    };
  }

  private slotOf(thread: Thread): Slot | undefined {
    return this.slots.find((candidate) => candidate.thread === thread);
  }

  // ---- what they tell

  private heard(thread: Thread, message: FromWorker): void {
    if (this.heardForOthers(message)) return;
    const slot = this.slotOf(thread);
    if (!slot || this.dying.has(thread)) return;
    const { employer } = this;
    const { runtime, name } = employer;
    switch (message.type) {
      case 'hello':
        slot.worker = message.worker;
        runtime.wakers.set(message.worker, () => thread.send({ type: 'wake' }));
        runtime.replacers.set(message.worker, (life) =>
          this.lost(slot, life, 'was killed after the time of grace'),
        );
        thread.send({
          type: 'init',
          memory: runtime.sharedMemory,
          context: name,
          options: { wakeByMessage: runtime.wakeByMessage },
        });
        break;
      case 'ready':
        slot.ready = true;
        employer.learn(message.tasks);
        if (slot.isOther) employer.tell('workerreplaced', slot.index);
        if (this.missing === 0) employer.ready();
        break;
      case 'failed':
        if (this.isDismissed) break;
        employer.fail(startFailed(name, message));
        break;
      case 'mortal':
        thread.lock = message.lock;
        break;
      case 'crashed':
        this.broken(slot, message.message, errorOf(message));
        break;
      case 'stray':
        employer.stray(
          message.error === 0 ? errorOf(message) : runtime.errors.readOwned(message.error),
          slot.index,
        );
        break;
      case 'claim':
        runtime.parcels.claim(message.parcel, (value, transfer) =>
          thread.send({ type: 'parcel', parcel: message.parcel, value }, transfer),
        );
        break;
      case 'bye':
        slot.forget();
        slot.leaves = true;
        slot.locals = message.locals;
        break;
    }
  }

  /** What others wait for: that counts also if the thread is lost meanwhile. */
  private heardForOthers(message: FromWorker): boolean {
    const { runtime } = this.employer;
    if (message.type === 'wake') runtime.wake(message.worker);
    else if (message.type === 'drop') runtime.parcels.drop(message.parcel);
    else if (message.type === 'deposit') {
      runtime.parcels.deposit(message.parcel, message.value, message.transfer);
    } else return false;
    return true;
  }

  private oneEnded(thread: Thread): void {
    this.slotOf(thread)?.ended();
    if (--this.left > 0) return;
    this.startedEnded?.();
    if (!this.isDismissed) this.employer.over();
  }

  private async faulted(thread: Thread, fault: WorkerFault): Promise<void> {
    if (this.dying.has(thread)) return;
    const { employer } = this;
    const slot = this.slotOf(thread);
    if (slot?.ready) {
      this.died(slot, fault);
      return;
    }
    const error = await explained((why) => why.notStarted(employer.name, thread.url, fault));
    if (!this.isDismissed) employer.fail(error);
  }

  // ---- losing some

  /** A thread has ended by itself. */
  private died(slot: Slot, { message, error }: WorkerFault): void {
    if (this.isDismissed || this.left === 0) return;
    const { runtime } = this.employer;
    const reason = `died (${message})`;
    const bytes = Memory.encode(reason);
    runtime.writeBytes(bytes);
    const life = runtime.module._cwb_worker_died(slot.worker, bytes.length);
    if (life === 0) {
      this.broken(slot, message, error);
      return;
    }
    runtime.pumpNow(); // what it ran has ended: so its jobs are told first
    this.lost(slot, life, reason);
  }

  /** A thread has ended inside of the core, which may be in any state now. */
  private broken(slot: Slot, message: string, cause: unknown): void {
    if (this.isDismissed) return;
    const { employer } = this;
    slot.isBroken = true;
    employer.tell('workerlost', slot.index, message);
    employer.broken(
      new ContextLostError(
        `coworker: context '${employer.name}' is lost: worker '${employer.nameOf(slot.index)}' ` +
          `stopped inside of the runtime: ${message}`,
        { cause },
      ),
    );
  }

  /** The core has declared a thread dead: makes sure that it is, and starts another one. */
  private lost(slot: Slot, life: Pointer, reason: string): void {
    const { employer } = this;
    const { thread, index, worker } = slot;
    slot.forget();
    slot.leaves = slot.isOver = true; // once it is buried, its thread may be another context's
    this.dying.add(thread);
    void thread.kill().then((isProved) => {
      this.dying.delete(thread);
      if (isProved) slot.bury(life);
    });
    employer.tell('workerlost', index, reason);
    if (employer.isTooMuch(index, reason)) return;
    queueMicrotask(() => this.replace(index, worker));
  }

  private replace(index: number, worker: Pointer): void {
    if (this.isDismissed) return;
    const { employer } = this;
    const { module } = employer.runtime;
    const status = spawnWith(this.spawner(index), () => module._cwb_worker_replace(worker));
    if (status >= 0) {
      employer.startsAgain();
      return;
    }
    const name = employer.nameOf(index);
    void explained((why) => why.notReplaced(employer.name, name, status)).then((error) =>
      employer.fail(error),
    );
  }

  // ---- ending all

  /**
   * Terminates the threads that are left, and ends what they run.
   * @returns true if the core's context is empty, which has to be closed
   */
  async kill(context: Pointer): Promise<boolean> {
    const left = this.slots.filter(({ isOver }) => !isOver);
    const inOrder = await Promise.all(left.map((slot) => slot.end()));
    if (this.left === 0 && !this.isDismissed) return true; // they have ended by themselves
    const { runtime } = this.employer;
    return inOrder.every(Boolean) && runtime.module._cwb_context_end_remains(context) !== 0;
  }

  /** The same after a thread has died inside of the core; nothing of it is heard any more. */
  async dismiss(context: Pointer): Promise<boolean> {
    this.isDismissed = true;
    return this.kill(context);
  }
}
