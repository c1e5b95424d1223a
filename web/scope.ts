/**
 * What a running task is handed as its first parameter.
 *
 * @module
 */
import { writeElement } from './channel-element.js';
import { Dispatcher } from './dispatcher.js';
import { ContextKey, checkElements, makeElements, readValue } from './elements.js';
import type { Elements } from './elements.js';
import {
  CancellationError,
  CoworkerError,
  IllegalStateError,
  TimeoutCancellationError,
  checkFunction,
  checkMs,
  describe,
  expected,
  noMemory,
} from './errors.js';
import { Deferred, Job } from './job.js';
import { splitCall } from './launch.js';
import type { Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { parentOf } from './options.js';
import { suspendWith } from './suspend.js';
import type { SuspendBlock } from './suspend.js';

/** A body that runs in place, in a scope of its own. */
export type Block<S, R> = (scope: S) => R | PromiseLike<R>;

/** What a scope inside of a body is opened with, besides its block. */
interface Opening {
  /** Its time limit. */
  readonly ms?: number;
  /** Its elements: borrowed. */
  readonly given?: Pointer;
  /** It is not below the job: its value counts though that is cancelled. */
  readonly apart?: boolean;
  /** What comes of it if its own time ran out. */
  readonly late?: () => unknown;
}

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
  /** The scope that this one was opened in. */
  private outer: BaseScope | undefined;
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
    return this.awaitEnd(job, layout.AWAIT_JOIN);
  }

  /** Waits for several jobs, one after the other. */
  joinAll(jobs: Iterable<Job>): Promise<void> {
    const all = listOf(jobs);
    for (const job of all) checkJob('jobs', job);
    const { module } = this.target.realm;
    return this.awaitEnds(all, (at, token) => module._cwb_join_all(at, token, all.length));
  }

  /** Cancels a job and waits for its end. */
  cancelAndJoin(job: Job, cause?: unknown): Promise<void> {
    checkJob('job', job);
    const { realm } = this.target;
    const retained = job.retain(realm); // or an error, and it is not cancelled
    job.cancel(cause);
    realm.module._cwb_job_drop(retained);
    return this.awaitEnd(job, layout.AWAIT_JOIN);
  }

  /**
   * Waits for a result. Other than a plain `await`, it ends when this scope's
   * own job is cancelled.
   * @throws what the job failed with, or CancellationError (both reject)
   */
  await<T>(job: Deferred<T>): Promise<T> {
    checkDeferred('job', job);
    return this.awaitEnd(job, layout.AWAIT_RESULT, () => job.result());
  }

  /**
   * Waits for several results; fails as soon as one of them does, and leaves the
   * others alone. Starts all lazy ones first.
   */
  awaitAll<T>(jobs: Iterable<Deferred<T>>): Promise<T[]> {
    const all = listOf(jobs);
    for (const job of all) checkDeferred('jobs', job);
    const { module } = this.target.realm;
    return this.awaitEnds(
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

  private awaitEnd<T = void>(job: Job, how: number, read?: () => T | PromiseLike<T>): Promise<T> {
    const { realm } = this.target;
    const { module } = realm;
    const retained = job.retain(realm);
    const ended = this.suspend<T>((at, token) => module._cwb_await(at, token, retained, how), read);
    module._cwb_job_drop(retained);
    return ended;
  }

  private awaitEnds<T = void>(
    jobs: readonly Job[],
    begin: (at: Pointer, token: number) => number,
    read?: () => T | PromiseLike<T>,
  ): Promise<T> {
    const { realm } = this.target;
    if (jobs.length === 0) return Promise.resolve(read?.() as T);
    const retained: Pointer[] = [];
    try {
      for (const job of jobs) retained.push(job.retain(realm));
      return this.suspend<T>((at, token) => {
        realm.writeBytes(new Uint8Array(Uint32Array.from(retained).buffer));
        return begin(at, token);
      }, read);
    } finally {
      for (const job of retained) realm.module._cwb_job_drop(job);
    }
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
    return this.run(layout.SCOPE_NON_CANCELLABLE, block, { apart: true });
  }

  /**
   * Runs `block` with other elements.
   * @throws CancellationError (rejects) if the job is cancelled: then the block
   * does not begin
   */
  private runChanged<R>(elements: Elements, block: Block<this, R>): Promise<R> {
    checkElements(elements);
    const { realm } = this.target;
    const { parent, release } = parentOf(realm, elements);
    const refusal = realm.module._cwb_scope_refusal(parent ?? this.check());
    if (refusal !== 0) {
      release();
      return settled(() => {
        throw realm.errors.readOwned(refusal);
      });
    }
    let given: Pointer = 0;
    try {
      given = makeElements(realm, elements, parent);
      return this.run(layout.SCOPE_CHANGED, block, { given, apart: parent !== undefined });
    } finally {
      release();
      if (given !== 0) realm.module._cw_elements_release(given);
    }
  }

  /**
   * @internal Runs `(block, ...args)` or `(elements, block, ...args)` in place if
   * it is a block that runs where this one does; else launches it by `begin`.
   */
  protected runWith<T>(call: unknown[], begin: (how: number) => Deferred<T>): Promise<T> {
    const [elements, block, args] = splitCall(call);
    if (typeof block === 'function' && !this.moves(elements)) {
      const run = block as (scope: this, ...args: unknown[]) => T;
      return this.runChanged(elements ?? {}, (scope) => run(scope, ...args));
    }
    const job = begin(layout.LAUNCH_ASYNC | layout.LAUNCH_LONELY);
    return this.awaitEnd(job, layout.AWAIT_END, () => job.result());
  }

  /** True if a block with these elements does not run where this one does. */
  private moves(elements: Elements | undefined): boolean {
    if (!(elements?.context instanceof Dispatcher)) return false;
    const { module } = this.target.realm;
    return module._cwb_runs_on(this.check(), elements.context.address) === 0;
  }

  private runLimited<R, N>(ms: number, block: Block<this, R>, late: () => N): Promise<R | N> {
    checkMs('ms', ms);
    if (typeof block !== 'function') throw notAFunction(block);
    if (ms <= 0) return settled(late);
    return this.run(layout.SCOPE_LIMITED, block, { ms: Math.ceil(ms), late });
  }

  private run<R>(
    kind: number,
    block: Block<this, R>,
    { ms = 0, given = 0, apart = false, late }: Opening = {},
  ): Promise<R> {
    if (typeof block !== 'function') throw notAFunction(block);
    const { realm } = this.target;
    const { module } = realm;
    const at = module._cwb_scope_open(this.check(), kind, ms, given);
    if (at === 0) throw noMemory();
    const scope = this.inside(at);
    scope.outer = this;
    this.waits++;
    const close = () => {
      this.waits--;
      module._cwb_job_drop(at);
    };
    const outcome = (value: R): R => {
      const ranOut = late !== undefined && module._cwb_scope_ran_out(at) !== 0;
      const error = module._cwb_scope_error(at);
      const thrown = error === 0 ? undefined : realm.errors.read(error);
      close();
      if (ranOut) return late() as R;
      if (error !== 0) throw thrown;
      return value;
    };
    const promise = new Promise<R>((resolve, reject) => {
      const settle = (get: () => R) => {
        try {
          resolve(get());
        } catch (error) {
          // What a body has left behind ends with it, and nobody may look.
          if (this.at === 0) promise.catch(() => {});
          reject(error);
        }
      };
      const end = (code: number, value?: R) => {
        const state = module._cwb_scope_end(at, code | atOnce);
        if (state !== layout.SCOPE_OPEN) realm.goesOn();
        if (state === layout.SCOPE_OVER) {
          settle(() => outcome(value!));
          return;
        }
        if (state === layout.SCOPE_IN_TIME) {
          close();
          resolve(value!);
          return;
        }
        const how = apart ? layout.AWAIT_END_UNCHECKED : layout.AWAIT_END;
        this.suspend((here, token) => module._cwb_await(here, token, at, how)).then(
          () => settle(() => outcome(value!)),
          (cancellation: unknown) =>
            settle(() => {
              // An error of the scope itself is read from there, with what else it tells.
              if (module._cwb_scope_error(at) !== 0) return outcome(value!);
              close();
              throw cancellation;
            }),
        );
      };
      const leave = (value: R) => {
        scope.end();
        end(layout.OUTCOME_VALUE, value);
      };
      const fail = (error: unknown) => end(scope.fail(error));
      let atOnce = layout.AT_ONCE;
      let result: R | PromiseLike<R>;
      try {
        result = block(scope);
      } catch (error) {
        fail(error);
        return;
      }
      if (typeof (result as PromiseLike<R> | null)?.then !== 'function') {
        leave(result as R);
        return;
      }
      (result as PromiseLike<R>).then(leave, fail);
      // Unless it was settled already, this comes before leave().
      if (kind === layout.SCOPE_LIMITED) queueMicrotask(() => (atOnce = 0));
    });
    return promise;
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

function settled<R>(get: () => R): Promise<R> {
  return new Promise((resolve) => resolve(get()));
}
