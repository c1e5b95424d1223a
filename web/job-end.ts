/**
 * How a thread hears of the end of a job that it has a handle to.
 *
 * @module
 */
import { CoworkerError, IllegalStateError, noMemory } from './errors.js';
import * as layout from './layout.gen.js';
import type { Target } from './launch.js';
import type { NativeTask, Pointer } from './module.js';
import type { Realm } from './realm.js';
import { support } from './references.js';
import type { Sent } from './references.js';

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

/** Hears of a job's end: the error it ended with, or undefined. */
export type CompletionFunction = (error: unknown) => void;

/** What a handle to a job knows of its end. */
export abstract class JobEnd {
  /** The name of its task. */
  readonly name: string;
  /** @internal */
  readonly owner: Target;
  protected readonly realm: JobRealm;
  private readonly native: NativeTask | undefined;
  private readonly parcel: string | undefined;
  /** The core's record; 0 once this thread has heard of the job's end. */
  protected at: Pointer = 0;
  /** @internal */
  protected ended = false;
  /** @internal */
  protected failed = false;
  /** @internal */
  protected outcome: unknown;
  /** Mostly there is one. */
  private waiters: (() => void) | (() => void)[] | undefined;
  /** @internal Those who are to hear of all progress before they hear of the end. */
  protected listening: Set<Promise<void>> | undefined;
  /** @internal For a body in this realm: what it left, which needs no copy. */
  protected local: { value: unknown } | undefined;

  /** @internal */
  constructor(init: JobInit) {
    this.realm = init.owner.realm;
    this.owner = init.owner;
    this.name = init.name;
    this.native = init.native;
    this.parcel = init.parcel;
  }

  /** @internal */
  protected get state(): number {
    return this.realm.module._cwb_job_state(this.at);
  }

  /** True once the job and all below it have ended, in whatever way. */
  get isCompleted(): boolean {
    return this.at === 0 ? this.ended : (this.state & layout.JOB_ENDED) !== 0;
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
      if (outcome & layout.OUTCOME_UNHANDLED) {
        const { uncaught } = this.owner;
        if (uncaught) uncaught(error, (outcome & layout.OUTCOME_CRASH) !== 0);
        else this.realm.report(error);
      }
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

  /**
   * @internal Its context is lost, with an error of the core's (borrowed): the
   * job there, owned, or 0.
   */
  lost(error: Pointer): Pointer {
    return this.at === 0 ? 0 : this.realm.module._cwb_job_lost(this.at, error);
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

  /** @internal */
  protected settle(failed: boolean, outcome: unknown): void {
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
export function onCompletion(
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
