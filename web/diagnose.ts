/**
 * Which tier there is, and why not a better one. Loaded only when it is asked for.
 *
 * @module
 */
import { environment } from './environment.js';
import { checkContext } from './options.js';
import type { CheckedOptions, ContextOptions } from './options.js';
import { grantMemory } from './runtime.js';
import { wantedTier } from './tier.js';
import type { TierReason, TierReport } from './tier.js';

/** A module of nothing. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Why WebAssembly does not run at all. */
async function noWasm(): Promise<TierReason | undefined> {
  try {
    await WebAssembly.instantiate(EMPTY);
    return undefined;
  } catch (error) {
    return {
      code: 'policy',
      message: `WebAssembly cannot be compiled here: ${String(error)}`,
      fix: "add 'wasm-unsafe-eval' to the script-src directive of the page's content security policy",
    };
  }
}

/** What there is to say of the memory that the engine gives; `none` if there is not any. */
function lessMemory(
  options: CheckedOptions,
  shared: boolean,
): { reason: TierReason | undefined; none: boolean } {
  const { memory, maximumMemory } = options;
  const kind = shared ? 'shared memory' : 'memory';
  try {
    const { maximum } = grantMemory(options, shared);
    if (maximum >= maximumMemory) return { reason: undefined, none: false };
    const reason: TierReason = {
      code: 'memory',
      message: `the engine refused ${maximumMemory} MiB of ${kind} and gave room for ${maximum} MiB`,
      fix: 'pass a smaller `maximumMemory`',
    };
    return { reason, none: false };
  } catch (error) {
    const reason: TierReason = {
      code: 'memory',
      message: `the engine refused ${memory} MiB of ${kind}: ${String(error)}`,
      fix: 'pass a smaller `memory`, and `maximumMemory`',
    };
    return { reason, none: true };
  }
}

/** As {@link diagnose}. */
export async function diagnoseTier(given: ContextOptions): Promise<TierReport> {
  const options = checkContext(1, 'diagnosis', given);
  const wanted = wantedTier(options.tier);
  const reasons: TierReason[] = [];
  const none = (): TierReport => ({ tier: undefined, reasons });
  const forbidden = await noWasm();
  if (forbidden) {
    reasons.push(forbidden);
    return none();
  }

  if (wanted === 'auto' || wanted === 'shared') {
    const lacks = await environment().lacksForSharing();
    reasons.push(...lacks);
    const { reason, none: refused } = lacks.length > 0 ? NOT_TRIED : lessMemory(options, true);
    if (reason) reasons.push(reason);
    if (lacks.length === 0 && !refused) return { tier: 'shared', reasons };
    if (wanted === 'shared') return none();
  } else {
    reasons.push({
      code: 'asked',
      message: `tier '${wanted}' was asked for`,
      fix: "leave the `tier` option out, or pass 'auto'",
    });
  }

  if (options.module && !options.soloModule) {
    reasons.push({
      code: 'option',
      message: '`module` is linked with threads only',
      fix: 'link it also with lib/coworker-solo.link, and pass that as `soloModule`',
    });
    return none();
  }
  const { reason, none: refused } = lessMemory(options, false);
  if (reason) reasons.push(reason);
  if (refused) return none();

  if (wanted !== 'inline') {
    const lacks = environment().lacksForWorkers();
    if (lacks.length === 0) return { tier: 'isolated', reasons };
    reasons.push(...lacks);
    // Only where there are no workers at all is the page itself used instead.
    if (wanted === 'isolated' || environment().hasWorkers) return none();
  }
  if (options.tasks !== undefined || options.soloModule) return { tier: 'inline', reasons };
  reasons.push({
    code: 'option',
    message: "tier 'inline' has no worker to load the tasks",
    fix: "pass `tasks: () => import('./tasks.js')`",
  });
  return none();
}

const NOT_TRIED = { reason: undefined, none: false };
