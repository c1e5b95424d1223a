/**
 * Jobs without a body, which anybody can complete.
 *
 * @module
 */
import { CoworkerError } from './errors.js';
import { Deferred, Job } from './job.js';
import type { JobInit } from './job.js';
import type { Pointer } from './module.js';
import { parentOf } from './options.js';
import { mainRuntime } from './runtime.js';
import type { Runtime } from './runtime.js';

/** A job that ends when it is completed and all below it have ended. */
export class CompletableJob extends Job {
  /** @internal */
  constructor(init: JobInit, at: Pointer) {
    super(init);
    this.watch(at);
  }

  /** Completes the job. True for the first call, whatever it was. */
  complete(): boolean {
    return completes(this, this.realm as Runtime, (at, { module }) => module._cw_job_complete(at));
  }

  /** Lets the job fail, and what is below it be cancelled. True for the first call. */
  completeExceptionally(error: unknown): boolean {
    return failed(this, this.realm as Runtime, error);
  }
}

/** The same with a result. */
export class CompletableDeferred<T> extends Deferred<T> {
  /** @internal */
  constructor(init: JobInit, at: Pointer) {
    super(init);
    this.watch(at);
  }

  /** Gives the result. True for the first call, whatever it was. */
  complete(value: T): boolean {
    const runtime = this.realm as Runtime;
    return completes(this, runtime, (at, { module }) => {
      const first = module._cw_job_complete(at);
      // Whoever waits is resumed in a later turn.
      if (first > 0) this.setLocal(value);
      return first;
    });
  }

  /** Lets it fail, and what is below it be cancelled. True for the first call. */
  completeExceptionally(error: unknown): boolean {
    return failed(this, this.realm as Runtime, error);
  }
}

function completes(
  job: Job,
  runtime: Runtime,
  complete: (at: Pointer, runtime: Runtime) => number,
): boolean {
  const at = job.retain();
  const first = complete(at, runtime) > 0;
  runtime.module._cwb_job_drop(at);
  runtime.schedulePump();
  return first;
}

function failed(job: Job, runtime: Runtime, error: unknown): boolean {
  return completes(job, runtime, (at, { module, errors }) => {
    const taken = errors.take(error);
    const first = module._cw_job_complete_exceptionally(at, taken);
    module._cw_error_release(taken);
    return first;
  });
}

function make<J>(
  name: string,
  parent: Job | undefined,
  create: (runtime: Runtime, parent: Pointer) => Pointer,
  wrap: (init: JobInit, at: Pointer) => J,
): J {
  const runtime = mainRuntime();
  const above = parentOf({ ...(parent && { job: parent }) });
  const at = create(runtime, above.parent ?? 0);
  above.release();
  if (at === 0) throw new CoworkerError('coworker: no shared memory left', { code: 'CW_ENOMEM' });
  return wrap({ realm: runtime, owner: runtime.main, name }, at);
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
