/**
 * The scope of a function that runs on the main thread.
 *
 * @module
 */
import type { FixedWorkerContext } from './context.js';
import type { ContextView } from './view.js';
import { CoworkerError } from './errors.js';
import type { Elements } from './elements.js';
import type { Deferred, Job } from './job.js';
import { launch, splitCall } from './launch.js';
import * as layout from './layout.gen.js';
import { LocalJobs } from './local-jobs.js';
import type { LocalFunction } from './local-jobs.js';
import type { Pointer } from './module.js';
import type { LaunchOptions } from './options.js';
import { firstRuntime } from './runtime.js';
import type { Runtime } from './runtime.js';
import { BaseScope } from './scope.js';
import type { TaskArgs, TaskName, TaskResult } from './types.js';

/** A function that runs on the main thread, by what it takes and gives. */
export type Local<A extends unknown[], R> = (scope: MainScope, ...args: A) => R;

/**
 * As {@link Scope}; but children are functions, which run here, or tasks of a
 * context, which run on its workers.
 *
 * @example
 * await Main.launch(async (scope) => {
 *   const sum = await scope.async(context, 'add', 1, 2);
 * }).join();
 */
export class MainScope extends BaseScope {
  /** Launches a child for its effects. */
  launch<A extends unknown[]>(run: Local<A, unknown>, ...args: A): Job;
  launch<A extends unknown[]>(options: LaunchOptions, run: Local<A, unknown>, ...args: A): Job;
  launch<M extends object, K extends TaskName<M>>(
    context: FixedWorkerContext<M> | ContextView<M>,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Job;
  launch<M extends object, K extends TaskName<M>>(
    context: FixedWorkerContext<M> | ContextView<M>,
    options: LaunchOptions,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Job;
  launch(...call: unknown[]): Job {
    return this.begin(0, call);
  }

  /** Launches a child for its result. */
  async<A extends unknown[], R>(run: Local<A, R>, ...args: A): Deferred<Awaited<R>>;
  async<A extends unknown[], R>(
    options: LaunchOptions,
    run: Local<A, R>,
    ...args: A
  ): Deferred<Awaited<R>>;
  async<M extends object, K extends TaskName<M>>(
    context: FixedWorkerContext<M> | ContextView<M>,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Deferred<TaskResult<M[K]>>;
  async<M extends object, K extends TaskName<M>>(
    context: FixedWorkerContext<M> | ContextView<M>,
    options: LaunchOptions,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Deferred<TaskResult<M[K]>>;
  async<T>(...call: unknown[]): Deferred<T> {
    return this.begin<T>(layout.LAUNCH_ASYNC, call);
  }

  /**
   * Runs a task on the workers of a context, or a block here with other
   * elements, and gives its result.
   * @throws CancellationError (rejects) if the job is cancelled; else what it
   * failed with
   */
  withContext<A extends unknown[], R>(
    block: (scope: this, ...args: A) => R,
    ...args: A
  ): Promise<Awaited<R>>;
  withContext<A extends unknown[], R>(
    elements: Elements,
    block: (scope: this, ...args: A) => R,
    ...args: A
  ): Promise<Awaited<R>>;
  withContext<M extends object, K extends TaskName<M>>(
    context: FixedWorkerContext<M> | ContextView<M>,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Promise<TaskResult<M[K]>>;
  withContext<M extends object, K extends TaskName<M>>(
    context: FixedWorkerContext<M> | ContextView<M>,
    options: LaunchOptions,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Promise<TaskResult<M[K]>>;
  withContext<T>(...call: unknown[]): Promise<T> {
    return this.runWith<T>(call, (how) => this.begin<T>(how, call));
  }

  /** @internal */
  override inside(at: Pointer): this {
    return new MainScope(this.target, at, this.taskName, this.workerName) as this;
  }

  private begin<T>(how: number, call: unknown[]): Deferred<T> {
    const parent = this.check();
    const runtime = firstRuntime()!;
    if (typeof (call[0] as FixedWorkerContext | null)?.targetFor === 'function') {
      const context = call[0] as FixedWorkerContext;
      const target = context.targetFor(runtime);
      if (!target) {
        throw new CoworkerError(
          `coworker: context '${context.name}' runs another WebAssembly module than Main, and ` +
            'jobs of two modules cannot be in one tree',
          { code: 'CW_EINVAL' },
        );
      }
      const [options, task, args] = splitCall(call.slice(1));
      return launch<T>(target, parent, how, options, task as string, args);
    }
    const [options, run, args] = splitCall(call);
    if (typeof run !== 'function') {
      throw new TypeError(
        'coworker: a task of a worker context needs its context: scope.launch(context, name, ...)',
      );
    }
    return launchOnMain<T>(runtime, parent, how, options, run as LocalFunction, args);
  }
}

/** The functions of a runtime's thread. */
export function localJobsOf(runtime: Runtime): LocalJobs {
  return (runtime.locals ??= new LocalJobs(runtime.main));
}

/** Launches a function on a runtime's thread: a Deferred if it is async. */
export function launchOnMain<T>(
  runtime: Runtime,
  parent: Pointer,
  how: number,
  options: LaunchOptions | undefined,
  run: LocalFunction,
  args: readonly unknown[],
): Deferred<T> {
  const makeScope = (at: Pointer, name: string) => new MainScope(runtime.main, at, name, 'main');
  return localJobsOf(runtime).launch<T>(parent, how, options ?? {}, run, args, makeScope);
}
