/**
 * Opening contexts.
 *
 * @module
 */
import { FixedWorkerContext } from './context.js';
import type { Crew } from './crew.js';
import { checkContext } from './options.js';
import type { CheckedOptions, ContextOptions } from './options.js';
import { lacksMemory, runtimeOf } from './runtime.js';
import type { Runtime } from './runtime.js';
import { wantedTier } from './tier.js';
import type { AnyTasks } from './types.js';

/**
 * Opens a context with `workers` workers, called `name` if there is one and
 * `name-1` to `name-N` otherwise. Its promise is fulfilled as soon as jobs can be
 * launched; `context.ready` tells when all workers run.
 *
 * @throws RangeError, TypeError (rejects) for a bad argument; IsolationError if
 * the page is not cross-origin isolated; StartError if the module does not load
 *
 * @example
 * await using context = await newFixedWorkerContext(3, 'worker-context', {
 *   worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
 * });
 * const job = context.launch('greet', 'Ada');
 * await job.join();
 */
export async function newFixedWorkerContext<M extends object = AnyTasks>(
  workers: number,
  name: string,
  options: ContextOptions = {},
): Promise<FixedWorkerContext<M>> {
  return openContext<M>(workers, name, options, false);
}

/** @internal The same, for a context that everybody shares, too. */
export async function openContext<M extends object>(
  workers: number,
  name: string,
  options: ContextOptions,
  isShared: boolean,
): Promise<FixedWorkerContext<M>> {
  const checked = checkContext(workers, name, options);
  const { runtime, crew } = await placeOf(checked);
  const readTrace = checked.trace ? (await import('./trace.js')).readTrace : undefined;
  const context = new FixedWorkerContext<M>(
    runtime,
    workers,
    name,
    checked,
    readTrace,
    isShared,
    crew,
  );
  if (context.notOpened) throw await context.notOpened;
  return context;
}

/** What a context with these options runs on. */
async function placeOf(options: CheckedOptions): Promise<{ runtime: Runtime; crew?: Crew }> {
  const tier = wantedTier(options.tier);
  let cause: unknown;
  if (tier === 'auto' || tier === 'shared') {
    try {
      return { runtime: await runtimeOf(options) };
    } catch (error) {
      if (tier === 'shared' || !lacksMemory(error)) throw error;
      cause = error;
    }
  }
  return (await import('./tiers.js')).withoutThreads(options, tier, cause);
}
