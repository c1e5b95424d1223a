/**
 * What finds out why something did not start takes no room on the many pages
 * where everything does: it is loaded when it is needed.
 *
 * @module
 */
import { StartError } from './errors.js';
import type * as failures from './start-failure.js';

type Failures = typeof failures;

/** Gives the error that one of the functions of start-failure.ts makes. */
export async function explained(
  make: (failures: Failures) => Error | Promise<Error>,
): Promise<Error> {
  try {
    return await make(await import('./start-failure.js'));
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
