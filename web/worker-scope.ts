/**
 * Tasks that are bound to one worker.
 *
 * @module
 */
import { TierError, expected, noMemory } from './errors.js';
import { Job } from './job.js';
import type { Deferred } from './job.js';
import { Target, launch, splitCall } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { LaunchOptions } from './options.js';
import type { Tier } from './tier.js';
import type { AnyTasks, TaskArgs, TaskName, TaskResult } from './types.js';

/**
 * The scope of one worker of a context. What is launched here, by a name as in
 * {@link FixedWorkerContext.launch}, runs on that worker only, and so does what
 * it launches itself; so all of it shares what the worker keeps in variables of
 * its module. When the worker is lost, all of it ends with a
 * {@link WorkerLostError}. Made by {@link FixedWorkerContext.workerScope}.
 *
 * @example
 * const scope = context.workerScope(0);
 * await scope.withContext('openDatabase', 'pages');
 * const page = await scope.async('readPage', 17); // by the same connection
 */
export class WorkerScope<M extends object = AnyTasks> {
  /** The worker's name. */
  readonly worker: string;
  /** Its index in the context, from 0. */
  readonly index: number;
  /**
   * The job above all that is launched here. It is cancelled when the worker is
   * lost, so it tells of that: `scope.job.join()`.
   */
  readonly job: Job;
  private readonly target: Target;
  private readonly open: () => void;

  /** @internal */
  constructor(target: Target, index: number, job: Job, open: () => void) {
    this.target = target;
    this.worker = target.name;
    this.index = index;
    this.job = job;
    this.open = open;
  }

  /**
   * Launches a task for its effects.
   *
   * @param task - as {@link FixedWorkerContext.launch}, and the same errors
   */
  launch<K extends TaskName<M>>(task: K, ...args: TaskArgs<M[K]>): Job;
  launch<K extends TaskName<M>>(
    options: WorkerLaunchOptions,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Job;
  launch(...call: unknown[]): Job {
    return this.begin(0, call);
  }

  /** Launches a task for its result. */
  async<K extends TaskName<M>>(task: K, ...args: TaskArgs<M[K]>): Deferred<TaskResult<M[K]>>;
  async<K extends TaskName<M>>(
    options: WorkerLaunchOptions,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Deferred<TaskResult<M[K]>>;
  async<T>(...call: unknown[]): Deferred<T> {
    return this.begin<T>(layout.LAUNCH_ASYNC, call);
  }

  /** Runs a task there and gives its result as a plain promise. */
  withContext<K extends TaskName<M>>(task: K, ...args: TaskArgs<M[K]>): Promise<TaskResult<M[K]>>;
  withContext<K extends TaskName<M>>(
    options: WorkerLaunchOptions,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Promise<TaskResult<M[K]>>;
  withContext<T>(...call: unknown[]): Promise<T> {
    return this.begin<T>(layout.LAUNCH_ASYNC, call).toPromise();
  }

  /** True until the worker is lost, or the scope cancelled. */
  get isActive(): boolean {
    return this.job.isActive;
  }

  /**
   * Cancels all that was launched here; the worker goes on. What is launched
   * later does not begin; `context.workerScope()` gives another scope.
   */
  cancel(cause?: unknown): void {
    this.job.cancel(cause);
  }

  private begin<T>(how: number, call: unknown[]): Deferred<T> {
    const [options, task, args] = splitCall(call);
    this.open();
    const given = { ...options, job: this.job };
    return launch<T>(this.target, 0, how, given, task as string, args);
  }
}

/** How a task is launched that has a parent already: the scope's job. */
export type WorkerLaunchOptions = Omit<LaunchOptions, 'job'>;

/** The scopes of a context's workers, as they are asked for. */
export class WorkerScopes<M extends object> {
  /** Where their jobs are launched to. */
  readonly targets: Target[] = [];
  private readonly base: Target;
  private readonly workers: number;
  private readonly nameOf: (index: number) => string;
  private readonly checkOpen: () => void;
  private readonly latest: (WorkerScope<M> | undefined)[] = [];
  /** The core's, which keep the places that the jobs are launched to. */
  private readonly held: Pointer[] = [];
  private lost: Error | undefined;

  /** @param checkOpen - throws if the context takes no more work */
  constructor(
    base: Target,
    workers: number,
    nameOf: (index: number) => string,
    checkOpen: () => void,
  ) {
    this.base = base;
    this.workers = workers;
    this.nameOf = nameOf;
    this.checkOpen = checkOpen;
  }

  /** The scope of the worker's present thread. */
  at(index: number): WorkerScope<M> {
    const { base, workers } = this;
    const range = `an integer from 0 to ${workers - 1}`;
    if (typeof index !== 'number') throw new TypeError(expected('index', range, index));
    if (!Number.isInteger(index) || index < 0 || index >= workers) {
      throw new RangeError(expected('index', range, index));
    }
    const { module } = base.realm;
    const elements = module._cwb_worker_scope(base.context, index);
    if (elements === 0) throw noMemory();
    const at = module._cw_elements_job(elements);
    const known = this.latest[index];
    if (known?.isActive && known.job.address === at) {
      module._cw_elements_release(elements);
      return known;
    }
    this.held.push(elements);
    const place = module._cw_elements_context(elements);
    const target = new Target(base.realm, place, this.nameOf(index));
    this.targets.push(target);
    const open = () => {
      if (this.lost) throw this.lost;
      this.checkOpen();
      target.tasks ??= base.tasks;
    };
    const made = new WorkerScope<M>(target, index, Job.watching(base, at), open);
    return (this.latest[index] = made);
  }

  /** All that is in them is lost, and nothing can be launched there any more. */
  lose(why: Error): void {
    this.lost = why;
    for (const scope of this.latest) scope?.cancel(why);
  }

  /** The context is closed and over. */
  close(): void {
    const { module } = this.base.realm;
    for (const elements of this.held) module._cw_elements_release(elements);
  }
}

/** The error where workers have no core in common. */
export function noWorkerScopes(name: string, tier: Tier): TierError {
  return new TierError(
    `coworker: context '${name}' runs in tier '${tier}', where tasks cannot be bound to a worker; ` +
      "use tier 'shared', or a context with one worker",
    { tier },
  );
}
