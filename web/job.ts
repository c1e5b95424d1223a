/**
 * Handles to what runs: {@link Job} and, with a result, {@link Deferred}.
 *
 * @module
 */
import { CoworkerError, IllegalStateError, checkFunction, expected, noMemory } from './errors.js';
import type { CancellationError } from './errors.js';
import { JobEnd, onCompletion } from './job-end.js';
import type { CompletionFunction, CompletionHandle, CompletionOptions } from './job-end.js';
import type { Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { Realm } from './realm.js';
import type { BaseScope } from './scope.js';

/** How {@link Job.progress} listens. */
export interface ProgressOptions {
  /**
   * How many values are kept at most that were not taken yet; then the oldest ones
   * are dropped. @default no limit
   */
  readonly limit?: number;
  /** Whose job it is that waits for them. @default nobody's */
  readonly scope?: BaseScope;
}

/**
 * A launched task. It ends after all jobs that it launched have ended.
 *
 * @example
 * const job = context.launch('greet', 'Ada');
 * await job.join();
 */
export class Job extends JobEnd {
  /** It may have to be started; known to be false for most. */
  private lazy = false;

  /**
   * @internal The handle to the core's job: the same one as long as that has not
   * ended. It is never a Deferred, so that it can be returned from a body, which
   * would otherwise wait for itself.
   */
  static watching(owner: Target, at: Pointer): Job {
    const { realm } = owner;
    const { module, memory } = realm;
    const known = realm.watched.get(at);
    if (known) return known;
    const launched = realm.ticketOf(module._cwb_job_token(at));
    const mine = launched instanceof Job && launched.at === at ? launched : undefined;
    if (mine && !(mine instanceof Deferred)) return mine;
    const name = mine?.name ?? (memory.text(module._cw_job_name(at)) || 'Job');
    const job = new Job({ owner, name });
    job.watch(module._cw_job_retain(at), true);
    return job;
  }

  /**
   * @internal Follows a job, to which it takes a reference over.
   * @param known - this is the handle that others get, too
   */
  protected watch(at: Pointer, known: boolean): void {
    const { watched } = this.realm;
    this.at = at;
    this.lazy = true;
    if (known) watched.set(at, this);
    const ended = (error: unknown, failed: boolean) => {
      if (known) watched.delete(at);
      this.settle(failed, failed ? error : this.local?.value);
    };
    onCompletion(this.realm, at, 0, ended);
  }

  /** True until the job has ended or was cancelled; false for a lazy one before its start. */
  get isActive(): boolean {
    return this.at !== 0 && this.state === layout.JOB_ACTIVE;
  }

  /** True if the job was cancelled or has failed, ended or not. */
  get isCancelled(): boolean {
    return this.at === 0 ? this.failed : (this.state & layout.JOB_CANCELLED) !== 0;
  }

  /** The job above it, until its end. */
  get parent(): Job | undefined {
    const { module } = this.realm;
    const parent = this.at === 0 ? 0 : module._cwb_job_parent(this.at);
    if (parent === 0) return undefined;
    const job = Job.watching(this.owner, parent);
    module._cwb_job_drop(parent);
    return job;
  }

  /** Lets a lazy job begin. True for the call that did it. */
  start(): boolean {
    if (!this.lazy || this.at === 0) return false;
    this.lazy = false;
    const started = this.realm.module._cw_job_start(this.at) !== 0;
    if (started) this.realm.schedulePump();
    return started;
  }

  /**
   * Cancels the job and everything below it. Its suspension points throw a
   * {@link CancellationError} with this cause (or, if that is one, itself),
   * `scope.signal` is aborted and `scope.isStopped` becomes true. Nothing
   * happens if it has ended.
   */
  cancel(cause?: unknown): void {
    if (this.at === 0) return;
    const { realm, at } = this;
    const error = realm.errors.takeCause(cause);
    realm.module._cw_cancel(at, error);
    realm.module._cw_error_release(error);
    realm.schedulePump();
  }

  /** Cancels what is directly below the job; the job itself goes on. */
  cancelChildren(cause?: unknown): void {
    if (this.at === 0) return;
    const { realm, at } = this;
    const error = realm.errors.takeCause(cause);
    realm.module._cw_cancel_children(at, error);
    this.owner.away?.cancelChildren(at, error);
    realm.module._cw_error_release(error);
    realm.schedulePump();
  }

  /**
   * Waits for the end of the job, which it starts if it is lazy. Never fails
   * because of what happened in it: `await` a Deferred for that. Inside of a
   * task, `scope.join(job)` ends when the task is cancelled.
   */
  join(): Promise<void> {
    if (this.ended) return Promise.resolve();
    this.start();
    return new Promise((resolve) => this.onEnd(resolve));
  }

  /** Cancels the job and waits for its end. */
  cancelAndJoin(cause?: unknown): Promise<void> {
    this.cancel(cause);
    return this.join();
  }

  /**
   * Calls `call` once, as soon as the job has ended, on this thread: with the
   * error that it ended with, or undefined. It must be quick. What it throws is
   * reported as uncaught.
   */
  invokeOnCompletion(call: CompletionFunction, options: CompletionOptions = {}): CompletionHandle {
    checkFunction('call', call);
    if (typeof options !== 'object' || options === null) {
      throw new TypeError(expected('options', 'an object', options));
    }
    const { onCancelling = false, invokeImmediately = true } = options;
    const guarded = (error: unknown) => {
      try {
        call(error);
      } catch (thrown) {
        this.realm.report(thrown);
      }
    };
    if (this.at === 0) {
      if (invokeImmediately) guarded(this.failed ? this.outcome : undefined);
      return { dispose() {} };
    }
    const flags =
      (onCancelling ? layout.ON_CANCELLING : 0) | (invokeImmediately ? 0 : layout.NOT_LATE);
    return onCompletion(this.realm, this.at, flags, guarded);
  }

  // ---- progress

  /**
   * Calls `call` with each value that the task tells by `scope.progress()` from now
   * on, in order, on this thread. Nothing is lost, and the task does not wait: what
   * is not told yet is kept. Who waits for the job's end by this handle hears of it
   * after that. What `call` throws is reported as uncaught. To miss nothing, give
   * the function among the launch's options, as `onProgress`.
   *
   * @example
   * const job = context.async('crunch', data);
   * job.onProgress((part) => (bar.value = part));
   */
  onProgress(call: (value: unknown) => void): CompletionHandle {
    checkFunction('call', call);
    const { realm } = this;
    const at = this.listenTo(0);
    if (at === 0) return { dispose() {} };
    const loaded = realm.loadProgress().then(({ openListener }) => openListener(realm.own, at));
    let isLive = true;
    const told = loaded.then(async (channel) => {
      for await (const value of channel) {
        if (!isLive) break;
        try {
          call(value);
        } catch (error) {
          realm.report(error);
        }
      }
      channel.dispose();
    });
    const listening = (this.listening ??= new Set());
    listening.add(told);
    return {
      dispose() {
        isLive = false;
        listening.delete(told);
        void loaded.then((channel) => channel.dispose());
      },
    };
  }

  /**
   * The values that the task tells by `scope.progress()` from now on, to the job's
   * end. They are kept until they are taken, see {@link ProgressOptions}; leaving
   * the loop ends that.
   *
   * @example
   * for await (const part of job.progress()) bar.value = part;
   */
  progress<T = unknown>(options: ProgressOptions = {}): AsyncIterableIterator<T> {
    const { limit, scope } = options;
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit < 2 ** 31)) {
      const message = expected('options.limit', 'an integer from 1 to 2147483647', limit);
      throw typeof limit === 'number' ? new RangeError(message) : new TypeError(message);
    }
    const { realm } = this;
    const at = this.listenTo(limit ?? 0);
    const loading = realm.loadProgress();
    const loaded = loading.then(({ listen }) => listen<T>(realm.own, at, scope));
    return {
      next: async () => (await loaded).next(),
      return: async () => (await loaded).return!(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** A channel for progress; 0 if the job has ended. */
  private listenTo(limit: number): Pointer {
    if (this.at === 0) return 0;
    const at = this.realm.module._cwb_progress_listen(this.at, limit);
    if (at === 0) throw noMemory();
    this.owner.away?.listened(this.at);
    return at;
  }

  /**
   * How the job was cancelled: the {@link CancellationError} itself, or one whose
   * cause is the failure.
   * @throws IllegalStateError if it was neither cancelled nor has failed
   */
  getCancellationError(): CancellationError {
    const { module, errors } = this.realm;
    const at = this.retain();
    const error = module._cw_job_cancellation(at);
    module._cwb_job_drop(at);
    if (error !== 0) return errors.readOwned(error) as CancellationError;
    throw new IllegalStateError(
      `coworker: job '${this.name}' was not cancelled; look at isCancelled first`,
    );
  }

  /**
   * @internal A reference of the caller's to the core's record. For a job of
   * whose end this thread has heard: to another one that has ended so.
   * @param by - whose core it is for
   */
  retain(by: Realm = this.realm): Pointer {
    if (by !== this.realm) {
      throw new CoworkerError(
        `coworker: job '${this.name}' is of another WebAssembly module, and jobs of two modules ` +
          'can neither be in one tree nor wait for each other; `await job.join()` outside of a scope',
        { code: 'CW_EINVAL' },
      );
    }
    const { module, errors } = this.realm;
    if (this.at !== 0) return module._cw_job_retain(this.at);
    const job = module._cw_job_new(0);
    if (this.failed) {
      const error = errors.take(this.outcome);
      module._cw_job_complete_exceptionally(job, error);
      module._cw_error_release(error);
    } else {
      module._cw_job_complete(job);
    }
    return job;
  }

  /** @internal The core has taken the job up. */
  launched(at: Pointer, lazy: boolean): void {
    this.at = at;
    this.lazy = lazy;
  }

  /** @internal The core's record, borrowed. */
  get address(): Pointer {
    return this.at;
  }
}

/**
 * A job with a result: `await` it.
 *
 * A failure fails the scope it was launched in, too, whether or not anybody
 * awaits it; so it is not an unhandled rejection when nobody does.
 *
 * @example
 * const sum = await context.async('add', 1, 2);
 */
export class Deferred<T> extends Job implements PromiseLike<T> {
  private promise: Promise<T> | undefined;

  /** The result as a promise; the same one each time. Starts a lazy job. */
  toPromise(): Promise<T> {
    this.start();
    this.promise ??= new Promise<T>((resolve, reject) => {
      const settle = () => this.take<T>(resolve, reject);
      if (this.at === 0) settle();
      else this.onEnd(settle);
    });
    return this.promise;
  }

  /**
   * The result, or throws what the job failed with.
   * @throws IllegalStateError if the job has not completed
   */
  getCompleted(): T {
    const { failed, outcome } = this.completed();
    if (failed) throw outcome;
    return outcome as T;
  }

  /**
   * What the job failed with, or undefined.
   * @throws IllegalStateError if the job has not completed
   */
  getCompletionErrorOrUndefined(): unknown {
    const { failed, outcome } = this.completed();
    return failed ? outcome : undefined;
  }

  /** @internal */
  result(): T | Promise<T> {
    return this.value<T>();
  }

  then<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.toPromise().then(onValue, onError);
  }

  catch<B = never>(onError?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.toPromise().catch(onError);
  }

  finally(callback?: (() => void) | null): Promise<T> {
    return this.toPromise().finally(callback);
  }
}
