/**
 * Where functions of this thread run.
 *
 * @module
 */
import type { Pointer } from './module.js';

/** Decides when, and in which time, functions of this thread run. */
export abstract class Dispatcher {
  /** What it is called. */
  abstract readonly name: string;
  /** @internal The core's context; throws if there is none any more. */
  abstract readonly address: Pointer;

  /** @internal What it has thrown instead of saying where a job begins; once. */
  takeFailure(): { readonly error: unknown } | undefined {
    return undefined;
  }
}
