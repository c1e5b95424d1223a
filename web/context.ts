/**
 * A fixed set of workers that run tasks.
 *
 * @module
 */
import { ContextEnd } from './context-end.js';
import { expected } from './errors.js';
import type { Deferred, Job } from './job.js';
import { launch, splitCall } from './launch.js';
import type { Away, Target } from './launch.js';
import type { LaunchOptions } from './options.js';
import type { Runtime } from './runtime.js';
import { readStats } from './stats.js';
import type { ContextStats } from './stats.js';
import type { WorkerTrace } from './trace.js';
import type { AnyTasks, TaskArgs, TaskName, TaskResult, TypedArrayClass } from './types.js';
import { ContextView, openView } from './view.js';
import { noWorkerScopes } from './worker-scope.js';
import type { WorkerScope } from './worker-scope.js';
import * as layout from './layout.gen.js';

/**
 * Runs tasks on a fixed number of workers. Made by {@link newFixedWorkerContext}.
 *
 * @typeParam M - the task module's type, `typeof import('./tasks.js')`: then a
 * wrong task name or argument is a compile error
 */
export class FixedWorkerContext<M extends object = AnyTasks> extends ContextEnd<M> {
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

  /** @internal The main realm of its module. */
  get base(): Runtime {
    return this.runtime;
  }

  /** @internal Where its jobs are launched to. */
  get opened(): Target {
    return this.target;
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

  /** Counters since the start, or since the context was rebuilt. */
  stats(): ContextStats {
    if (this.isOver || !this.isThere) return this.lastStats!;
    const stats = readStats(this.runtime, this.target.context);
    return this.crew ? { ...stats, ...this.crew.count() } : stats;
  }

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
}
