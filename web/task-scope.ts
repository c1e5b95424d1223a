/**
 * The scope of a task on a worker.
 *
 * @module
 */
import type { Elements } from './elements.js';
import type { Deferred, Job } from './job.js';
import { launch, splitCall } from './launch.js';
import * as layout from './layout.gen.js';
import { LocalJobs } from './local-jobs.js';
import type { LocalFunction } from './local-jobs.js';
import type { Pointer } from './module.js';
import type { LaunchOptions } from './options.js';
import { BaseScope } from './scope.js';

/** A function that runs on the worker that launches it. */
export type WorkerLocal<A extends unknown[], R> = (scope: Scope, ...args: A) => R;

/**
 * The scope of one running task: its connection to the job that it is.
 *
 * What a task launches here are its children: the task's job ends after all of
 * them, the first failure cancels the others, and cancelling the job cancels
 * them. Children are tasks of the same context, by name, which run on any of its
 * workers, or functions, which run on this one. A scope is valid until the task
 * returns.
 *
 * @example
 * export async function crawl(scope, urls) {
 *   const pages = urls.map((url) => scope.async('fetchPage', url));
 *   return scope.awaitAll(pages);
 * }
 */
export class Scope extends BaseScope {
  /** Launches a child for its effects. */
  launch(task: string, ...args: unknown[]): Job;
  launch(options: LaunchOptions, task: string, ...args: unknown[]): Job;
  launch<A extends unknown[]>(run: WorkerLocal<A, unknown>, ...args: A): Job;
  launch<A extends unknown[]>(
    options: LaunchOptions,
    run: WorkerLocal<A, unknown>,
    ...args: A
  ): Job;
  launch(...call: unknown[]): Job {
    return this.begin(0, call);
  }

  /** Launches a child for its result. */
  async<T = unknown>(task: string, ...args: unknown[]): Deferred<T>;
  async<T = unknown>(options: LaunchOptions, task: string, ...args: unknown[]): Deferred<T>;
  async<A extends unknown[], R>(run: WorkerLocal<A, R>, ...args: A): Deferred<Awaited<R>>;
  async<A extends unknown[], R>(
    options: LaunchOptions,
    run: WorkerLocal<A, R>,
    ...args: A
  ): Deferred<Awaited<R>>;
  async<T>(...call: unknown[]): Deferred<T> {
    return this.begin<T>(layout.LAUNCH_ASYNC, call);
  }

  /**
   * Runs a task of the same context, on any of its workers, or a block here with
   * other elements, and gives its result.
   * @throws CancellationError (rejects) if the job is cancelled
   */
  withContext<T = unknown>(task: string, ...args: unknown[]): Promise<T>;
  withContext<T = unknown>(options: LaunchOptions, task: string, ...args: unknown[]): Promise<T>;
  withContext<A extends unknown[], R>(
    block: (scope: this, ...args: A) => R,
    ...args: A
  ): Promise<Awaited<R>>;
  withContext<A extends unknown[], R>(
    elements: Elements,
    block: (scope: this, ...args: A) => R,
    ...args: A
  ): Promise<Awaited<R>>;
  withContext<T>(...call: unknown[]): Promise<T> {
    return this.runWith<T>(call, (how) => this.begin<T>(how, call));
  }

  /** @internal */
  override inside(at: Pointer): this {
    return new Scope(this.target, at, this.taskName, this.workerName) as this;
  }

  private begin<T>(how: number, call: unknown[]): Deferred<T> {
    const { target } = this;
    const parent = this.check();
    const [options, task, args] = splitCall(call);
    if (typeof task === 'function') {
      const { realm } = target;
      realm.locals ??= new LocalJobs(realm.own);
      const makeScope = (at: Pointer, name: string) => new Scope(target, at, name, this.workerName);
      return realm.locals.launch<T>(
        parent,
        how,
        options ?? {},
        task as LocalFunction,
        args,
        makeScope,
      );
    }
    return launch<T>(target, parent, how, options, task as string, args);
  }
}
