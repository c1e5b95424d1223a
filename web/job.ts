/**
 * Handles to what runs: {@link Job} and, with a result, {@link Deferred}.
 *
 * @module
 */
import { CancellationError, CoworkerError } from './errors.js';
import * as layout from './layout.gen.js';
import type { NativeTask, Pointer } from './module.js';
import type { Target } from './launch.js';
import type { Realm } from './realm.js';

/** What a job needs of its realm besides the core. */
export interface JobRealm extends Realm {
  /** Fetches a value that travels by structured clone. */
  claim(parcel: string, take: (value: unknown) => void): void;
  /** Forgets such a value. */
  discard(parcel: string): void;
  /** Calls back in a later turn of the event loop. */
  yieldTurn(callback: () => void): void;
  /** Shows an error that nobody waits for, as the host shows uncaught ones. */
  report(error: unknown): void;
}

/** What a job is made with. */
export interface JobInit {
  readonly realm: JobRealm;
  /** The context it runs on. */
  readonly owner: Target;
  readonly name: string;
  /** For a coroutine or function of C. */
  readonly native?: NativeTask | undefined;
  /** The parcel that the arguments travel in. */
  readonly parcel?: string | undefined;
}

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
  private readonly realm: JobRealm;
  private readonly native: NativeTask | undefined;
  private readonly parcel: string | undefined;
  /** The core's record; 0 once the job has ended. */
  private at: Pointer = 0;
  private ended = false;
  private failed = false;
  private outcome: unknown;
  /** Mostly there is one. */
  private waiters: (() => void) | (() => void)[] | undefined;
  private unlisten: (() => void) | undefined;
  /** For a body in this realm: what it left, which needs no copy. */
  private local: { value: unknown; failed: boolean } | undefined;

  /** @internal */
  constructor(init: JobInit) {
    this.realm = init.realm;
    this.owner = init.owner;
    this.name = init.name;
    this.native = init.native;
    this.parcel = init.parcel;
  }

  /** True until the job has ended or was cancelled. */
  get isActive(): boolean {
    return !this.ended && (this.realm.module._cwb_job_state(this.at) & 1) === 0;
  }

  /** True once the job and all below it have ended, in whatever way. */
  get isCompleted(): boolean {
    return this.ended;
  }

  /** True if the job was cancelled or has failed, ended or not. */
  get isCancelled(): boolean {
    if (this.ended) return this.failed;
    return (this.realm.module._cwb_job_state(this.at) & 1) !== 0;
  }

  /**
   * Cancels the job and everything below it. Its suspension points throw a
   * {@link CancellationError} with this cause, `scope.signal` is aborted and
   * `scope.isStopped` becomes true. Nothing happens if it has ended.
   */
  cancel(cause?: unknown): void {
    if (this.ended) return;
    if (cause !== undefined) this.realm.writeError(cause);
    this.realm.module._cwb_cancel(this.at, cause === undefined ? 0 : 1);
  }

  /**
   * Waits for the end of the job. Never fails because of what happened in it:
   * `await` a Deferred for that.
   */
  join(): Promise<void> {
    if (this.ended) return Promise.resolve();
    return new Promise((resolve) => this.onEnd(resolve));
  }

  /** Cancels the job and waits for its end. */
  cancelAndJoin(cause?: unknown): Promise<void> {
    this.cancel(cause);
    return this.join();
  }

  /** @internal The core has taken the job up. */
  started(at: Pointer): void {
    this.at = at;
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

  /** @internal */
  setLocal(value: unknown, failed: boolean): void {
    this.local = { value, failed };
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
      const parcel = this.realm.reader.readOne(data, length) as string;
      this.realm.claim(parcel, (value) => this.settle(false, value));
    } else {
      this.settle(false, this.realm.reader.readOne(data, length));
    }
  }

  /** @internal The runtime is lost: nobody else will tell. */
  abandon(error: unknown): void {
    if (!this.ended) this.settle(true, error);
  }

  private errorFrom(data: Pointer, worker: Pointer): unknown {
    const error = this.realm.readError(data);
    if (this.local?.failed && !(error instanceof CancellationError)) return this.local.value;
    if (error instanceof CoworkerError) {
      error.task ??= this.name;
      if (worker !== 0) error.worker ??= this.realm.memory.text(worker);
    }
    return error;
  }

  private settle(failed: boolean, outcome: unknown): void {
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
  onEndLocal(callback: () => void): void {
    this.onEnd(callback);
  }

  /** @internal */
  protected onEnd(callback: () => void): void {
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

  /** The result as a promise; the same one each time. */
  toPromise(): Promise<T> {
    this.promise ??= new Promise<T>((resolve, reject) => {
      const settle = () => this.take<T>(resolve, reject);
      if (this.isCompleted) settle();
      else this.onEnd(settle);
    });
    return this.promise;
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
