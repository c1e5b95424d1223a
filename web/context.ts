/**
 * A fixed set of workers that run tasks.
 *
 * @module
 */
import { Closing, checkClose } from './closing.js';
import type { CloseOptions } from './closing.js';
import type { Crew, CrewHost } from './crew.js';
import { environment } from './environment.js';
import {
  ContextClosedError,
  IllegalStateError,
  ContextLostError,
  describe,
  expected,
  noMemory,
} from './errors.js';
import { explained } from './explain.js';
import type { Deferred, Job } from './job.js';
import { Target, launch, splitCall } from './launch.js';
import type { Away } from './launch.js';
import * as layout from './layout.gen.js';
import { ContextEventTarget, Losses, RebuiltEvent, WorkerEvent } from './losses.js';
import { Memory } from './memory.js';
import type { Pointer } from './module.js';
import { checkContext, quiet } from './options.js';
import type { CheckedOptions, ContextOptions, LaunchOptions } from './options.js';
import { lacksMemory, runtimeOf } from './runtime.js';
import type { Runtime } from './runtime.js';
import { readStats } from './stats.js';
import type { ContextStats } from './stats.js';
import type { TraceReader, WorkerTrace } from './trace.js';
import type { AnyTasks, TaskArgs, TaskName, TaskResult, TypedArrayClass } from './types.js';
import { wantedTier } from './tier.js';
import type { Tier } from './tier.js';
import { UncaughtErrorEvent } from './uncaught.js';
import { ContextView, openView } from './view.js';
import { Workforce } from './workforce.js';
import type { Employer } from './workforce.js';
import { WorkerScopes, noWorkerScopes } from './worker-scope.js';
import type { WorkerScope } from './worker-scope.js';

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
  /** These are another generation's after the context was rebuilt. */
  private target!: Target;
  private views: Target[] = [];
  private workerScopes!: WorkerScopes<M>;
  private workforce: Workforce | undefined;
  private generationNow = 1;
  private generationReady = 0;
  private readonly isShared: boolean;
  /** In place of threads. */
  private readonly crew: Crew | undefined;
  private readonly readTrace: TraceReader | undefined;
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
  private allEnded: (() => void) | undefined;
  /** Nothing of it runs any more. */
  private isOver = false;
  /** What C programs have of it. */
  private role: 'default' | 'io' | undefined;
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
    this.ready = quiet(
      new Promise<void>((resolve, reject) => {
        this.settleReady = { resolve, reject };
      }),
    );
    const at = this.open();
    this.enter(at < 0 ? 0 : at);
    if (at < 0) {
      this.notOpened = this.endStarted(at); // the target is of nobody's use
      return;
    }
    this.keepProcess(true);
    this.start();
    if (this.notMade) {
      const { error } = this.notMade;
      this.fail(error as Error);
      this.notOpened = environment().refusal(error);
    }
  }

  /** Opens the core's context: its address, or an error code. */
  private open(): number {
    const { runtime, crew, name } = this;
    runtime.writeBytes(Memory.encode(`${name}\0`));
    if (crew) return crew.open(runtime);
    this.workforce = new Workforce(this.employer());
    return this.workforce.open();
  }

  /** False while it is on its way to fail, since the core could not open it. */
  private get isThere(): boolean {
    return this.target.context !== 0;
  }

  /** From here on, the context is the core's one at that address; 0: there is none. */
  private enter(at: Pointer): void {
    const { runtime, name, crew } = this;
    this.target = new Target(runtime, at, name, crew !== undefined);
    this.target.closed = at === 0;
    this.target.uncaught = (error, isCrash) => this.uncaught(error, isCrash);
    this.views = [];
    this.workerScopes = this.makeWorkerScopes();
  }

  /** Its workers are about to start. */
  private start(): void {
    this.limitQueue(this.target.context, this.options);
    this.awaitStart();
    this.crew?.begin(this.crewHost(this.target));
  }

  /** Gives those that start their time. */
  private awaitStart(): void {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => void this.tooLate(), this.options.startTimeout);
  }

  /** Some threads may have been started before one could not: lets them end. */
  private async endStarted(code: number): Promise<Error> {
    await this.workforce?.endStarted();
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
   * Launches a task for its effects. If it fails, nobody takes the error: the
   * context tells it by `uncaughterror`, and then it is reported as an uncaught one.
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
    this.checkOpen();
    const open = () => {
      const made = openView(this.target, parallelism, name);
      this.views.push(made);
      return made;
    };
    let view = open();
    let generation = this.generation;
    return new ContextView<M>(parallelism, name, () => {
      if (this.failure !== undefined) throw this.failure;
      if (this.target.closed) return undefined;
      if (generation !== this.generation) view = open();
      generation = this.generation;
      view.tasks ??= this.target.tasks;
      return view;
    });
  }

  /**
   * The scope of one worker: what is launched there runs on that worker only, and
   * ends with it. The same one for each call until the worker is lost, or the
   * scope cancelled; then that of its next thread.
   *
   * @param index - of the worker, from 0 to `workers` - 1
   * @throws RangeError, TypeError for a bad index; ContextClosedError;
   * ContextLostError; TierError where workers share nothing
   * @example
   * const scope = context.workerScope(0);
   * scope.launch('openDatabase', 'pages');
   */
  workerScope(index: number): WorkerScope<M> {
    if (this.crew) throw noWorkerScopes(this.name, this.tier);
    this.checkOpen();
    return this.workerScopes.at(index);
  }

  private makeWorkerScopes(): WorkerScopes<M> {
    const nameOf = (index: number) => this.nameOf(index);
    return new WorkerScopes<M>(this.target, this.workers, nameOf, () => this.checkOpen());
  }

  private checkOpen(): void {
    if (this.failure !== undefined) throw this.failure;
    if (!this.target.closed) return;
    throw new ContextClosedError(`coworker: context '${this.name}' is closed`);
  }

  /** @internal C programs' Default, or IO, runs on this context from now on. */
  become(role: 'default' | 'io'): void {
    const { module } = this.runtime;
    this.role = role;
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

  /**
   * How often the context was built: 1, and one more each time that a worker died
   * inside of the runtime. Then all its jobs end with a {@link ContextLostError},
   * and it goes on with new workers: `contextrebuilt` tells when they are there.
   */
  get generation(): number {
    return this.generationNow;
  }

  /** Counters since the start, or since the context was rebuilt. */
  stats(): ContextStats {
    if (this.isOver || !this.isThere) return this.lastStats!;
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
    if (this.isOver || !this.isThere) return [];
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
    if (!this.isOver) this.deadlines.hurry(checked);
    this.closing ??= this.shutDown();
    return this.closing;
  }

  /** For `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;

  /** Where its jobs are launched to: itself, and its views. */
  private get targets(): Target[] {
    return [this.target, ...this.views, ...this.workerScopes.targets];
  }

  private cancelAll(cause: unknown): void {
    if (this.isOver) return;
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
    if (this.isThere) this.runtime.module._cw_context_close(this.target.context);
    this.crew?.close();
    if (!this.isOver) await ended;
    clearTimeout(this.deadline);
    this.deadlines.end();
    if (this.failure === undefined) {
      this.settleReady.reject(
        new ContextClosedError(`coworker: context '${this.name}' was closed before it was ready`),
      );
      this.runtime.pumpNow(); // what the workers' last jobs have to tell
      this.lastStats = readStats(this.runtime, this.target.context);
      this.giveBack(this.target, this.views, this.workerScopes);
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

  private employer(): Employer {
    const { runtime, name, workers, options } = this;
    return {
      ...{ runtime, name, workers, options },
      nameOf: (index) => this.nameOf(index),
      tell: (type, index, reason) => this.tell(type, index, reason),
      learn: (tasks) => this.learn(tasks),
      ready: () => this.allReady(),
      startsAgain: () => this.awaitStart(),
      notMade: (error) => {
        this.notMade ??= { error };
      },
      stray: (error, index) => this.strayed(error, index),
      isTooMuch: (index, reason) => this.isTooMuch(index, reason),
      fail: (error) => this.fail(error),
      broken: (error) => this.broken(error),
      over: () => this.ended(),
    };
  }

  private crewHost(target: Target): CrewHost {
    const { runtime, name, workers, options } = this;
    return {
      ...{ runtime, target, name, workers, options },
      ready: (tasks) => {
        this.learn(tasks);
        this.allReady();
      },
      notMade: (error) => {
        this.notMade ??= { error };
      },
      stray: (error, index) => this.strayed(error, index),
      lost: (index, reason) => {
        this.tell('workerlost', index, reason);
        const goesOn = !this.isTooMuch(index, reason);
        if (goesOn) this.awaitStart();
        return goesOn;
      },
      replaced: (index) => this.tell('workerreplaced', index),
      fail: (error) => this.fail(error),
      over: () => this.ended(),
    };
  }

  private allReady(): void {
    clearTimeout(this.deadline);
    this.settleReady.resolve();
    if (this.generationReady === this.generation) return;
    this.generationReady = this.generation;
    if (this.generation > 1) this.dispatchEvent(new RebuiltEvent(this.generation));
  }

  private learn(tasks: readonly string[]): void {
    this.target.tasks ??= new Set(tasks);
  }

  /** A worker has an error that nobody caught, and that is no job's. */
  private strayed(error: unknown, index: number): void {
    const { onStrayError } = this.options;
    if (!onStrayError) this.uncaught(error, true, this.nameOf(index));
    else if (error instanceof Error) onStrayError(error);
    else onStrayError(new Error(`uncaught: ${describe(error)}`, { cause: error }));
  }

  /**
   * Nobody takes an error.
   * @param isCrash - nobody has thrown it to somebody, so the page is left alone
   */
  private uncaught(error: unknown, isCrash: boolean, worker?: string): void {
    if (!this.dispatchEvent(new UncaughtErrorEvent(error, worker))) return;
    if (isCrash) console.error(`coworker: uncaught, in context '${this.name}':`, error);
    else this.runtime.report(error);
  }

  private async tooLate(): Promise<void> {
    const missing = this.missing;
    const { name, workers, options } = this;
    const limit = options.startTimeout;
    const error = await explained((why) => why.tooLate(name, missing, workers, limit));
    if (this.missing > 0) this.fail(error); // there is still time while that is loaded
  }

  /** Counts the loss of a worker; fails if that is one too many. */
  private isTooMuch(index: number, reason: string): boolean {
    if (!this.losses.note()) return false;
    const { count, period } = this.options.losses;
    this.fail(
      new ContextLostError(
        `coworker: context '${this.name}' is lost: more than ${count} of its workers were lost ` +
          `within ${period} ms, the last one, '${this.nameOf(index)}', as it ${reason}; ` +
          'see the option `losses`',
      ),
    );
    return true;
  }

  private get missing(): number {
    return (this.crew ?? this.workforce)!.missing;
  }

  private nameOf(index: number): string {
    return this.workers === 1 ? this.name : `${this.name}-${index + 1}`;
  }

  private tell(type: 'workerlost' | 'workerreplaced', index: number, reason?: string): void {
    this.dispatchEvent(new WorkerEvent(type, this.nameOf(index), index, reason));
  }

  /** The last phase of closing. */
  private async kill(): Promise<void> {
    const isOver = this.crew ? this.crew.kill() : await this.workforce!.kill(this.target.context);
    if (this.failure !== undefined) return;
    this.runtime.pumpNow();
    if (isOver) {
      this.ended();
      return;
    }
    const what = 'its workers were terminated, since they had not ended in time';
    this.fail(new ContextLostError(`coworker: context '${this.name}' was closed: ${what}`));
  }

  /** Nothing runs any more. */
  private ended(): void {
    this.isOver = true;
    this.allEnded?.();
  }

  /** The context is beyond repair: everything in it ends now. */
  private fail(error: Error): void {
    if (this.failure !== undefined || this.notOpened || this.isOver) return;
    this.failure = error;
    clearTimeout(this.deadline);
    this.settleReady.reject(error);
    this.target.closed = true;
    if (this.isThere) this.cutOff(error);
    this.closing ??= Promise.resolve().then(() => this.keepProcess(false));
    this.ended();
  }

  private cutOff(error: Error): void {
    const { runtime, target, crew } = this;
    const { module } = runtime;
    this.cancelAll(error);
    module._cw_context_close(target.context);
    crew?.stop(error);
    // Jobs that have not begun can still end in order; the others were cut off.
    if (!crew) module._cwb_context_drain(target.context);
    runtime.pumpNow();
    runtime.abandonJobs(this.targets, error);
    // For those elsewhere that wait for children here.
    void this.workforce?.dismiss(target.context).then(() => runtime.pumpNow());
    this.lastStats = { ...readStats(runtime, target.context), workers: 0, idle: 0 };
  }

  // ---- another generation

  /**
   * A worker has died inside of the core: what is in this context may be in any
   * state, so all its jobs end with that error, and it is built anew.
   */
  private broken(lost: ContextLostError): void {
    if (this.failure !== undefined || this.isOver) return;
    if (this.closing || this.generationReady === 0 || this.losses.note()) {
      this.fail(lost);
      return;
    }
    this.leave(lost);
    this.generationNow++;
    this.notMade = undefined;
    const at = this.open();
    this.enter(at < 0 ? 0 : at);
    if (at >= 0) this.start();
    if (at >= 0 && this.role) this.become(this.role);
    void this.reasonNotToStart(at).then((error) => {
      if (error) this.fail(error);
    });
  }

  private async reasonNotToStart(at: number): Promise<Error | undefined> {
    if (this.notMade) return (await environment().refusal(this.notMade.error)) as Error;
    return at < 0 ? this.endStarted(at) : undefined;
  }

  /** Ends this generation, as far as that can be done, and its jobs in any case. */
  private leave(lost: ContextLostError): void {
    const { runtime, target, targets, views, workforce, workerScopes } = this;
    const { module } = runtime;
    this.cancelAll(lost);
    workerScopes.lose(lost);
    this.lastStats = readStats(runtime, target.context);
    target.closed = true;
    runtime.abandonJobs(targets, lost);
    module._cw_context_close(target.context);
    void workforce!.dismiss(target.context).then((isOver) => {
      runtime.pumpNow();
      if (isOver) this.giveBack(target, views, workerScopes);
    });
  }

  /** Gives back the core's part of a generation that is over. */
  private giveBack(target: Target, views: readonly Target[], scopes: WorkerScopes<M>): void {
    const { module } = this.runtime;
    for (const { context } of views) module._cw_context_release(context);
    scopes.close();
    module._cwb_context_free(target.context);
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
