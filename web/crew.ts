/**
 * What a context without shared memory has in place of threads: its crew. This
 * is what contexts and crews expect of each other.
 *
 * @module
 */
import type { Target } from './launch.js';
import type { CheckedOptions } from './options.js';
import type { Runtime } from './runtime.js';
import type { Tier } from './tier.js';

/** The context as its crew sees it. */
export interface CrewHost {
  readonly runtime: Runtime;
  readonly target: Target;
  readonly name: string;
  readonly workers: number;
  readonly options: CheckedOptions;
  /** All workers have started; these are the tasks. */
  ready(tasks: readonly string[]): void;
  /** The function that makes workers has failed. */
  notMade(error: unknown): void;
  /** An error that nobody caught, on the worker of this index. */
  stray(error: unknown, index: number): void;
  /** A worker is no more, for this reason. False: it was one too many, and nothing goes on. */
  lost(index: number, reason: string): boolean;
  /** Another one has taken its place. */
  replaced(index: number): void;
  /** The context cannot go on. */
  fail(error: Error): void;
  /** The context is closed and empty, and the workers are gone. */
  over(): void;
}

/** Runs what the core hands out of a context. */
export interface Crew {
  readonly tier: Tier;
  /** Opens the core's context, whose name is in the scratch buffer: its address, or an error code. */
  open(runtime: Runtime): number;
  /** Begins, once that is open. */
  begin(host: CrewHost): void;
  /** Workers that have not started yet. */
  readonly missing: number;
  /** Workers that are there, and those of them that have nothing to do. */
  count(): { workers: number; idle: number };
  /** No further jobs come: ends once those that there are have ended. */
  close(): void;
  /**
   * Ends the workers of a closed context, with what they run, and lets what has
   * not begun end. True: nothing is left.
   */
  kill(): boolean;
  /** Ends at once, and what it is at with it: with this error. */
  stop(error: Error): void;
  /** Throws unless arrays in the core's memory can be passed by reference. */
  checkAllocate(): void;
}
