/**
 * Contexts without shared memory. A page whose memory can be shared does not
 * load this.
 *
 * @module
 */
import type { Crew } from './crew.js';
import { environment } from './environment.js';
import { TierError, describe } from './errors.js';
import { InlineCrew } from './inline-crew.js';
import { IsolatedCrew } from './isolated-crew.js';
import type { CheckedOptions } from './options.js';
import { firstRuntime, runtimeOf } from './runtime.js';
import type { Runtime } from './runtime.js';
import type { TaskModule } from './task-runner.js';
import type { Tier } from './tier.js';

/**
 * Finds what a context runs on that is not to share memory, or cannot.
 * @param tier - the one that was asked for
 * @param cause - why memory cannot be shared
 */
export async function withoutThreads(
  options: CheckedOptions,
  tier: Tier | 'auto',
  cause?: unknown,
): Promise<{ runtime: Runtime; crew: Crew }> {
  const { module, soloModule } = options;
  const chosen = tier === 'auto' ? (environment().hasWorkers ? 'isolated' : 'inline') : tier;
  if (module && !soloModule) {
    throw new TierError(
      `coworker: \`options.module\` is built with threads, which tier '${chosen}' has not; link it ` +
        'also with lib/libcoworker-solo.a and the flags in lib/coworker-solo.link, and pass that as ' +
        '`soloModule`',
      { tier: chosen, cause },
    );
  }
  if (chosen === 'isolated') {
    if (!environment().hasWorkers) {
      throw new TierError(
        "coworker: there is no Worker here, which tier 'isolated' needs; use 'inline'",
      );
    }
    const runtime =
      firstRuntime() ?? (await runtimeOf({ ...options, soloModule: undefined }, true));
    return { runtime, crew: new IsolatedCrew() };
  }
  const tasks = await loadTasks(options);
  const runtime = soloModule
    ? await runtimeOf(options, true)
    : (firstRuntime() ?? (await runtimeOf(options, true)));
  return { runtime, crew: new InlineCrew(tasks) };
}

async function loadTasks({ tasks, soloModule }: CheckedOptions): Promise<TaskModule> {
  if (tasks === undefined && soloModule) return {};
  if (tasks === undefined) {
    throw new TierError(
      "coworker: tier 'inline' runs tasks on this thread and has no worker to load them; pass the " +
        "task module, too: `tasks: () => import('./tasks.js')`",
      { tier: 'inline' },
    );
  }
  const loaded: unknown = typeof tasks === 'function' ? await (tasks as () => unknown)() : tasks;
  if (typeof loaded === 'object' && loaded !== null) return loaded as TaskModule;
  throw new TypeError(
    `coworker: expected \`options.tasks\` to give a module of functions, got ${describe(loaded)}`,
  );
}
