/**
 * The scope of a function that runs on the main thread.
 *
 * @module
 */
import type { Deferred, Job } from './job.js';
import { launch } from './launch.js';
import type { Target } from './launch.js';
import type { Pointer } from './module.js';
import type { LaunchOptions } from './options.js';
import type { LocalFunction, Runtime } from './runtime.js';
import { BaseScope, splitCall } from './scope.js';

/** A context that jobs of the main thread can have children on. */
export interface ChildContext {
  readonly name: string;
  readonly workers: number;
  /** @internal */
  targetFor(runtime: Runtime): Target;
}

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
  private readonly runtime: Runtime;

  /** @internal */
  constructor(target: Target, at: Pointer, taskName: string, worker: string, runtime: Runtime) {
    super(target, at, taskName, worker);
    this.runtime = runtime;
  }

  launch(run: LocalFunction, ...args: unknown[]): Job;
  launch(options: LaunchOptions, run: LocalFunction, ...args: unknown[]): Job;
  launch(context: ChildContext, task: string, ...args: unknown[]): Job;
  launch(...call: unknown[]): Job {
    return this.begin(false, call);
  }

  async<T = unknown>(run: LocalFunction, ...args: unknown[]): Deferred<T>;
  async<T = unknown>(
    options: LaunchOptions,
    run: LocalFunction,
    ...args: unknown[]
  ): Deferred<T>;
  async<T = unknown>(
    context: ChildContext,
    task: string,
    ...args: unknown[]
  ): Deferred<T>;
  async<T>(...call: unknown[]): Deferred<T> {
    return this.begin<T>(true, call);
  }

  /** Runs a child and gives its result as a plain promise. */
  withContext<T = unknown>(run: LocalFunction, ...args: unknown[]): Promise<T>;
  withContext<T = unknown>(
    options: LaunchOptions,
    run: LocalFunction,
    ...args: unknown[]
  ): Promise<T>;
  withContext<T = unknown>(context: ChildContext, task: string, ...args: unknown[]): Promise<T>;
  withContext<T>(...call: unknown[]): Promise<T> {
    return this.begin<T>(true, call).toPromise();
  }

  private begin<T>(isAsync: boolean, call: unknown[]): Deferred<T> {
    const parent = this.check();
    if (typeof (call[0] as ChildContext | null)?.targetFor === 'function') {
      const target = (call[0] as ChildContext).targetFor(this.runtime);
      const [options, task, args] = splitCall(call.slice(1));
      return launch<T>(target, parent, isAsync, options, task as string, args);
    }
    const [options, run, args] = splitCall(call);
    if (typeof run !== 'function') {
      throw new TypeError(
        'coworker: a task of a worker context needs its context: scope.launch(context, name, ...)',
      );
    }
    return this.runtime.launchLocal<T>(parent, isAsync, options, run as LocalFunction, args);
  }
}
