/**
 * A fixed set of workers that run tasks.
 *
 * @module
 */
import { Closing, checkClose } from './closing.js';
import type { CloseOptions } from './closing.js';
import type { Crew, CrewHost } from './crew.js';
import { environment } from './environment.js';
import type { WorkerFault } from './environment.js';
import {
  ContextClosedError,
  IllegalStateError,
  StartError,
  ContextLostError,
  expected,
  noMemory,
} from './errors.js';
import { explained } from './explain.js';
import type { Deferred, Job } from './job.js';
import { Target, launch, splitCall } from './launch.js';
import type { Away } from './launch.js';
import * as layout from './layout.gen.js';
import { ContextEventTarget, Losses, WorkerEvent } from './losses.js';
import type { ContextEvents } from './losses.js';
import { Memory } from './memory.js';
import type { Pointer } from './module.js';
import { checkContext, quiet } from './options.js';
import type { CheckedOptions, ContextOptions, LaunchOptions } from './options.js';
import type { FromWorker } from './protocol.js';
import { lacksMemory, runtimeOf } from './runtime.js';
import type { Runtime } from './runtime.js';
import { readStats } from './stats.js';
import type { ContextStats } from './stats.js';
import { spawnWith } from './threads.js';
import type { Spawner, Thread } from './threads.js';
import type { TraceReader, WorkerTrace } from './trace.js';
import type { AnyTasks, TaskArgs, TaskName, TaskResult, TypedArrayClass } from './types.js';
import { wantedTier } from './tier.js';
import type { Tier } from './tier.js';
import { ContextView, openView } from './view.js';

/** A thread of the context, from its start to its end. */
interface Slot {
  readonly thread: Thread;
  /** Of the worker whose thread it is. */
  readonly index: number;
  worker: Pointer;
  ready: boolean;
  /** It took the place of one that was lost. */
  readonly isOther: boolean;
  /** It ends by itself, or is over. */
  leaves: boolean;
  /** What is to be freed after it. */
  locals: Pointer;
}

/** How long an engine may take to say that a thread does not run any more. */
const PROOF_MS = 75;
/** After that a thread that passes its gate has done so; how often that is looked at. */
const DOOM_MS = 10;
const DOOM_TRIES = 4;

/**
 * Runs tasks on a fixed number of workers. Made by {@link newFixedWorkerContext}.
 *
 * @typeParam M - the task module's type, `typeof import('./tasks.js')`: then a
 * wrong task name or argument is a compile error
 */
export class FixedWorkerContext<M extends object = AnyTasks> extends ContextEventTarget {
  /** The name that was given; the workers' names derive from it. */
  readonly name: string;
  /** The number of workers. */
  readonly workers: number;
  /** What it runs on; see docs/tiers.md for what each tier can do. */
  readonly tier: Tier;
  /**
   * Fulfilled when all workers have started; rejected with a {@link StartError}
   * if one does not. Jobs may be launched before.
   */
  readonly ready: Promise<void>;

  private readonly runtime: Runtime;
  private readonly options: CheckedOptions;
  private readonly target: Target;
  private readonly views: Target[] = [];
  private readonly isShared: boolean;
  /** In place of threads. */
  private readonly crew: Crew | undefined;
  private readonly readTrace: TraceReader | undefined;
  private readonly slots: Slot[] = [];
  private readonly losses: Losses;
  private settleReady!: { resolve: () => void; reject: (error: unknown) => void };
  private failure: Error | undefined;
  /** @internal Gives why the context could not be opened, once all is over. */
  readonly notOpened: Promise<unknown> | undefined;
  private notMade: { error: unknown } | undefined;
  private closing: Promise<void> | undefined;
  private readonly deadlines = new Closing(
    () => this.cancelAll(undefined),
    () => void this.kill(),
  );
  private allEnded!: () => void;
  private threadsLeft: number;
  private deadline: ReturnType<typeof setTimeout> | undefined;

