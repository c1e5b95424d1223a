/**
 * A realm is a JavaScript thread that the core runs on: the main one, or a
 * worker's. This is the part that both have, in layers: tokens for what is
 * under way, values in and out of shared memory, turns of the core on the event
 * loop, and what the core calls.
 *
 * @module
 */
import { CoworkerError } from './errors.js';
import type { Job } from './job.js';
import type { LaunchRealm, Target } from './launch.js';
import type { LocalJobs } from './local-jobs.js';
import { Memory } from './memory.js';
import type { CoreModule, Host, NativeTaskReader, Pointer } from './module.js';
import type { ProgressModule } from './progress.js';
import type { RealmOptions } from './protocol.js';
import { GONE } from './gate.js';
import { support } from './references.js';
import type { BaseScope } from './scope.js';
import { Errors } from './thrown.js';
import { Turns } from './turns.js';
import type { WaitAsync } from './turns.js';

/** What Emscripten's glue throws to end a thread, such as by `exit()`. */
const UNWOUND = 'unwind';
const ended = (task = '', worker: string) =>
  new CoworkerError(`coworker: '${task}' has called exit() on worker '${worker}'`);

export abstract class Realm extends Turns implements Host {
  /** The core's record of this realm itself: no other one ever has the same. */
  home: Pointer = 0;
  /** There for a user's own module: the package's has no coroutines to call. */
  readNative: NativeTaskReader | undefined;
  readonly errors = new Errors(this);
  /** The functions that run on this thread; there from the first one on. */
  locals: LocalJobs | undefined;
  /** Somebody is going to list the jobs of this thread. */
  listsJobs = false;
  /** Handles to jobs that were not launched here, by the core's address. */
  readonly watched = new Map<Pointer, Job>();
  /** The context that functions of this thread run on. */
  own!: Target;
  /** Tells progress to another core, for which a job runs here. */
  readonly tellAway: ((job: Pointer, value: unknown) => void) | undefined;
  /** Whom handles are for that are just being read. */
  receiver: BaseScope | undefined;
  /** Jobs have ended here without their bodies. */
  hasAbandoned = false;

  private flagsAt: Pointer = 0;

  abstract run(...args: Parameters<Host['run']>): number;
  abstract workerStart(worker: Pointer, name: Pointer): void;
  abstract workerEnd(worker: Pointer): void;
  /** The name of this realm's worker. */
  protected abstract readonly nameOfWorker: string;
  abstract workerLost(worker: Pointer, life: Pointer): void;
  abstract startAgain(argument: Pointer): number;
  abstract endContext(context: Pointer): void;
  abstract wake(worker: Pointer): void;
  abstract report(error: unknown): void;
  /** What listening to progress takes. */
  abstract loadProgress(): Promise<ProgressModule>;

  /** Takes the module up; afterwards the realm can run. */
  protected attach(module: CoreModule, memory: WebAssembly.Memory, options: RealmOptions): void {
    this.module = module;
    this.memory = new Memory(memory);
    this.flagsAt = module._cwb_flags();
    module._cwb_stack_save();
    this.openScratch();
    this.reader.refer = (kind, at) => {
      const { handles } = support;
      if (handles) return handles.read(this as unknown as LaunchRealm, kind, at);
      throw new TypeError('coworker: a handle came of a class that is not imported here');
    };
    if (!options.wakeByMessage) {
      this.waitAsync = (Atomics as unknown as { waitAsync?: WaitAsync }).waitAsync;
    }
  }

  // ---- the performance timeline

  private get flags(): number {
    return this.memory.word(this.flagsAt);
  }

  /** True if somebody looks at jobs, and wants to know them by their names. */
  get namesJobs(): boolean {
    return this.listsJobs || (this.flags & 2) !== 0;
  }

  /** When something begins that is to stand there; 0: nothing is. */
  beginMeasure(): number {
    return (this.flags & 1) === 0 ? 0 : performance.now();
  }

  /** It is over; `began` is what {@link beginMeasure} gave. */
  endMeasure(name: string, began: number): void {
    if (began !== 0) performance.measure(name, { start: began });
  }

  // ---- crashes

  protected survives(error: unknown): boolean {
    this.module._cwb_stack_restore();
    const running = this.module._cwb_running_name();
    const where = { worker: this.nameOfWorker };
    const task = running === 0 ? undefined : this.memory.text(running);
    const thrown = error === UNWOUND ? ended(task, this.nameOfWorker) : error;
    const taken = this.errors.take(thrown, task === undefined ? where : { ...where, task });
    const survives = this.module._cwb_trapped(taken) !== 0;
    this.module._cw_error_release(taken);
    return survives;
  }

  /** A body has ended: true if its job has already, without it. */
  isAbandoned(at: Pointer): boolean {
    return this.hasAbandoned && this.module._cwb_is_abandoned(at) !== 0;
  }

  /** The core takes this thread for dead, or over: whoever calls it does not go on. */
  readonly gone = (): never => {
    this.isOver = true;
    throw GONE;
  };

  // ---- what the core calls

  jobEnded(token: number, outcome: number, data: Pointer, length: number, worker: Pointer): void {
    this.dropToken(token)?.jobEnded?.(outcome, data, length, worker);
  }

  settled(token: number, error: Pointer, data: Pointer, length: number): void {
    this.waits = false;
    this.dropToken(token)?.settled?.(error, data, length);
  }

  suspended(token: number, continuation: Pointer): void {
    this.ticketOf(token)?.suspended?.(continuation);
  }

  handled(token: number, news: number, data: Pointer, element: Pointer): number {
    const answer = this.ticketOf(token)?.handled?.(news, data, token, element);
    return typeof answer === 'number' ? answer : 0;
  }

  reported(error: Pointer): void {
    this.report(this.errors.read(error));
  }

  discarded(element: Pointer): void {
    support.handles!.discard!(this as unknown as LaunchRealm, element);
  }

  errorFreed(slot: number): void {
    this.errors.freed(slot);
  }

  /** Runs a function of this thread that the core has come to. */
  protected runLocal(job: Pointer, number: number): number {
    this.waits = false;
    return this.locals!.run(job, number);
  }
}
