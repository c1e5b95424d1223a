/**
 * Asking for the tier. In a file of its own, since it loads what it needs when it
 * is called: bundlers that make one file of a worker take no such import there.
 *
 * @module
 */
import type { ContextOptions } from './options.js';
import type { TierReport } from './tier.js';

/**
 * Finds out which tier a context with these options would get, and why not a
 * better one, with what to do about it. It may ask the server for the headers of
 * the page.
 *
 * @throws TypeError, RangeError (rejects) for bad options
 * @example
 * const { tier, reasons } = await diagnose();
 * if (tier !== 'shared') for (const { message, fix } of reasons) console.warn(message, fix);
 */
export async function diagnose(options: ContextOptions = {}): Promise<TierReport> {
  return (await import('./diagnose.js')).diagnoseTier(options);
}