  /** @internal */
  constructor(
    runtime: Runtime,
    workers: number,
    name: string,
    options: CheckedOptions,
    readTrace: TraceReader | undefined,
    isShared: boolean,
    crew?: Crew,
  ) {
    super();
    this.losses = new Losses(options.losses);
    this.isShared = isShared;
    this.crew = crew;
    this.tier = crew?.tier ?? 'shared';
    this.readTrace = readTrace;
    this.runtime = runtime;
    this.workers = workers;
    this.name = name;
    this.options = options;
    this.threadsLeft = workers;
    this.ready = quiet(
      new Promise<void>((resolve, reject) => {
        this.settleReady = { resolve, reject };
      }),
    );
    runtime.writeBytes(Memory.encode(`${name}\0`));
    const at = crew
      ? crew.open(runtime)
      : spawnWith(this.spawner(), () =>
          runtime.module._cwb_context_open(workers, options.trace ? 1 : 0),
        );
    if (at < 0) {
      this.target = new Target(runtime, 0, name); // of nobody's use
      this.notOpened = this.endStarted(at);
      return;
    }
    this.target = new Target(runtime, at, name, crew !== undefined);
    this.limitQueue(at, options);
    this.keepProcess(true);
    this.awaitStart();
    crew?.begin(this.crewHost(this.target));
    if (this.notMade) {
      const { error } = this.notMade;
      this.fail(error as Error);
      this.notOpened = environment().refusal(error);
    }
  }

  /** Some threads may have been started before one could not: lets them end. */
  private async endStarted(code: number): Promise<Error> {
    this.threadsLeft = this.slots.length;
    if (this.threadsLeft > 0) {
      this.runtime.hold();
      await new Promise<void>((resolve) => {
        this.allEnded = resolve;
        this.deadline = setTimeout(resolve, this.options.startTimeout);
      });
      clearTimeout(this.deadline);
      this.runtime.release();
    }
    return explained(({ notOpened }) => notOpened(this.name, code));
  }

  private limitQueue(at: Pointer, { maxQueue, whenFull }: CheckedOptions): void {
    if (maxQueue === undefined) return;
    const waits = Number(whenFull === 'wait');
    if (this.runtime.module._cwb_context_limit_queue(at, maxQueue, waits) === 0) return;
    this.notMade ??= { error: noMemory() };
  }

  // ---- launching

  /**
   * Launches a task for its effects. If it fails, the error is reported as an
   * uncaught one, since nobody else can take it.
   *
   * @param task - the name of a function of the task module, or of a coroutine
   * or function of C marked with CW_EXPORT
   * @param args - anything that structured clone takes; plain data and arrays
   * go through shared memory
   * @throws TypeError for an unknown task or an argument that cannot be sent,
   * ContextClosedError, QueueFullError, RangeError for bad options
   */
  launch<K extends TaskName<M>>(task: K, ...args: TaskArgs<M[K]>): Job;
  launch<K extends TaskName<M>>(options: LaunchOptions, task: K, ...args: TaskArgs<M[K]>): Job;
  launch(...call: unknown[]): Job {
    return this.begin(false, call);
  }

