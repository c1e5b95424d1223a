/**
 * What a running task is handed as its first parameter.
 *
 * @module
 */
import { writeElement } from './channel-element.js';
import { Dispatcher } from './dispatcher.js';
import { ContextKey, readValue } from './elements.js';
import type { Elements } from './elements.js';
import {
  CancellationError,
  CoworkerError,
  IllegalStateError,
  TimeoutCancellationError,
  checkFunction,
  checkMs,
  expected,
  noMemory,
} from './errors.js';
import { Job } from './job.js';
import type { Deferred } from './job.js';
import { splitCall } from './launch.js';
import type { Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { runChanged, runInside, runLimited } from './scope-block.js';
import type { Block } from './scope-block.js';
import { awaitEnd, awaitEnds, checkDeferred, checkJob, listOf, suspendWith } from './suspend.js';
import type { SuspendBlock } from './suspend.js';

/** What the scopes of workers' tasks and of local functions have in common. */
export abstract class BaseScope {
  /** The name of the worker that runs the task. */
  readonly workerName: string;
  /** The name of the task. */
  readonly taskName: string;
  /** @internal */
  readonly target: Target;
  /** @internal */
  at: Pointer;
  private controller: AbortController | undefined;
  private ownJob: Job | undefined;
  /** @internal The scope that this one was opened in. */
  outer: BaseScope | undefined;
  /** @internal How many things it waits for. */
  waits = 0;

  /** @internal */
  constructor(target: Target, at: Pointer, taskName: string, workerName: string) {
    this.target = target;
    this.at = at;
    this.taskName = taskName;
    this.workerName = workerName;
  }

  /** @internal A scope inside of this one. */
  abstract inside(at: Pointer): this;

  // ---- looking

  /** True until the job is cancelled. */
  get isActive(): boolean {
    return this.at !== 0 && this.target.realm.module._cwb_job_state(this.at) === layout.JOB_ACTIVE;
  }

  /** True once the job is cancelled: a long loop asks it now and then. */
  get isStopped(): boolean {
    return !this.isActive;
  }

  /** Throws a {@link CancellationError} if the job is cancelled. */
  ensureActive(): void {
    if (!this.isActive) throw this.cancellation();
  }

  /** The job whose scope this is. */
  get job(): Job {
    return (this.ownJob ??= Job.watching(this.target, this.check()));
  }

  /** The value of a key in the job's context, or undefined. */
  get<T>(key: ContextKey<T>): T | undefined {
    if (!(key instanceof ContextKey)) throw new TypeError(expected('key', 'a ContextKey', key));
    return readValue(this.target.realm, this.check(), key) as T | undefined;
  }

  /** Cancels the job whose scope this is, with everything in it. */
  cancel(cause?: unknown): void {
    this.job.cancel(cause);
  }

  /** Is aborted when the job is cancelled; for `fetch` and the like. */
  get signal(): AbortSignal {
    if (!this.controller) {
      const controller = new AbortController();
      this.controller = controller;
      let late = true;
      const abort = (error: unknown) => {
        // Whoever has just got the signal may not listen yet.
        if (error === undefined) return;
        if (late) queueMicrotask(() => controller.abort(error));
        else controller.abort(error);
      };
      if (this.at === 0) controller.abort(this.cancellation());
      else this.job.invokeOnCompletion(abort, { onCancelling: true });
      late = false;
    }
    return this.controller.signal;
  }

  // ---- telling

  /**
   * Tells those who listen to the task how far it is: a copy of `value`, as of an
   * argument. Never waits; without listeners it does nothing.
   * @throws TypeError if somebody listens and the value cannot be sent
   *
   * @example
   * for (let done = 0; done < total; done++) {
   *   work(done);
   *   scope.progress(done / total);
   * }
   */
  progress(value: unknown): void {
    const at = this.body();
    const { realm } = this.target;
    const { module } = realm;
    realm.tellAway?.(at, value);
    let to = module._cwb_progress_next(at, 0);
    if (to === 0) return;
    try {
      for (; to !== 0; to = module._cwb_progress_next(at, to)) {
        if (module._cwb_progress_send(to, writeElement(realm, value)) < 0) throw noMemory();
      }
    } finally {
      if (to !== 0) module._cw_channel_release(to);
    }
    realm.schedulePump();
  }

  /** The job whose body this scope is a part of. */
  private body(): Pointer {
    const at = this.check();
    return this.outer ? this.outer.body() : at;
  }

  // ---- waiting

  /**
   * Waits without holding the worker. Returns at once for `ms` <= 0; fractions
   * are rounded up.
   * @throws CancellationError (rejects) if the job is cancelled meanwhile
   */
  delay(ms: number): Promise<void> {
    checkMs('ms', ms);
    if (ms <= 0) return Promise.resolve();
    const { module } = this.target.realm;
    return this.suspend((at, token) => module._cwb_delay(at, token, Math.ceil(ms)));
  }

  /**
   * Lets everything else that is ready on this thread go first, its event loop
   * included.
   * @throws CancellationError (rejects) if the job is cancelled
   */
  yield(): Promise<void> {
    const { module } = this.target.realm;
    return this.suspend((at, token) => module._cwb_yield(at, token));
  }

  /** Waits for the job to be cancelled; always rejects, with the cancellation. */
  awaitCancellation(): Promise<never> {
    return this.delay(Infinity) as Promise<never>;
  }

  /**
   * Waits for a job's end, however it ends.
   * @throws CancellationError (rejects) if this scope's own job is cancelled
   */
  join(job: Job): Promise<void> {
    checkJob('job', job);
    return awaitEnd(this, job, layout.AWAIT_JOIN);
  }

  /** Waits for several jobs, one after the other. */
  joinAll(jobs: Iterable<Job>): Promise<void> {
    const all = listOf(jobs);
    for (const job of all) checkJob('jobs', job);
    const { module } = this.target.realm;
    return awaitEnds(this, all, (at, token) => module._cwb_join_all(at, token, all.length));
  }

  /** Cancels a job and waits for its end. */
  cancelAndJoin(job: Job, cause?: unknown): Promise<void> {
    checkJob('job', job);
    const { realm } = this.target;
    const retained = job.retain(realm); // or an error, and it is not cancelled
    job.cancel(cause);
    realm.module._cwb_job_drop(retained);
    return awaitEnd(this, job, layout.AWAIT_JOIN);
  }

  /**
   * Waits for a result. Other than a plain `await`, it ends when this scope's
   * own job is cancelled.
   * @throws what the job failed with, or CancellationError (both reject)
   */
  await<T>(job: Deferred<T>): Promise<T> {
    checkDeferred('job', job);
    return awaitEnd(this, job, layout.AWAIT_RESULT, () => job.result());
  }

  /**
   * Waits for several results; fails as soon as one of them does, and leaves the
   * others alone. Starts all lazy ones first.
   */
  awaitAll<T>(jobs: Iterable<Deferred<T>>): Promise<T[]> {
    const all = listOf(jobs);
    for (const job of all) checkDeferred('jobs', job);
    const { module } = this.target.realm;
    return awaitEnds(
      this,
      all,
      (at, token) => module._cwb_await_all(at, token, all.length),
      () => Promise.all(all.map((job) => job.result())),
    );
  }

  /**
   * Turns something that calls back into something to wait for.
   *
   * `block` is called at once, with a function to resume with a value, one to
   * resume with an error, and one to register who is to be called if the job is
   * cancelled first (once). A value that was handed over but could not be
   * delivered any more, since the job was cancelled meanwhile, goes to the
   * second argument of `resume`.
   *
   * @throws IllegalStateError (from `resume`, `reject` and `onCancel`) the second
   * time; CancellationError (rejects) if the job is cancelled
   *
   * @example
   * const answer = await scope.suspendCancellable((resume, reject, onCancel) => {
   *   const request = open(url, { success: resume, failure: reject });
   *   onCancel(() => request.abort());
   * });
   */
  suspendCancellable<T>(block: SuspendBlock<T>): Promise<T> {
    checkFunction('block', block);
    return suspendWith(this, block);
  }

  /**
   * @internal One of the core's waits.
   * @param begin - begins it: the scope's address and a token, CW_OK or an error
   * @param read - reads its result
   */
  suspend<T = void>(
    begin: (at: Pointer, token: number) => number,
    read?: (data: Pointer, length: number) => T | PromiseLike<T>,
    suspended?: (continuation: Pointer) => void,
    undelivered?: () => void,
  ): Promise<T> {
    const { realm } = this.target;
    const promise = new Promise<T>((resolve, reject) => {
      if (this.at === 0) {
        reject(this.cancellation());
        return;
      }
      this.waits++;
      let waiting = true;
      const token = realm.takeToken({
        settled: (error, data, length) => {
          waiting = false;
          this.waits--;
          if (error === 0) {
            try {
              resolve((read ? read(data, length) : undefined) as T);
            } catch (thrown) {
              reject(thrown); // nothing must be thrown through the core
            }
          } else {
            // What a body has left behind ends with it, and nobody may look.
            if (this.at === 0) promise.catch(() => {});
            reject(realm.errors.read(error));
          }
        },
        suspended,
        handled: undelivered,
      });
      if (begin(this.at, token) < 0) {
        realm.dropToken(token);
        this.waits--;
        reject(noMemory());
      }
      if (waiting) realm.arrived();
      else realm.goesOn();
    });
    return promise;
  }

  // ---- scopes inside

  /**
   * Runs `block` in a scope of its own, and waits for all that is launched in
   * it. The first failure cancels the rest and is thrown here.
   */
  coroutineScope<R>(block: Block<this, R>): Promise<R> {
    return runInside(this, layout.SCOPE, block);
  }

  /** The same, but what is launched in it fails alone. */
  supervisorScope<R>(block: Block<this, R>): Promise<R> {
    return runInside(this, layout.SCOPE_SUPERVISOR, block);
  }

  /**
   * Runs `block`, which is cancelled after `ms` milliseconds.
   * @throws TimeoutCancellationError (rejects) if the time ran out
   */
  withTimeout<R>(ms: number, block: Block<this, R>): Promise<R> {
    return runLimited(this, ms, block, () => {
      throw new TimeoutCancellationError(`the job was cancelled: its timeout of ${ms} ms ran out`);
    });
  }

  /** The same, but gives null if its own time ran out. */
  withTimeoutOrNull<R>(ms: number, block: Block<this, R>): Promise<R | null> {
    return runLimited(this, ms, block, () => null);
  }

  /** Runs `block` such that cancelling the job does not reach it: for clean-up. */
  nonCancellable<R>(block: Block<this, R>): Promise<R> {
    return runInside(this, layout.SCOPE_NON_CANCELLABLE, block, { apart: true });
  }

  /**
   * @internal Runs `(block, ...args)` or `(elements, block, ...args)` in place if
   * it is a block that runs where this one does; else launches it by `begin`.
   */
  protected runWith<T>(call: unknown[], begin: (how: number) => Deferred<T>): Promise<T> {
    const [elements, block, args] = splitCall(call);
    if (typeof block === 'function' && !this.moves(elements)) {
      const run = block as (scope: this, ...args: unknown[]) => T;
      return runChanged(this, elements ?? {}, (scope) => run(scope, ...args));
    }
    const job = begin(layout.LAUNCH_ASYNC | layout.LAUNCH_LONELY);
    return awaitEnd(this, job, layout.AWAIT_END, () => job.result());
  }

  /** True if a block with these elements does not run where this one does. */
  private moves(elements: Elements | undefined): boolean {
    if (!(elements?.context instanceof Dispatcher)) return false;
    const { module } = this.target.realm;
    return module._cwb_runs_on(this.check(), elements.context.address) === 0;
  }

  // ---- the end

  /** @internal The address of the job; throws if it has ended. */
  check(): Pointer {
    if (this.at !== 0) return this.at;
    throw new IllegalStateError(
      `coworker: the scope of '${this.taskName}' was used after the task had ended`,
    );
  }

  private cancellation(): unknown {
    if (this.at === 0) return new CancellationError(`the task '${this.taskName}' has ended`);
    const { realm } = this.target;
    const error = realm.module._cw_job_cancellation(this.at);
    return error === 0 ? new CancellationError() : realm.errors.readOwned(error);
  }

  /** @internal The task is over. */
  end(): void {
    if (this.waits > 0) this.target.realm.module._cwb_cancel_parts(this.at);
    this.at = 0;
  }

  /** @internal The same, with an error: the outcome for the core. */
  fail(error: unknown, extra?: { task?: string; worker?: string }): number {
    const { realm } = this.target;
    const aborted =
      (error as { name?: unknown } | null)?.name === 'AbortError' &&
      !(error instanceof CoworkerError) &&
      this.isStopped;
    this.end();
    if (aborted) return layout.OUTCOME_CANCELLED;
    const taken = realm.errors.take(error, extra);
    realm.writePointer(taken);
    return layout.OUTCOME_ERROR;
  }
}
