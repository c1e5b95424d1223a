/**
 * When a context that is being closed goes from draining to cancelling, and from
 * that to killing.
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

/** What setTimeout() takes. */
const MAX_TIMEOUT = 2 ** 31 - 1;

function limit(name: string, value: unknown): number {
  if (value === undefined) return Infinity;
  if (typeof value === 'number' && value >= 0) return value;
  const ErrorClass = typeof value === 'number' ? RangeError : TypeError;
  throw new ErrorClass(
    expected(`options.${name}`, 'a number of milliseconds from 0 and up, or Infinity', value),
  );
}

/** Checks what close() is called with. */
export function checkClose(options: CloseOptions): Required<CloseOptions> {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(expected('options', 'an object { cancel, drain, grace }', options));
  }
  const { cancel = false, drain, grace } = options;
  if (typeof cancel !== 'boolean') {
    throw new TypeError(expected('options.cancel', 'a boolean', cancel));
  }
  return { cancel, drain: limit('drain', drain), grace: limit('grace', grace) };
}

/** The deadlines of one context: each call of close() may bring them forward. */
export class Closing {
  private cancelAt = Infinity;
  private killAt = Infinity;
  private grace = Infinity;
  private cancel: (() => void) | undefined;
  private kill: (() => void) | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Both are called once at most, when their time has come. */
  constructor(cancel: () => void, kill: () => void) {
    this.cancel = cancel;
    this.kill = kill;
  }

  hurry({ cancel, drain, grace }: Required<CloseOptions>): void {
    const now = performance.now();
    this.cancelAt = Math.min(this.cancelAt, cancel ? now : now + drain);
    this.grace = Math.min(this.grace, grace);
    this.killAt = Math.min(this.killAt, Math.max(now, this.cancelAt) + this.grace);
    this.look();
  }

  /** Nothing is left to be done. */
  end(): void {
    clearTimeout(this.timer);
    this.cancel = this.kill = undefined;
  }

  private readonly look = (): void => {
    clearTimeout(this.timer);
    const now = performance.now();
    if (now >= this.cancelAt) {
      const { cancel } = this;
      this.cancel = undefined;
      cancel?.();
    }
    if (now >= this.killAt) {
      const { kill } = this;
      this.end();
      kill?.();
      return;
    }
    const next = this.cancel ? this.cancelAt : this.killAt;
    if (next === Infinity || !this.kill) return;
    this.timer = setTimeout(this.look, Math.min(Math.ceil(next - now), MAX_TIMEOUT));
  };
}
