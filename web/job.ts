/**
 * Handles to what runs: {@link Job} and, with a result, {@link Deferred}.
 *
 * @module
 */
import { CoworkerError, IllegalStateError, checkFunction, expected, noMemory } from './errors.js';
import type { CancellationError } from './errors.js';
import * as layout from './layout.gen.js';
import type { NativeTask, Pointer } from './module.js';
import type { Target } from './launch.js';
import type { Realm } from './realm.js';
import { support } from './references.js';
import type { Sent } from './references.js';
import type { BaseScope } from './scope.js';

/** What a job needs of its realm besides the core. */
export interface JobRealm extends Realm {
  /** Fetches a value that travels by structured clone. */
  claim(parcel: string, take: (value: unknown) => void): void;
  /** Forgets such a value. */
  discard(parcel: string): void;
  /** Shows an error that nobody waits for, as the host shows uncaught ones. */
  report(error: unknown): void;
}

/** What a job is made with. */
export interface JobInit {
  /** The context it runs on. */
  readonly owner: Target;
  readonly name: string;
  /** For a coroutine or function of C. */
  readonly native?: NativeTask | undefined;
  /** The parcel that the arguments travel in. */
  readonly parcel?: string | undefined;
}

/** A registered function. */
export interface CompletionHandle {
  /** The function will not be called any more. */
  dispose(): void;
}

/** How {@link Job.invokeOnCompletion} registers. */
export interface CompletionOptions {
  /** Call it already when the job is cancelled or fails. @default false */
  readonly onCancelling?: boolean;
  /** Call it at once if what it waits for has happened before. @default true */
  readonly invokeImmediately?: boolean;
}

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

/** Hears of a job's end: the error it ended with, or undefined. */
export type CompletionFunction = (error: unknown) => void;

/** The jobs that an abort signal cancels. */
interface Audience {
  readonly jobs: Set<Job>;
  readonly abort: () => void;
}

const audiences = new WeakMap<AbortSignal, Audience>();

/** One listener serves all jobs: Node takes more than ten for a leak. */
function audienceOf(signal: AbortSignal): Audience {
  let audience = audiences.get(signal);
  if (!audience) {
    const jobs = new Set<Job>();
    const abort = () => {
      for (const job of jobs) job.cancel(signal.reason);
    };
    audience = { jobs, abort };
    audiences.set(signal, audience);
    signal.addEventListener('abort', abort, { once: true });
  }
  return audience;
}

/**
 * A launched task. It ends after all jobs that it launched have ended.
 *
 * @example
 * const job = context.launch('greet', 'Ada');
 * await job.join();
 */
export class Job {
  /** The name of its task. */
  readonly name: string;
  /** @internal */
  readonly owner: Target;
  protected readonly realm: JobRealm;
  private readonly native: NativeTask | undefined;
  private readonly parcel: string | undefined;
  /** The core's record; 0 once this thread has heard of the job's end. */
  protected at: Pointer = 0;
  /** It may have to be started; known to be false for most. */
  private lazy = false;
  private ended = false;
  private failed = false;
  private outcome: unknown;
  /** Mostly there is one. */
  private waiters: (() => void) | (() => void)[] | undefined;
  private unlisten: (() => void) | undefined;
  /** Those who are to hear of all progress before they hear of the end. */
  private listening: Set<Promise<void>> | undefined;
  /** For a body in this realm: what it left, which needs no copy. */
  private local: { value: unknown } | undefined;

  /** @internal */
  constructor(init: JobInit) {
    this.realm = init.owner.realm;
    this.owner = init.owner;
    this.name = init.name;
    this.native = init.native;
    this.parcel = init.parcel;
  }

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

  private get state(): number {
    return this.realm.module._cwb_job_state(this.at);
  }

  /** True until the job has ended or was cancelled; false for a lazy one before its start. */
  get isActive(): boolean {
    return this.at !== 0 && this.state === layout.JOB_ACTIVE;
  }

