/**
 * What finds out why something did not start takes no room on the many pages
 * where everything does: it is loaded when it is needed.
 *
 * @module
 */
import { StartError } from './errors.js';
import type * as failures from './start-failure.js';

type Failures = typeof failures;

/** Loaded once, so that what went wrong first is explained first. */
let loading: Promise<Failures> | undefined;

/** Gives the error that one of the functions of start-failure.ts makes. */
export async function explained(
  make: (failures: Failures) => Error | Promise<Error>,
): Promise<Error> {
  try {
    loading ??= import('./start-failure.js');
    return await make(await loading);
  } catch (cause) {
    return new StartError(
      'unknown',
      `coworker: did not start, and cannot find out why: ${String(cause)}`,
      {
        cause,
      },
    );
  }
}
