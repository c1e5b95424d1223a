/**
 * The options of a launch in the form that the core takes.
 *
 * @module
 */
import { makeElements } from './elements.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { LaunchOptions, Start } from './options.js';
import { parentOf } from './options.js';
import type { JobRealm } from './job.js';

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
    return makeElements(realm, options, parent, options.killable?.grace);
  } finally {
    release();
  }
}