  /** True once the job and all below it have ended, in whatever way. */
  get isCompleted(): boolean {
    return this.at === 0 ? this.ended : (this.state & layout.JOB_ENDED) !== 0;
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

  /** @internal Cancels the job when the signal is aborted. */
  listen(signal: AbortSignal): void {
    if (signal.aborted) {
      this.cancel(signal.reason);
      return;
    }
    const { jobs, abort } = audienceOf(signal);
    jobs.add(this);
    this.unlisten = () => {
      jobs.delete(this);
      if (jobs.size > 0) return;
      audiences.delete(signal);
      signal.removeEventListener('abort', abort);
    };
  }

  /** @internal True if there was no value before. */
  setLocal(value: unknown): boolean {
    if (this.local) return false;
    this.local = { value };
    return true;
  }

  /** @internal */
  protected unsetLocal(): void {
    this.local = undefined;
  }

  /** @internal */
  jobEnded(outcome: number, data: Pointer, length: number, worker: Pointer): void {
    const kind = outcome & 7;
    if (kind === layout.OUTCOME_ERROR || kind === layout.OUTCOME_CANCELLED) {
      if (this.parcel !== undefined) this.realm.discard(this.parcel);
      const error = this.errorFrom(data, worker);
      this.settle(true, error);
      if (outcome & layout.OUTCOME_UNHANDLED) this.realm.report(error);
    } else if (this.local) {
      this.settle(false, this.local.value);
    } else if (this.native) {
      this.settle(false, this.native.decode(data, length));
    } else if (kind === layout.OUTCOME_MESSAGE) {
      const { realm } = this;
      const sent = realm.reader.readOne(data, length) as Sent;
      const settle = (value: unknown) => this.settle(false, value);
      if (typeof sent === 'string') realm.claim(sent, settle);
      else support.handles!.claim(realm, sent, settle);
    } else {
      this.settle(false, this.realm.reader.readOne(data, length));
    }
  }

  /** @internal The runtime is lost: nobody else will tell. */
  abandon(error: unknown): void {
    this.listening = undefined; // nor will they
    if (!this.ended) this.settle(true, error);
  }

  private errorFrom(data: Pointer, worker: Pointer): unknown {
    const error = this.realm.errors.read(data);
    if (error instanceof CoworkerError) {
      error.task ??= this.name;
      if (worker !== 0) error.worker ??= this.realm.memory.text(worker);
    }
    return error;
  }

  private settle(failed: boolean, outcome: unknown): void {
    const { listening } = this;
    this.listening = undefined;
    if (listening?.size) {
      void Promise.all(listening).then(() => this.settle(failed, outcome));
      return;
    }
    this.ended = true;
    this.owner.launches = 0;
    this.failed = failed;
    this.outcome = outcome;
    if (this.at !== 0) this.realm.module._cwb_job_drop(this.at);
    this.at = 0;
    this.unlisten?.();
    this.unlisten = undefined;
    const { waiters } = this;
    this.waiters = undefined;
    if (typeof waiters === 'function') waiters();
    else if (waiters) for (const waiter of waiters) waiter();
  }

  /** @internal Calls back when the job has ended. */
  onEnd(callback: () => void): void {
    const { waiters } = this;
    if (waiters === undefined) this.waiters = callback;
    else if (typeof waiters === 'function') this.waiters = [waiters, callback];
    else waiters.push(callback);
  }

  /** @internal Gives the outcome of an ended job. */
  protected take<T>(resolve: (value: T) => void, reject: (error: unknown) => void): void {
    if (this.failed) reject(this.outcome);
    else resolve(this.outcome as T);
  }

  /** @internal The value of a job that has ended well, perhaps before this thread hears of it. */
  protected value<T>(): T | Promise<T> {
    if (this.local) return this.local.value as T;
    if (this.ended) return this.outcome as T;
    return new Promise((resolve, reject) => this.onEnd(() => this.take(resolve, reject)));
  }

  /** @internal What it ended with; throws unless it has. */
  protected completed(): { failed: boolean; outcome: unknown } {
    if (!this.isCompleted) {
      throw new IllegalStateError(
        `coworker: job '${this.name}' has not completed; await it, or look at isCompleted first`,
      );
    }
    if (!this.ended) return this.early();
    const { failed, outcome } = this;
    return { failed, outcome };
  }

  /** The same before the news of its end has come. */
  private early(): { failed: boolean; outcome: unknown } {
    const { module, memory, reader, scratchAt } = this.realm;
    const error = module._cw_job_error(this.at);
    if (error !== 0) return { failed: true, outcome: this.errorFrom(error, 0) };
    if (!this.local) {
      const outcome = module._cwb_job_outcome(this.at);
      const data = memory.word(scratchAt);
      const length = outcome >>> 3;
      if ((outcome & 7) === layout.OUTCOME_MESSAGE) {
        throw new IllegalStateError(
          `coworker: the value of job '${this.name}' is still on its way to this thread; await it`,
        );
      }
      this.setLocal(this.native ? this.native.decode(data, length) : reader.readOne(data, length));
    }
    return { failed: false, outcome: this.local!.value };
  }
}

/** Has `call` called by the core; see {@link Job.invokeOnCompletion}. */
function onCompletion(
  realm: JobRealm,
  job: Pointer,
  flags: number,
  call: (error: unknown, failed: boolean) => void,
): CompletionHandle {
  let live = true;
  let note: Pointer = 0;
  const token: number = realm.takeToken(
    {
      handled: (_news, error) => {
        realm.dropToken(token, false);
        const mine = live;
        live = false;
        if (mine) call(error === 0 ? undefined : realm.errors.read(error), error !== 0);
      },
    },
    false,
  );
  note = realm.module._cwb_on_completion(job, flags, token);
  if (note < 0) throw noMemory();
  // Not called, and never to be.
  if (note === 0 && live) {
    live = false;
    realm.dropToken(token, false);
  }
  return {
    dispose() {
      if (!live) return;
      live = false;
      if (realm.module._cwb_handler_dispose(note)) realm.dropToken(token, false);
    },
  };
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
