/**
 * The main thread as a context: local functions as jobs.
 *
 * @module
 */
import { currentTarget } from './current.js';
import type { Dispatcher } from './dispatcher.js';
import { mainImmediate } from './dispatchers.js';
import { describe } from './errors.js';
import type { Deferred, Job } from './job.js';
import { splitCall } from './launch.js';
import * as layout from './layout.gen.js';
import type { LocalFunction } from './local-jobs.js';
import { launchOnMain } from './main-scope.js';
import type { Local } from './main-scope.js';
import { checkContext } from './options.js';
import type { LaunchOptions } from './options.js';
import { bestRuntime, firstRuntime } from './runtime.js';

/**
 * Runs functions on the main thread's event loop, as jobs with a scope: they
 * can be cancelled, and what they launch ends with them.
 */
export class MainContext {
  readonly name = 'main';
  /** Runs functions at once if this is the main thread already, and else as Main does. */
  readonly immediate: Dispatcher = mainImmediate;
  private loading: Promise<void> | undefined;

  /**
   * Fulfilled when jobs can be launched. Opening a worker context does the
   * same, so this is only for programs that use Main alone.
   */
  get ready(): Promise<void> {
    this.loading ??= firstRuntime()
      ? Promise.resolve()
      : bestRuntime(checkContext(1, 'main', {})).then(() => {});
    return this.loading;
  }

  /** Launches a function for its effects; a failure is reported as uncaught. */
  launch<A extends unknown[]>(run: Local<A, unknown>, ...args: A): Job;
  launch<A extends unknown[]>(options: LaunchOptions, run: Local<A, unknown>, ...args: A): Job;
  launch(...call: unknown[]): Job {
    return this.begin(false, call);
  }

  /** Launches a function for its result. */
  async<A extends unknown[], R>(run: Local<A, R>, ...args: A): Deferred<Awaited<R>>;
  async<A extends unknown[], R>(
    options: LaunchOptions,
    run: Local<A, R>,
    ...args: A
  ): Deferred<Awaited<R>>;
  async<T>(...call: unknown[]): Deferred<T> {
    return this.begin<T>(true, call);
  }

  /** Runs a function and gives its result as a plain promise. */
  withContext<A extends unknown[], R>(run: Local<A, R>, ...args: A): Promise<Awaited<R>>;
  withContext<A extends unknown[], R>(
    options: LaunchOptions,
    run: Local<A, R>,
    ...args: A
  ): Promise<Awaited<R>>;
  withContext<T>(...call: unknown[]): Promise<T> {
    return this.begin<T>(true, call).toPromise();
  }

  private begin<T>(isAsync: boolean, call: unknown[]): Deferred<T> {
    currentTarget(); // or an error that says what to do
    const runtime = firstRuntime()!;
    const [options, run, args] = splitCall(call);
    if (typeof run !== 'function') {
      throw new TypeError(`coworker: Main runs functions, got ${describe(run)}`);
    }
    const how = isAsync ? layout.LAUNCH_ASYNC : 0;
    return launchOnMain<T>(runtime, 0, how, options, run as LocalFunction, args);
  }
}

/** The main thread. */
export const Main = new MainContext();