  /**
   * Launches a task for its result; `await` what this returns. Same errors as
   * {@link launch}.
   */
  async<K extends TaskName<M>>(task: K, ...args: TaskArgs<M[K]>): Deferred<TaskResult<M[K]>>;
  async<K extends TaskName<M>>(
    options: LaunchOptions,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Deferred<TaskResult<M[K]>>;
  async<T>(...call: unknown[]): Deferred<T> {
    return this.begin<T>(true, call);
  }

  /** Runs a task there and gives its result as a plain promise. */
  withContext<K extends TaskName<M>>(task: K, ...args: TaskArgs<M[K]>): Promise<TaskResult<M[K]>>;
  withContext<K extends TaskName<M>>(
    options: LaunchOptions,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Promise<TaskResult<M[K]>>;
  withContext<T>(...call: unknown[]): Promise<T> {
    return this.begin<T>(true, call).toPromise();
  }

  private begin<T>(isAsync: boolean, call: unknown[]): Deferred<T> {
    if (this.failure !== undefined) throw this.failure;
    const [options, task, args] = splitCall(call);
    const how = isAsync ? layout.LAUNCH_ASYNC : 0;
    return launch<T>(this.target, 0, how, options, task as string, args);
  }

  /**
   * A view of the context that runs at most so many tasks at once.
   *
   * @throws RangeError, TypeError for a bad argument; ContextClosedError
   * @example
   * const disk = context.limitedParallelism(2, 'disk');
   * for (const file of files) disk.launch('index', file);
   */
  limitedParallelism(parallelism: number, name: string = this.name): ContextView<M> {
    if (this.target.closed) {
      throw new ContextClosedError(`coworker: context '${this.name}' is closed`);
    }
    const view = openView(this.target, parallelism, name);
    this.views.push(view);
    return new ContextView<M>(view, parallelism, name, () => {
      if (this.failure !== undefined) throw this.failure;
      view.tasks ??= this.target.tasks;
      return !this.target.closed;
    });
  }

  /** @internal C programs' Default, or IO, runs on this context from now on. */
  become(role: 'default' | 'io'): void {
    const { module } = this.runtime;
    if (role === 'default') module._cwb_set_default(this.target.context);
    else module._cwb_set_io(this.target.context);
  }

  /** @internal Where its tasks run, if their workers have cores of their own. */
  get away(): Away | undefined {
    return this.target.away;
  }

  /** @internal For launching from a scope of the main thread, if that is of the same module. */
  targetFor(runtime: Runtime): Target | undefined {
    return runtime === this.runtime ? this.target : undefined;
  }

  // ---- memory

  /**
   * A typed array of zeros in the shared memory. As an argument of a task it is passed
   * by reference, whatever its size, and both sides see each other's changes.
   * It lives until {@link free}.
   */
  allocate<C extends TypedArrayClass>(type: C, length: number): InstanceType<C> {
    this.crew?.checkAllocate();
    if (typeof type !== 'function' || !('BYTES_PER_ELEMENT' in type)) {
      throw new TypeError(expected('type', 'a typed array class', type));
    }
    if (!Number.isInteger(length) || length < 0) {
      throw new RangeError(expected('length', 'an integer from 0 and up', length));
    }
    const bytes = length * type.BYTES_PER_ELEMENT;
    const at = bytes < 2 ** 32 ? this.runtime.module._cwb_alloc(Math.max(bytes, 8)) : 0;
    if (at === 0) {
      throw new RangeError(
        `coworker: no room for ${bytes} bytes in shared memory; raise the \`memory\` option`,
      );
    }
    const make = type as unknown as new (
      b: ArrayBufferLike,
      o: number,
      l: number,
    ) => InstanceType<C>;
    const { u8, buffer } = this.runtime.memory.refresh();
    u8.fill(0, at, at + bytes);
    return new make(buffer, at, length);
  }

  /** Frees what {@link allocate} gave; nobody may use the array any more. */
  free(array: ArrayBufferView): void {
    if (!ArrayBuffer.isView(array) || array.buffer !== this.runtime.memory.refresh().buffer) {
      throw new TypeError(expected('array', 'one made by allocate()', array));
    }
    this.runtime.module._cwb_free(array.byteOffset);
  }

  // ---- looking

  /** Counters since the start. */
  stats(): ContextStats {
    if (this.target.closed && this.threadsLeft === 0) return this.lastStats!;
    const stats = readStats(this.runtime, this.target.context);
    return this.crew ? { ...stats, ...this.crew.count() } : stats;
  }
  private lastStats: ContextStats | undefined;

  /**
   * What the workers did lately; needs the `trace` option.
   *
   * @param after - by worker, the number of the last event that is known
   * already: only later ones are copied, so that a drawing can ask each frame
   */
  trace(after: readonly number[] = []): WorkerTrace[] {
    if (this.threadsLeft === 0) return [];
    const { runtime, target, workers, readTrace } = this;
    if (readTrace) return readTrace(runtime, target.context, workers, after);
    return Array.from({ length: workers }, (_, worker) => ({ worker, events: [] }));
  }

  /** True once {@link close} was called or the context has failed. */
  get isClosed(): boolean {
    return this.target.closed;
  }

  // ---- ending

  /**
   * Takes no more work, lets what was launched before come to its end, and ends
   * the workers. A task that waits in `scope.delay()` is cancelled at once. Unless
   * it is told otherwise it waits for all the rest, however long that takes:
   *
   * - after `drain` milliseconds, or at once with `cancel`, everything is cancelled;
   * - `grace` milliseconds after that the workers that still run something are
   *   terminated. What they ran ends with a {@link WorkerLostError}, what was left
   *   besides is cancelled, or ends with a {@link ContextLostError}.
   *
   * May be called again, and from anywhere: that brings the deadlines forward,
   * never back.
   *
   * @returns a promise that is fulfilled when all workers are gone; the same one
   * each time
   * @throws TypeError, RangeError (rejects) for bad options; IllegalStateError
   * (rejects) for a context that everybody shares
   * @example
   * await context.close({ drain: 5000, grace: 1000 }); // takes 6 s at most
   */
  close(options: CloseOptions = {}): Promise<void> {
    if (this.isShared) {
      return Promise.reject(
        new IllegalStateError(`coworker: context '${this.name}' is everybody's and stays open`),
      );
    }
    let checked: Required<CloseOptions>;
    try {
      checked = checkClose(options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.threadsLeft > 0) this.deadlines.hurry(checked);
    this.closing ??= this.shutDown();
    return this.closing;
  }

  /** For `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;

  /** Where its jobs are launched to: itself, and its views. */
  private get targets(): Target[] {
    return [this.target, ...this.views];
  }

  private cancelAll(cause: unknown): void {
    if (this.threadsLeft === 0) return;
    const { module, errors } = this.runtime;
    const closed = cause ?? new ContextClosedError(`coworker: context '${this.name}' was closed`);
    const error = errors.takeCause(closed);
    // The root itself goes on; its cancellation reaches all below it.
    module._cw_cancel(module._cwb_context_root(this.target.context), error);
    module._cw_error_release(error);
    // What was launched with a parent of its own is not below it.
    this.runtime.cancelJobs(this.targets, closed);
  }

  private async shutDown(): Promise<void> {
    this.target.closed = true;
    const ended = new Promise<void>((resolve) => {
      this.allEnded = resolve;
    });
    this.runtime.module._cw_context_close(this.target.context);
    this.crew?.close();
    if (this.threadsLeft > 0) await ended;
    clearTimeout(this.deadline);
    this.deadlines.end();
    if (this.failure === undefined) {
      this.settleReady.reject(
        new ContextClosedError(`coworker: context '${this.name}' was closed before it was ready`),
      );
      this.runtime.pumpNow(); // what the workers' last jobs have to tell
      this.lastStats = readStats(this.runtime, this.target.context);
      for (const { context } of this.views) this.runtime.module._cw_context_release(context);
      this.runtime.module._cwb_context_free(this.target.context);
    }
    this.keepProcess(false);
  }

  /**
   * An open context keeps a Node process from ending: what its tasks have left
   * behind may still have something to do, or to tell.
   */
  private keepProcess(keep: boolean): void {
    if (keep === this.keeping || this.isShared) return;
    this.keeping = keep;
    if (keep) this.runtime.hold();
    else this.runtime.release();
  }
  private keeping = false;

  // ---- threads

  /** @param index - of the worker that gets another thread; none: all of them get one */
  private spawner(index?: number): Spawner {
    const { slots } = this;
    return {
      make: this.options.worker,
      spawned: (thread) => {
        const isOther = index !== undefined;
        const place = index ?? slots.length;
        slots[place] = {
          thread,
          index: place,
          worker: 0,
          ready: false,
          isOther,
          leaves: false,
          locals: 0,
        };
      },
      message: (thread, message) => this.heard(thread, message),
      notMade: (error) => {
        this.notMade ??= { error };
      },
      fault: (thread, fault) => void this.faulted(thread, fault),
      ended: (thread) => this.oneEnded(thread),
    };
  }

  private crewHost(target: Target): CrewHost {
    const { runtime, name, workers, options } = this;
    return {
      ...{ runtime, target, name, workers, options },
      ready: (tasks) => this.allReady(tasks),
      notMade: (error) => {
        this.notMade ??= { error };
      },
      stray: (error) => this.strayed(error),
      lost: (index, reason) => {
        const goesOn = this.bears(index, reason);
        if (goesOn) this.awaitStart();
        return goesOn;
      },
      replaced: (index) => this.tell('workerreplaced', index),
      fail: (error) => this.fail(error),
      over: () => {
        this.threadsLeft = 0;
        this.allEnded();
      },
    };
  }

  private heard(thread: Thread, message: FromWorker): void {
    const slot = this.slots.find((candidate) => candidate.thread === thread);
    if (!slot) return; // it was lost
    const { parcels } = this.runtime;
    switch (message.type) {
      case 'hello':
        slot.worker = message.worker;
        this.runtime.wakers.set(message.worker, () => thread.send({ type: 'wake' }));
        this.runtime.replacers.set(message.worker, (life) =>
          this.lost(slot, life, 'was killed after the time of grace'),
        );
        thread.send({
          type: 'init',
          memory: this.runtime.sharedMemory,
          context: this.name,
          options: { wakeByMessage: this.runtime.wakeByMessage },
        });
        break;
      case 'ready':
        this.oneReady(slot, message.tasks);
        break;
      case 'failed': {
        const cause = new Error(message.message);
        cause.stack = message.stack;
        this.fail(
          new StartError(
            message.outOfMemory ? 'out-of-memory' : 'script-error',
            `coworker: a worker of context '${this.name}' failed while it started: ${message.message}`,
            { cause },
          ),
        );
        break;
      }
      case 'mortal':
        thread.lock = message.lock;
        break;
      case 'crashed': {
        const cause = new Error(message.message);
        cause.stack = message.stack;
        this.broken(slot, message.message, cause);
        break;
      }
      case 'stray': {
        const error = new Error(message.message);
        error.stack = message.stack;
        this.strayed(error);
        break;
      }
      case 'wake':
        this.runtime.wake(message.worker);
        break;
      case 'deposit':
        parcels.deposit(message.parcel, message.value, message.transfer);
        break;
      case 'claim':
        parcels.claim(message.parcel, (value, transfer) =>
          thread.send({ type: 'parcel', parcel: message.parcel, value }, transfer),
        );
        break;
      case 'drop':
        parcels.drop(message.parcel);
        break;
      case 'bye':
        this.forget(slot);
        slot.leaves = true;
        slot.locals = message.locals;
        break;
    }
  }

  private oneReady(slot: Slot, tasks: string[]): void {
    slot.ready = true;
    this.target.tasks ??= new Set(tasks);
    if (slot.isOther) this.tell('workerreplaced', slot.index);
    if (this.isReady) this.allReady(tasks);
  }

  private allReady(tasks: readonly string[]): void {
    this.target.tasks ??= new Set(tasks);
    clearTimeout(this.deadline);
    this.settleReady.resolve();
  }

  private strayed(error: Error): void {
    if (this.options.onStrayError) this.options.onStrayError(error);
    else this.runtime.report(error);
  }

  private get isReady(): boolean {
    if (this.crew) return this.crew.missing === 0;
    return this.slots.length === this.workers && this.slots.every(({ ready }) => ready);
  }

  private oneEnded(thread: Thread): void {
    const slot = this.slots.find((candidate) => candidate.thread === thread);
    if (slot) this.runtime.module._cwb_free(slot.locals);
    if (--this.threadsLeft === 0) this.allEnded?.();
  }

  private async tooLate(): Promise<void> {
    const missing = this.crew?.missing ?? this.slots.filter(({ ready }) => !ready).length;
    const { name, workers, options } = this;
    const limit = options.startTimeout;
    const error = await explained((why) => why.tooLate(name, missing, workers, limit));
    if (!this.isReady) this.fail(error); // there is still time while that is loaded
  }

  private async faulted(thread: Thread, fault: WorkerFault): Promise<void> {
    const slot = this.slots.find((candidate) => candidate.thread === thread);
    if (slot?.ready) this.died(slot, fault);
    else this.fail(await explained((why) => why.notStarted(this.name, thread.url, fault)));
  }

  // ---- losing workers

  /** A thread has ended by itself. */
  private died(slot: Slot, { message, error }: WorkerFault): void {
    if (this.failure !== undefined || this.threadsLeft === 0) return;
    const { runtime } = this;
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
    this.tell('workerlost', slot.index, message);
    this.fail(
      new ContextLostError(
        `coworker: context '${this.name}' is lost: worker '${this.nameOf(slot.index)}' ` +
          `stopped inside of the runtime: ${message}`,
        { cause },
      ),
    );
  }

  /** The core has declared a thread dead: makes sure that it is, and starts another one. */
  private lost(slot: Slot, life: Pointer, reason: string): void {
    const { thread, index, worker } = slot;
    this.forget(slot);
    void thread.kill().then((isProved) => {
      if (isProved) this.bury(thread, life);
    });
    if (this.bears(index, reason)) queueMicrotask(() => this.replace(index, worker));
  }

  /** Counts and tells the loss of a worker. False: it was one too many. */
  private bears(index: number, reason: string): boolean {
    const { options, losses } = this;
    this.tell('workerlost', index, reason);
    if (!losses.note()) return true;
    const { count, period } = options.losses;
    this.fail(
      new ContextLostError(
        `coworker: context '${this.name}' is lost: more than ${count} of its workers were lost ` +
          `within ${period} ms, the last one, '${this.nameOf(index)}', as it ${reason}; ` +
          'see the option `losses`',
      ),
    );
    return false;
  }

  /** A thread that was declared dead is known not to run any more. */
  private bury(thread: Thread, life: Pointer): void {
    this.runtime.module._cwb_life_proved(life);
    this.runtime.deadThreads.push(thread);
  }

  private replace(index: number, worker: Pointer): void {
    if (this.failure !== undefined) return;
    const replace = () => this.runtime.module._cwb_worker_replace(worker);
    const status = spawnWith(this.spawner(index), replace);
    if (status < 0) {
      void explained((why) => why.notReplaced(this.name, this.nameOf(index), status)).then(
        (error) => this.fail(error),
      );
      return;
    }
    this.awaitStart();
  }

  /** Workers that are being started have to be there in time. */
  private awaitStart(): void {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => void this.tooLate(), this.options.startTimeout);
  }

  /** Whose thread is over is not to be woken or replaced. */
  private forget({ worker }: Slot): void {
    this.runtime.wakers.delete(worker);
    this.runtime.replacers.delete(worker);
  }

  private nameOf(index: number): string {
    return this.workers === 1 ? this.name : `${this.name}-${index + 1}`;
  }

  private tell(type: keyof ContextEvents, index: number, reason?: string): void {
    this.dispatchEvent(new WorkerEvent(type, this.nameOf(index), index, reason));
  }

  /** The last phase of closing: ends the threads that are left, and what they run. */
  private async kill(): Promise<void> {
    const { runtime, target, name } = this;
    const left = this.slots.filter(({ leaves }) => !leaves);
    const inOrder = await Promise.all(left.map((slot) => this.end(slot)));
    if (this.failure !== undefined) return;
    const isOver = this.crew
      ? this.crew.kill()
      : inOrder.every(Boolean) && runtime.module._cwb_context_end_remains(target.context) !== 0;
    runtime.pumpNow();
    if (!isOver) {
      const what = 'its workers were terminated, since they had not ended in time';
      this.fail(new ContextLostError(`coworker: context '${name}' was closed: ${what}`));
      return;
    }
    this.threadsLeft -= this.crew ? this.threadsLeft : left.length;
    if (this.threadsLeft === 0) this.allEnded();
  }

  /** True if the core knows what the thread ran, and has ended that. */
  private async end({ thread, worker, index }: Slot): Promise<boolean> {
    const { module } = this.runtime;
    const reason = Memory.encode('was killed, since its context was closed,');
    const declare = (isProved: number) => {
      if (worker === 0) return 0; // it has not begun
      this.runtime.writeBytes(reason);
      return module._cwb_worker_end(worker, isProved, reason.length);
    };
    this.forget(this.slots[index]!);
    let life = declare(0);
    let timer: ReturnType<typeof setTimeout>;
    const proved = thread.kill().then((isProved) => {
      if (isProved) life ||= declare(1);
      if (isProved && life !== 0) this.bury(thread, life);
    });
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PROOF_MS)));
    await Promise.race([proved, late]);
    clearTimeout(timer!);
    // Some engines end a thread late or never, and never tell: then time has to do.
    for (let n = 0; life === 0 && worker !== 0 && n < DOOM_TRIES; n++) {
      if (module._cwb_worker_doom(worker) !== 0) life = declare(1);
      else await new Promise((resolve) => setTimeout(resolve, DOOM_MS));
    }
    return life !== 0;
  }

  /** The context is beyond repair: everything in it ends now. */
  private fail(error: Error): void {
    if (this.failure !== undefined || this.notOpened || this.threadsLeft === 0) return;
    this.failure = error;
    clearTimeout(this.deadline);
    this.settleReady.reject(error);
    this.target.closed = true;
    const { module } = this.runtime;
    this.cancelAll(error);
    module._cw_context_close(this.target.context);
    for (const slot of this.slots) {
      slot.thread.terminate();
      this.forget(slot);
    }
    this.crew?.stop(error);
    // Jobs that have not begun can still end in order; the others were cut off.
    if (!this.crew) module._cwb_context_drain(this.target.context);
    this.runtime.pumpNow();
    this.runtime.abandonJobs(this.targets, error);
    this.threadsLeft = 0;
    this.lastStats = { ...readStats(this.runtime, this.target.context), workers: 0, idle: 0 };
    this.closing ??= Promise.resolve().then(() => this.keepProcess(false));
    this.allEnded?.();
  }
}

