/**
 * The options of a launch in the form that the core takes.
 *
 * @module
 */
import { makeElements } from './elements.js';
import { noMemory } from './errors.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { LaunchOptions, Start } from './options.js';
import { parentOf, priorities } from './options.js';
import type { Job } from './job.js';
import type { JobRealm } from './job-end.js';

/** The flags for a way to begin. */
export function startFlags(start: Start | undefined): number {
  if (start === 'lazy') return layout.LAUNCH_LAZY;
  if (start === 'atomic') return layout.LAUNCH_ATOMIC;
  return start === 'undispatched' ? layout.LAUNCH_UNDISPATCHED : 0;
}

/** The core's elements for the options: owned, 0 if there are none. */
export function givenOf(realm: JobRealm, options: LaunchOptions): Pointer {
  const { parent, release } = parentOf(realm, options);
  try {
    const set = makeElements(realm, options, parent, options.killable?.grace);
    return withTerms(realm, set, options);
  } finally {
    release();
  }
}

/** Adds what counts for this launch only to a set, which it takes over. */
function withTerms(
  { module }: JobRealm,
  set: Pointer,
  { timeout = -1, deadline = -1, priority = 'normal', whenFull }: LaunchOptions,
): Pointer {
  if (timeout < 0 && deadline < 0 && priority === 'normal' && !whenFull) return set;
  const wait = whenFull ? Number(whenFull === 'wait') : -1;
  const made = module._cwb_elements_terms(set, timeout, deadline, priorities[priority], wait);
  if (set !== 0) module._cw_elements_release(set);
  if (made === 0) throw noMemory();
  return made;
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

/** Cancels the job when the signal is aborted. */
export function cancelOn(signal: AbortSignal, job: Job): void {
  if (signal.aborted) {
    job.cancel(signal.reason);
    return;
  }
  const { jobs, abort } = audienceOf(signal);
  jobs.add(job);
  job.onEnd(() => {
    jobs.delete(job);
    if (jobs.size > 0) return;
    audiences.delete(signal);
    signal.removeEventListener('abort', abort);
  });
}
