// Jobs on the main thread, and scopes.

import { CancellationError, Main, StartError, newFixedWorkerContext, transfer } from 'coworker';
import type { Deferred, Job, MainScope, StartCause } from 'coworker';
import { serve } from 'coworker/worker';
import type { Scope } from 'coworker/worker';
import { serve as serveModule } from 'coworker/worker-core';
import factory from 'coworker/coworker.mjs';
import { expectType } from './expect.js';
import * as tasks from './tasks.js';

// Arguments and result come from the function.
const job = Main.async(
  async (scope, text: string, count: number) => {
    expectType<MainScope>(scope);
    await scope.delay(1);
    return text.repeat(count);
  },
  'a',
  3,
);
expectType<Deferred<string>>(job);
expectType<string>(await job);
expectType<number>(await Main.withContext({ timeout: 5 }, () => 1));
expectType<Job>(Main.launch(() => undefined));

// @ts-expect-error: the wrong type of argument
Main.async((_scope: MainScope, text: string) => text, 1);
// @ts-expect-error: too few arguments
Main.async((_scope: MainScope, text: string) => text);
// @ts-expect-error: the result is a string
expectType<number>(await job);
// @ts-expect-error: a task's name needs a context
Main.launch('add');

const context = await newFixedWorkerContext<typeof tasks>(1, 'typed');
Main.launch(async (scope) => {
  expectType<number>(await scope.async(context, 'add', 1, 2));
  expectType<string>(await scope.withContext(context, { timeout: 5 }, 'greet', 'Ada'));
  expectType<Deferred<number>>(scope.async(() => 1));
  expectType<Job>(scope.launch(async (child, text: string) => child.delay(text.length), 'a'));
  // @ts-expect-error: the wrong type of argument
  scope.launch(context, 'add', 1, '2');
  // @ts-expect-error: not a context
  scope.launch(1, 'add');
  // @ts-expect-error: a name needs its context
  scope.launch('add');
});

export async function task(scope: Scope): Promise<unknown> {
  expectType<number>(await scope.async<number>('add', 1, 2));
  expectType<AbortSignal>(scope.signal);
  // @ts-expect-error: read-only
  scope.workerName = 'other';
  const buffer = new ArrayBuffer(8);
  return transfer(buffer, [buffer]);
}

serve(tasks);
serveModule(tasks, factory);
// @ts-expect-error: not an object
serve('tasks');
// @ts-expect-error: the module is missing
serveModule(tasks);

export function describe(error: unknown): StartCause | string {
  if (error instanceof StartError) return error.reason;
  if (error instanceof CancellationError) return error.code;
  return String(error);
}
