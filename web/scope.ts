/**
 * What a running task is handed as its first parameter.
 *
 * @module
 */
import { ContextKey, checkElements, makeElements, readValue } from './elements.js';
import type { Elements } from './elements.js';
import {
  CancellationError,
  CoworkerError,
  IllegalStateError,
  TimeoutCancellationError,
  describe,
  expected,
} from './errors.js';
import { Deferred, Job } from './job.js';
import type { Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { parentOf } from './options.js';
import { suspendWith } from './suspend.js';
import type { SuspendBlock } from './suspend.js';

/** A body that runs in place, in a scope of its own. */
export type Block<S, R> = (scope: S) => R | PromiseLike<R>;

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
  /** What it waits for. */
  private waits = 0;

  /** @internal */
  constructor(target: Target, at: Pointer, taskName: string, workerName: string) {
    this.target = target;
    this.at = at;
    this.taskName = taskName;
    this.workerName = workerName;
  }

  /** @internal A scope inside of this one. */
  protected abstract inside(at: Pointer): this;

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

  // ---- waiting

  /**
   * Waits without holding the worker. Returns at once for `ms` <= 0; fractions
   * are rounded up.
   * @throws CancellationError (rejects) if the job is cancelled meanwhile
   */
  delay(ms: number): Promise<void> {
    if (typeof ms !== 'number' || Number.isNaN(ms)) {
      throw new TypeError(expected('ms', 'a number of milliseconds', ms));
    }
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
    return this.awaitEnd(job, layout.AWAIT_JOIN);
  }

  /** Waits for several jobs, one after the other. */
  async joinAll(jobs: Iterable<Job>): Promise<void> {
    const all = listOf(jobs);
    for (const job of all) checkJob('jobs', job);
    for (const job of all) await this.join(job);
  }

  /** Cancels a job and waits for its end. */
  cancelAndJoin(job: Job, cause?: unknown): Promise<void> {
    checkJob('job', job);
    job.cancel(cause);
    return this.awaitEnd(job, layout.AWAIT_JOIN);
  }

  /**
   * Waits for a result. Other than a plain `await`, it ends when this scope's
   * own job is cancelled.
   * @throws what the job failed with, or CancellationError (both reject)
   */
  async await<T>(job: Deferred<T>): Promise<T> {
    checkDeferred('job', job);
    await this.awaitEnd(job, layout.AWAIT_RESULT);
    return job.result();
  }

  /**
   * Waits for several results; fails as soon as one of them does, and leaves the
   * others alone. Starts all lazy ones first.
   */
  async awaitAll<T>(jobs: Iterable<Deferred<T>>): Promise<T[]> {
    const all = listOf(jobs);
    for (const job of all) checkDeferred('jobs', job);
    if (all.length === 0) return [];
    const { realm } = this.target;
    const retained: Pointer[] = [];
    try {
      for (const job of all) retained.push(job.retain(realm));
      await this.suspend((at, token) => {
        realm.writeBytes(new Uint8Array(Uint32Array.from(retained).buffer));
        return realm.module._cwb_await_all(at, token, retained.length);
      });
    } finally {
      for (const job of retained) realm.module._cwb_job_drop(job);
    }
    return Promise.all(all.map((job) => job.result()));
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
    if (typeof block !== 'function') throw new TypeError(expected('block', 'a function', block));
    return suspendWith(this, block);
  }

  private awaitEnd(job: Job, how: number): Promise<void> {
    checkJob('job', job);
    const { realm } = this.target;
    const { module } = realm;
    const retained = job.retain(realm);
    const ended = this.suspend((at, token) => module._cwb_await(at, token, retained, how));
    module._cwb_job_drop(retained);
    return ended;
  }

  /**
   * @internal One of the core's waits.
   * @param begin - begins it: the scope's address and a token, CW_OK or an error
   * @param read - reads its result
   */
  suspend<T = void>(
    begin: (at: Pointer, token: number) => number,
    read?: (data: Pointer, length: number) => T,
    suspended?: (continuation: Pointer, token: number) => void,
    undelivered?: () => void,
  ): Promise<T> {
    const { realm } = this.target;
    const promise = new Promise<T>((resolve, reject) => {
      if (this.at === 0) {
        reject(this.cancellation());
        return;
      }
      this.waits++;
      const token: number = realm.takeToken({
        settled: (error, data, length) => {
          this.waits--;
          if (error === 0) {
            resolve((read ? read(data, length) : undefined) as T);
          } else {
            // What a body has left behind ends with it, and nobody may look.
            if (this.at === 0) promise.catch(() => {});
            reject(realm.errors.read(error));
          }
        },
        suspended: (continuation) => suspended!(continuation, token),
        handled: () => undelivered?.(),
      });
      if (begin(this.at, token) < 0) {
        realm.dropToken(token);
        this.waits--;
        reject(new CoworkerError('coworker: no shared memory left', { code: 'CW_ENOMEM' }));
      }
      realm.arrived();
    });
    return promise;
  }

  // ---- scopes inside

  /**
   * Runs `block` in a scope of its own, and waits for all that is launched in
   * it. The first failure cancels the rest and is thrown here.
   */
  coroutineScope<R>(block: Block<this, R>): Promise<R> {
    return this.run(layout.SCOPE, block);
  }

  /** The same, but what is launched in it fails alone. */
  supervisorScope<R>(block: Block<this, R>): Promise<R> {
    return this.run(layout.SCOPE_SUPERVISOR, block);
  }

  /**
   * Runs `block`, which is cancelled after `ms` milliseconds.
   * @throws TimeoutCancellationError (rejects) if the time ran out
   */
  withTimeout<R>(ms: number, block: Block<this, R>): Promise<R> {
    return this.runLimited(ms, block, () => {
      throw new TimeoutCancellationError(`the job was cancelled: its timeout of ${ms} ms ran out`);
    });
  }

  /** The same, but gives null if its own time ran out. */
  withTimeoutOrNull<R>(ms: number, block: Block<this, R>): Promise<R | null> {
    return this.runLimited(ms, block, () => null);
  }

  /** Runs `block` such that cancelling the job does not reach it: for clean-up. */
  nonCancellable<R>(block: Block<this, R>): Promise<R> {
    return this.run(layout.SCOPE_NON_CANCELLABLE, block);
  }

  /**
   * Runs `block` with other elements.
   * @throws CancellationError (rejects) if the job is cancelled: then the block
   * does not begin
   */
  protected async runChanged<R>(elements: Elements, block: Block<this, R>): Promise<R> {
    if (typeof block !== 'function') throw notAFunction(block);
    checkElements(elements);
    const { realm } = this.target;
    const { parent, release } = parentOf(realm, elements);
    const above = parent || this.check();
    if (realm.module._cwb_job_state(above) !== layout.JOB_ACTIVE) {
      release();
      throw realm.errors.readOwned(realm.module._cw_job_cancellation(above));
    }
    const given = makeElements(realm, elements, parent);
    release();
    try {
      return await this.run(layout.SCOPE_CHANGED, block, 0, given);
    } finally {
      realm.module._cw_elements_release(given);
    }
  }

  /** @internal True if a block with these elements does not run where this one does. */
  protected moves(elements: Elements | undefined): boolean {
    if (elements?.context === undefined) return false;
    checkElements(elements);
    const { module } = this.target.realm;
    return module._cwb_runs_on(this.check(), elements.context.address) === 0;
  }

  /** @internal Waits for a part of the body that runs elsewhere. */
  protected async awaitMoved<R>(job: Deferred<R>): Promise<R> {
    await this.awaitEnd(job, layout.AWAIT_END);
    return job.result();
  }

  private async runLimited<R, N>(ms: number, block: Block<this, R>, late: () => N): Promise<R | N> {
    if (typeof ms !== 'number' || Number.isNaN(ms)) {
      throw new TypeError(expected('ms', 'a number of milliseconds', ms));
    }
    if (typeof block !== 'function') throw notAFunction(block);
    if (ms <= 0) return late();
    return this.run(layout.SCOPE_LIMITED, block, Math.ceil(ms), 0, late);
  }

  private run<R>(
    kind: number,
    block: Block<this, R>,
    ms = 0,
    given: Pointer = 0,
    late?: () => unknown,
  ): Promise<R> {
    if (typeof block !== 'function') throw notAFunction(block);
    const { realm } = this.target;
    const { module } = realm;
    const at = module._cwb_scope_open(this.check(), kind, ms, given);
    if (at === 0) throw new CoworkerError('coworker: no shared memory left', { code: 'CW_ENOMEM' });
    const scope = this.inside(at);
    const outcome = (value: R): R => {
      const ranOut = late !== undefined && module._cwb_scope_ran_out(at) !== 0;
      const error = module._cwb_scope_error(at);
      const thrown = error === 0 ? undefined : realm.errors.read(error);
      module._cwb_job_drop(at);
      if (ranOut) return late() as R;
      if (error !== 0) throw thrown;
      return value;
    };
    const end = (code: number, value?: R): R | Promise<R> => {
      const over = module._cwb_scope_end(at, code);
      realm.arrived();
      if (over) return outcome(value!);
      const how =
        kind === layout.SCOPE_NON_CANCELLABLE ? layout.AWAIT_END_UNCHECKED : layout.AWAIT_END;
      const read = () => outcome(value!);
      // An error of the scope itself is read from there, with what else it tells.
      return this.suspend((here, token) => module._cwb_await(here, token, at, how)).then(
        read,
        (cancellation: unknown) => {
          const own = module._cwb_scope_error(at) !== 0;
          if (own) return outcome(value!);
          module._cwb_job_drop(at);
          throw cancellation;
        },
      );
    };
    const leave = (value: R) => {
      scope.end();
      return end(layout.OUTCOME_VALUE, value);
    };
    const fail = (error: unknown) => end(scope.fail(error));
    let result: R | PromiseLike<R>;
    try {
      result = block(scope);
    } catch (error) {
      return settled(() => fail(error));
    }
    if (typeof (result as PromiseLike<R> | null)?.then !== 'function') {
      return settled(() => leave(result as R));
    }
    return (result as PromiseLike<R>).then(leave, fail) as Promise<R>;
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
    if (this.waits > 0) this.target.realm.module._cwb_cancel_leaves(this.at);
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

function listOf<J>(jobs: Iterable<J>): J[] {
  if (typeof (jobs as Partial<Iterable<J>> | null)?.[Symbol.iterator] === 'function') {
    return [...jobs];
  }
  throw new TypeError(expected('jobs', 'an array or another iterable', jobs));
}

function checkJob(argument: string, job: unknown): void {
  if (job instanceof Job) return;
  throw new TypeError(expected(argument, argument === 'job' ? 'a Job' : 'Jobs', job));
}

function checkDeferred(argument: string, job: unknown): void {
  if (job instanceof Deferred) return;
  const wanted = argument === 'job' ? 'a Deferred, which async() gives' : 'Deferreds';
  throw new TypeError(expected(argument, wanted, job));
}

const notAFunction = (block: unknown) =>
  new TypeError(`coworker: a scope runs a function, got ${describe(block)}`);

function settled<R>(get: () => R | Promise<R>): Promise<R> {
  return new Promise((resolve) => resolve(get()));
}
