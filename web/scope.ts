/**
 * What a running task is handed as its first parameter.
 *
 * @module
 */
import { CancellationError, CoworkerError, expected } from './errors.js';
import type { Deferred, Job } from './job.js';
import { launch, splitCall } from './launch.js';
import type { Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { LaunchOptions } from './options.js';

/** What the scopes of workers' tasks and of local functions have in common. */
export abstract class BaseScope {
  /** The name of the worker that runs the task. */
  readonly workerName: string;
  /** The name of the task. */
  readonly taskName: string;
  /** @internal */
  protected readonly target: Target;
  /** @internal */
  protected at: Pointer;
  private controller: AbortController | undefined;

  /** @internal */
  constructor(target: Target, at: Pointer, taskName: string, workerName: string) {
    this.target = target;
    this.at = at;
    this.taskName = taskName;
    this.workerName = workerName;
  }

  /** True until the job is cancelled. */
  get isActive(): boolean {
    return this.at !== 0 && this.target.realm.module._cwb_job_state(this.at) === 0;
  }

  /** True once the job is cancelled: a long loop asks it now and then. */
  get isStopped(): boolean {
    return !this.isActive;
  }

  /** Throws a {@link CancellationError} if the job is cancelled. */
  ensureActive(): void {
    if (!this.isActive) throw this.cancellation();
  }

  /** Is aborted when the job is cancelled; for `fetch` and the like. */
  get signal(): AbortSignal {
    if (!this.controller) {
      const controller = new AbortController();
      this.controller = controller;
      const { realm } = this.target;
      if (this.at === 0) {
        controller.abort(this.cancellation());
      } else {
        const token = realm.takeToken({
          // The task's end fires it, too; then nobody cares any more.
          opFired: () => {
            if (this.at !== 0) controller.abort(this.cancellation());
          },
        });
        if (realm.module._cwb_op_cancelled(this.at, token) < 0) realm.dropToken(token);
      }
    }
    return this.controller.signal;
  }

  /**
   * Waits without holding the worker. Returns at once for `ms` <= 0.
   * @throws CancellationError (rejects) if the job is cancelled meanwhile
   */
  delay(ms: number): Promise<void> {
    if (typeof ms !== 'number' || Number.isNaN(ms)) {
      throw new TypeError(expected('ms', 'a number of milliseconds', ms));
    }
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (this.at === 0) {
        reject(this.cancellation());
        return;
      }
      const { realm } = this.target;
      const token = realm.takeToken({
        opFired: (how) => {
          if (how === layout.FIRED && this.at !== 0 && this.isActive) resolve();
          else reject(this.cancellation());
        },
      });
      const status = realm.module._cwb_op_delay(this.at, ms, token);
      if (status < 0) {
        realm.dropToken(token);
        reject(new CoworkerError('coworker: no shared memory left', { code: 'CW_ENOMEM' }));
      }
    });
  }

  /**
   * Lets other work of this worker go first, its event loop included.
   * @throws CancellationError (rejects) if the job is cancelled
   */
  async yield(): Promise<void> {
    await new Promise<void>((resolve) => this.target.realm.yieldTurn(resolve));
    this.ensureActive();
  }

  /** @internal The address of the job; throws if it has ended. */
  protected check(): Pointer {
    if (this.at !== 0) return this.at;
    throw new CoworkerError(
      `coworker: the scope of '${this.taskName}' was used after the task had ended`,
    );
  }

  private cancellation(): unknown {
    if (this.at === 0) return new CancellationError(`the task '${this.taskName}' has ended`);
    const { realm } = this.target;
    const error = realm.module._cwb_cancellation(this.at);
    const result = realm.readError(error);
    realm.module._cw_error_release(error);
    return result;
  }

  /** @internal True if this is how the job's own cancellation shows. */
  isOwnCancellation(error: unknown): boolean {
    if (error instanceof CancellationError) return true;
    return (error as { name?: unknown } | null)?.name === 'AbortError' && this.isStopped;
  }

  /** @internal The task is over. */
  end(): void {
    this.at = 0;
  }
}

/**
 * The scope of one running task: its connection to the job that it is.
 *
 * What a task launches here are its children: the task's job ends after all of
 * them, the first failure cancels the others, and cancelling the job cancels
 * them. It is valid until the task returns.
 *
 * @example
 * export async function crawl(scope, urls) {
 *   const pages = urls.map((url) => scope.async('fetchPage', url));
 *   return Promise.all(pages);
 * }
 */
export class Scope extends BaseScope {
  /** Launches a task of the same context as a child, for its effects. */
  launch(task: string, ...args: unknown[]): Job;
  launch(options: LaunchOptions, task: string, ...args: unknown[]): Job;
  launch(...call: unknown[]): Job {
    return this.begin(false, call);
  }

  /** Launches a task of the same context as a child, for its result. */
  async<T = unknown>(task: string, ...args: unknown[]): Deferred<T>;
  async<T = unknown>(options: LaunchOptions, task: string, ...args: unknown[]): Deferred<T>;
  async<T>(...call: unknown[]): Deferred<T> {
    return this.begin<T>(true, call);
  }

  /** Runs a task of the same context as a child and gives its result as a plain promise. */
  withContext<T = unknown>(task: string, ...args: unknown[]): Promise<T>;
  withContext<T = unknown>(options: LaunchOptions, task: string, ...args: unknown[]): Promise<T>;
  withContext<T>(...call: unknown[]): Promise<T> {
    return this.begin<T>(true, call).toPromise();
  }

  private begin<T>(isAsync: boolean, call: unknown[]): Deferred<T> {
    const [options, task, args] = splitCall(call);
    return launch<T>(this.target, this.check(), isAsync, options, task as string, args);
  }
}
