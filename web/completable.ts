/**
 * Jobs without a body, which anybody can complete.
 *
 * @module
 */
import { expected, noMemory } from './errors.js';
import { Deferred, Job } from './job.js';
import type { JobInit, JobRealm } from './job-end.js';
import { currentTarget } from './current.js';
import type { Pointer } from './module.js';

/** A job that ends when it is completed and all below it have ended. */
export class CompletableJob extends Job {
  /** @internal */
  constructor(init: JobInit, at: Pointer) {
    super(init);
    this.watch(at, true);
  }

  /** Completes the job. True for the first call, whatever it was. */
  complete(): boolean {
    return completes(this, this.realm, (at, { module }) => module._cw_job_complete(at));
  }

  /** Lets the job fail, and what is below it be cancelled. True for the first call. */
  completeExceptionally(error: unknown): boolean {
    return failed(this, this.realm, error);
  }
}

/** The same with a result. */
export class CompletableDeferred<T> extends Deferred<T> {
  /** @internal */
  constructor(init: JobInit, at: Pointer) {
    super(init);
    this.watch(at, false);
  }

  /** Gives the result. True for the first call, whatever it was. */
  complete(value: T): boolean {
    // There before anybody hears of the end, which may be within the call.
    const mine = this.setLocal(value);
    const first = completes(this, this.realm, (at, { module }) => module._cw_job_complete(at));
    if (mine && !first) this.unsetLocal();
    return first;
  }

  /** Lets it fail, and what is below it be cancelled. True for the first call. */
  completeExceptionally(error: unknown): boolean {
    return failed(this, this.realm, error);
  }
}

function completes(
  job: Job,
  realm: JobRealm,
  complete: (at: Pointer, realm: JobRealm) => number,
): boolean {
  const at = job.retain();
  const first = complete(at, realm) > 0;
  realm.module._cwb_job_drop(at);
  realm.schedulePump();
  return first;
}

function failed(job: Job, realm: JobRealm, error: unknown): boolean {
  return completes(job, realm, (at, { module, errors }) => {
    const taken = errors.take(error);
    const first = module._cw_job_complete_exceptionally(at, taken);
    module._cw_error_release(taken);
    return first;
  });
}

function make<J>(
  name: string,
  parent: Job | undefined,
  create: (realm: JobRealm, parent: Pointer) => Pointer,
  wrap: (init: JobInit, at: Pointer) => J,
): J {
  const owner = currentTarget();
  const { realm } = owner;
  if (parent !== undefined && !(parent instanceof Job)) {
    throw new TypeError(expected('parent', 'a Job', parent));
  }
  const above = parent ? parent.retain(realm) : 0;
  const at = create(realm, above);
  if (above !== 0) realm.module._cwb_job_drop(above);
  if (at === 0) throw noMemory();
  return wrap({ owner, name }, at);
}

/**
 * Makes a job below `parent` (none: a root). A failure below it cancels it, with
 * all else there.
 *
 * @throws CoworkerError if coworker is not ready, see {@link MainContext.ready}
 */
export function newJob(parent?: Job): CompletableJob {
  return make(
    'Job',
    parent,
    ({ module }, above) => module._cw_job_new(above),
    (init, at) => new CompletableJob(init, at),
  );
}

/** The same, but what is below it fails alone. */
export function newSupervisorJob(parent?: Job): CompletableJob {
  return make(
    'SupervisorJob',
    parent,
    ({ module }, above) => module._cw_supervisor_job_new(above),
    (init, at) => new CompletableJob(init, at),
  );
}

/**
 * Makes a result that somebody will give.
 *
 * @example
 * const answer = newCompletableDeferred();
 * button.onclick = () => answer.complete('yes');
 * await answer;
 */
export function newCompletableDeferred<T>(parent?: Job): CompletableDeferred<T> {
  return make(
    'CompletableDeferred',
    parent,
    ({ module }, above) => module._cwb_deferred_new(above),
    (init, at) => new CompletableDeferred<T>(init, at),
  );
}
