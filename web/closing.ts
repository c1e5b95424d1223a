/**
 * How a context is closed, as users say it.
 *
 * @module
 */
import { expected } from './errors.js';

/** How a context is closed. */
export interface CloseOptions {
  /** Cancels everything at once: the same as `drain: 0`. @default false */
  readonly cancel?: boolean;
  /**
   * For how many milliseconds at most what was launched before may go on until it
   * is cancelled. @default no limit
   */
  readonly drain?: number;
  /**
   * How many milliseconds after that cancellation the workers are terminated that
   * still run something. @default they are waited for, however long that takes
   */
  readonly grace?: number;
}

function limit(name: string, value: unknown): number {
  if (value === undefined) return Infinity;
  if (typeof value === 'number' && value >= 0) return Math.ceil(value);
  const ErrorClass = typeof value === 'number' ? RangeError : TypeError;
  throw new ErrorClass(
    expected(`options.${name}`, 'a number of milliseconds from 0 and up, or Infinity', value),
  );
}

/** Limits of closing in whole milliseconds, as the core takes them. */
export interface CloseLimits {
  readonly drain: number;
  readonly grace: number;
}

/** Checks what close() is called with. */
export function checkClose(options: CloseOptions): CloseLimits {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(expected('options', 'an object { cancel, drain, grace }', options));
  }
  const { cancel = false, drain, grace } = options;
  if (typeof cancel !== 'boolean') {
    throw new TypeError(expected('options.cancel', 'a boolean', cancel));
  }
  const limits = { drain: limit('drain', drain), grace: limit('grace', grace) };
  return cancel ? { ...limits, drain: 0 } : limits;
}
