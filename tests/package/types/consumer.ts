// A TypeScript user's file: compiled against the installed package.

import { CancellationError, newFixedWorkerContext } from 'coworker';
import type { ContextStats, Deferred, FixedWorkerContext, Scope } from 'coworker';
import { runTest } from 'coworker/test';
import type { TestScope } from 'coworker/test';
import { serve } from 'coworker/worker';
import { serve as serveModule } from 'coworker/worker-core';
import factory from 'coworker/coworker.mjs';
import 'coworker/worker-default.js';

const tasks = {
  add: (_scope: Scope, a: number, b: number) => a + b,
  greet: async (scope: Scope, name: string) => {
    await scope.delay(1);
    return `${name}, I'm executing in ${scope.workerName}`;
  },
};

export async function use(): Promise<string> {
  const context: FixedWorkerContext<typeof tasks> = await newFixedWorkerContext<typeof tasks>(
    3,
    'typed',
    { worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }) },
  );
  const sum: Deferred<number> = context.async({ timeout: 5 }, 'add', 1, 2);
  const stats: ContextStats = context.stats();
  try {
    const greeting: string = await context.async('greet', 'Ada');
    return greeting.repeat((await sum) + stats.workers);
  } catch (error) {
    if (error instanceof CancellationError) return error.code;
    throw error;
  }
}

export const tested: Promise<number> = runTest(
  async (scope: TestScope) => {
    await scope.delay(1000);
    return scope.currentTime;
  },
  { timeout: 5000 },
);

serve(tasks);
serveModule(tasks, factory);