// Where the symbol is not built in, compilers of `await using` look for this one.
const asyncDispose =
  (Symbol as { asyncDispose?: symbol }).asyncDispose ?? Symbol.for('Symbol.asyncDispose');
Object.defineProperty(FixedWorkerContext.prototype, asyncDispose, {
  value(this: FixedWorkerContext) {
    return this.close();
  },
  writable: true,
  configurable: true,
});

/**
 * Opens a context with `workers` workers, called `name` if there is one and
 * `name-1` to `name-N` otherwise. Its promise is fulfilled as soon as jobs can be
 * launched; `context.ready` tells when all workers run.
 *
 * @throws RangeError, TypeError (rejects) for a bad argument; IsolationError if
 * the page is not cross-origin isolated; StartError if the module does not load
 *
 * @example
 * await using context = await newFixedWorkerContext(3, 'worker-context', {
 *   worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
 * });
 * const job = context.launch('greet', 'Ada');
 * await job.join();
 */
export async function newFixedWorkerContext<M extends object = AnyTasks>(
  workers: number,
  name: string,
  options: ContextOptions = {},
): Promise<FixedWorkerContext<M>> {
  return openContext<M>(workers, name, options, false);
}

/** @internal The same, for a context that everybody shares, too. */
export async function openContext<M extends object>(
  workers: number,
  name: string,
  options: ContextOptions,
  isShared: boolean,
): Promise<FixedWorkerContext<M>> {
  const checked = checkContext(workers, name, options);
  const { runtime, crew } = await placeOf(checked);
  const readTrace = checked.trace ? (await import('./trace.js')).readTrace : undefined;
  const context = new FixedWorkerContext<M>(
    runtime,
    workers,
    name,
    checked,
    readTrace,
    isShared,
    crew,
  );
  if (context.notOpened) throw await context.notOpened;
  return context;
}

/** What a context with these options runs on. */
async function placeOf(options: CheckedOptions): Promise<{ runtime: Runtime; crew?: Crew }> {
  const tier = wantedTier(options.tier);
  let cause: unknown;
  if (tier === 'auto' || tier === 'shared') {
    try {
      return { runtime: await runtimeOf(options) };
    } catch (error) {
      if (tier === 'shared' || !lacksMemory(error)) throw error;
      cause = error;
    }
  }
  return (await import('./tiers.js')).withoutThreads(options, tier, cause);
}
