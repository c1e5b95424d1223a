/**
 * Looking at what goes on.
 *
 * @module
 */
import { currentTarget } from './current.js';
import { IllegalStateError, noMemory } from './errors.js';
import type { Job } from './job.js';
import * as layout from './layout.gen.js';

/** What {@link setDebug} switches on; what is left out is off. */
export interface DebugOptions {
  /**
   * Knows all jobs that are launched from now on, and since when each of them
   * waits, for {@link dumpCoroutines}. @default false
   */
  readonly jobs?: boolean;
  /**
   * Logs a hint when coroutines in C wait for each other in a circle, or for one
   * that nobody has started. Bodies in JavaScript can always be called back, so
   * that there is no telling of them: see {@link dumpCoroutines}. @default false
   */
  readonly deadlocks?: boolean;
  /**
   * Puts each task and function that runs into the performance timeline of its
   * thread, under its name. @default false
   */
  readonly timeline?: boolean;
}

/**
 * Switches help for debugging on or off, for all contexts of this module. It
 * costs some time and memory per job. Best called before anything is launched.
 *
 * @throws CoworkerError if coworker is not ready
 * @example
 * setDebug({ jobs: true, timeline: true });
 */
export function setDebug(options: DebugOptions): void {
  const { jobs = false, deadlocks = false, timeline = false } = options;
  currentTarget().realm.module._cwb_debug_set(
    (jobs ? layout.DEBUG_JOBS : 0) | (deadlocks ? layout.DEBUG_DEADLOCKS : 0),
    timeline ? 1 : 0,
  );
}

/**
 * The tree of jobs as text, a line for each: its name, its state, what it waits
 * for and since when, and who waits for whom. Waits of a function in JavaScript
 * are lines of their own below it.
 *
 * @param job - tells of this job and all below it; without it, of all jobs
 * @throws IllegalStateError without a job, unless `setDebug({ jobs: true })` was
 * called before
 * @example
 * console.log(dumpCoroutines());
 */
export function dumpCoroutines(job?: Job): string {
  const { realm } = currentTarget();
  const at = job ? job.retain() : 0;
  const length = realm.module._cwb_dump(at);
  if (at !== 0) realm.module._cwb_job_drop(at);
  if (length === layout.CW_ESTATE) {
    throw new IllegalStateError(
      'coworker: dumpCoroutines() without a job needs setDebug({ jobs: true }) before',
    );
  }
  if (length < 0) throw noMemory();
  return realm.memory.textOf(realm.scratchAt, length);
}
