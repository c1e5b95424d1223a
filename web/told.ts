/**
 * Errors as workers tell of them: in words, since not all can be cloned.
 *
 * @module
 */
import { StartError } from './errors.js';

/** What is told of an error. */
export interface Told {
  readonly message: string;
  readonly stack: string;
}

/** The error, as far as it was told. */
export function errorOf({ message, stack }: Told): Error {
  const error = new Error(message);
  error.stack = stack;
  return error;
}

/** A worker has failed before it was ready. */
export function startFailed(
  context: string,
  told: Told & { readonly outOfMemory: boolean },
): StartError {
  return new StartError(
    told.outOfMemory ? 'out-of-memory' : 'script-error',
    `coworker: a worker of context '${context}' failed while it started: ${told.message}`,
    { cause: errorOf(told) },
  );
}
