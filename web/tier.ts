/**
 * What a context runs on, by what the page it is in can do.
 *
 * @module
 */
import { describe } from './errors.js';

/**
 * - `shared`: workers that share memory. Needs a cross-origin isolated page, or
 *   Node
 * - `isolated`: workers that share nothing; jobs travel as messages
 * - `inline`: no workers; tasks run on the page's own event loop
 */
export type Tier = 'shared' | 'isolated' | 'inline';

/** Why there is no better tier. */
export interface TierReason {
  /**
   * - `asked`: the `tier` option, or {@link setDefaultTier}, wants it so
   * - `insecure`: the page came over http
   * - `header`: a response lacks one; `url` says which response
   * - `frame`: the page is in a frame that may not be isolated
   * - `engine`: the engine lacks something
   * - `memory`: the engine gave none, or less than was asked for
   * - `policy`: a content security policy forbids something
   * - `option`: an option is missing
   */
  readonly code:
    'asked' | 'insecure' | 'header' | 'frame' | 'engine' | 'memory' | 'policy' | 'option';
  /** What is wrong. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** The response that it is about. */
  readonly url?: string;
}

/** What `diagnose()` finds. */
export interface TierReport {
  /** The tier that a context would get; undefined if it could not be opened. */
  readonly tier: Tier | undefined;
  /** Why it is not a better one, or none; empty for `shared`, with all that was asked for. */
  readonly reasons: readonly TierReason[];
}

const tiers: readonly unknown[] = ['auto', 'shared', 'isolated', 'inline'];

/** True for what the `tier` option takes. */
export function isTier(value: unknown): value is Tier | 'auto' {
  return tiers.includes(value);
}

let preferred: Tier | 'auto' = 'auto';

/** The tier for a context that was opened with this option. */
export function wantedTier(option: Tier | 'auto' | undefined): Tier | 'auto' {
  return option ?? preferred;
}

/**
 * The tier of contexts that are opened without the `tier` option from now on: to
 * try or test a program in another one than the best there is. Called before
 * anything else, so that `Main` runs without shared memory, too.
 *
 * @throws TypeError if it is none
 * @example
 * setDefaultTier('isolated');
 * const context = await newFixedWorkerContext(2, 'worker-context', { worker });
 */
export function setDefaultTier(tier: Tier | 'auto'): void {
  if (!isTier(tier)) {
    throw new TypeError(
      `coworker: expected \`tier\` to be 'auto', 'shared', 'isolated' or 'inline', got ${describe(tier)}`,
    );
  }
  preferred = tier;
}
