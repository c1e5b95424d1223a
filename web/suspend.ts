/**
 * What scopes wait for: the ends of jobs, and whoever calls back.
 *
 * @module
 */
import { CompletionHandlerError, IllegalStateError, checkFunction, expected } from './errors.js';
import { Deferred, Job } from './job.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { BaseScope } from './scope.js';

// ---- jobs

/** The jobs of a list. */
export function listOf<J>(jobs: Iterable<J>): J[] {
  if (typeof (jobs as Partial<Iterable<J>> | null)?.[Symbol.iterator] === 'function') {
    return [...jobs];
  }
  throw new TypeError(expected('jobs', 'an array or another iterable', jobs));
}

export function checkJob(argument: string, job: unknown): void {
  if (job instanceof Job) return;
  throw new TypeError(expected(argument, argument === 'job' ? 'a Job' : 'Jobs', job));
}

export function checkDeferred(argument: string, job: unknown): void {
  if (job instanceof Deferred) return;
  const wanted = argument === 'job' ? 'a Deferred, which async() gives' : 'Deferreds';
  throw new TypeError(expected(argument, wanted, job));
}

/** Waits for the end of a job, as `how` says. */
export function awaitEnd<T = void>(
  scope: BaseScope,
  job: Job,
  how: number,
  read?: () => T | PromiseLike<T>,
): Promise<T> {
  const { realm } = scope.target;
  const { module } = realm;
  const retained = job.retain(realm);
  const ended = scope.suspend<T>((at, token) => module._cwb_await(at, token, retained, how), read);
  module._cwb_job_drop(retained);
  return ended;
}

/** Waits for the ends of several, whose addresses `begin` finds in the scratch buffer. */
export function awaitEnds<T = void>(
  scope: BaseScope,
  jobs: readonly Job[],
  begin: (at: Pointer, token: number) => number,
  read?: () => T | PromiseLike<T>,
): Promise<T> {
  const { realm } = scope.target;
  if (jobs.length === 0) return Promise.resolve(read?.() as T);
  const retained: Pointer[] = [];
  try {
    for (const job of jobs) retained.push(job.retain(realm));
    return scope.suspend<T>((at, token) => {
      realm.writeBytes(new Uint8Array(Uint32Array.from(retained).buffer));
      return begin(at, token);
    }, read);
  } finally {
    for (const job of retained) realm.module._cwb_job_drop(job);
  }
}

// ---- calling back

/** Resumes with a value; `undelivered` gets it back if it could not be delivered. */
export type Resume<T> = (value: T, undelivered?: (value: T) => void) => void;

/** What {@link BaseScope.suspendCancellable} calls. */
export type SuspendBlock<T> = (
  resume: Resume<T>,
  reject: (error: unknown) => void,
  onCancel: (handler: (error: unknown) => void) => void,
) => void;

/** A function of the user's has failed where its caller cannot be told. */
function report(scope: BaseScope, job: Pointer, thrown: unknown): void {
  const { realm } = scope.target;
  const error = new CompletionHandlerError(
    `coworker: a handler of '${scope.taskName}' has thrown: ${String(thrown)}`,
    { cause: thrown },
  );
  const taken = realm.errors.take(error);
  if (job === 0 || !realm.module._cwb_report(job, taken)) realm.report(error);
  realm.module._cw_error_release(taken);
}

export function suspendWith<T>(scope: BaseScope, block: SuspendBlock<T>): Promise<T> {
  const { realm } = scope.target;
  const { module } = realm;
  let at = module._cw_job_retain(scope.check()); // for reports
  let continuation: Pointer = 0;
  let resumed: { value: T; undelivered: ((value: T) => void) | undefined } | undefined;
  let rejected = false;
  let over = false; // the core has no more use for the continuation

  const giveBack = (value: T, undelivered: ((value: T) => void) | undefined) => {
    try {
      undelivered?.(value);
    } catch (thrown) {
      report(scope, at, thrown);
    }
  };
  const once = () => {
    if (!resumed && !rejected) return;
    throw new IllegalStateError(`coworker: a wait of '${scope.taskName}' was resumed before`);
  };

  const resume: Resume<T> = (value, undelivered) => {
    once();
    resumed = { value, undelivered };
    if (over) giveBack(value, undelivered);
    else module._cwb_resume(continuation, token);
    realm.schedulePump();
  };
  const reject = (thrown: unknown) => {
    once();
    rejected = true;
    if (over) return;
    const error = realm.errors.take(thrown);
    module._cw_resume_error(continuation, error);
    module._cw_error_release(error);
    realm.schedulePump();
  };
  const onCancel = (handler: (error: unknown) => void) => {
    checkFunction('handler', handler);
    const mark = realm.takeFunction((_news, error) => {
      try {
        handler(realm.errors.read(error));
      } catch (thrown) {
        report(scope, at, thrown);
      }
    });
    const status = over ? layout.CW_ESTATE : module._cwb_on_cancel(continuation, mark);
    if (status === 0) return;
    if (over) realm.dropToken(mark, false); // otherwise the core has given it back
    throw new IllegalStateError(
      `coworker: a wait of '${scope.taskName}' has a handler for its cancelling already, or is over`,
    );
  };

  let token = 0;
  const promise = scope.suspend<T>(
    (job, mine) => {
      token = mine;
      return module._cwb_suspend(job, mine);
    },
    () => resumed!.value,
    (made) => {
      continuation = made;
      try {
        block(resume, reject, onCancel);
      } catch (thrown) {
        if (!resumed && !rejected) reject(thrown);
        else report(scope, at, thrown);
      }
    },
    () => giveBack(resumed!.value, resumed!.undelivered),
  );
  // The core tells the outcome last of all, so nothing comes after this.
  const end = () => {
    over = true;
    module._cw_continuation_release(continuation);
    module._cwb_job_drop(at);
    at = 0;
  };
  promise.then(end, end);
  return promise;
}
