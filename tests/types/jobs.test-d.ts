// Jobs, their handles, scopes to keep, and elements.

import {
  CancellationError,
  CompletableDeferred,
  CompletableJob,
  ContextKey,
  Deferred,
  GlobalScope,
  Job,
  Main,
  newCompletableDeferred,
  newFixedWorkerContext,
  newJob,
  newScope,
  newSupervisorJob,
} from 'coworker';
import type {
  CompletionHandle,
  ContextValue,
  CoroutineScope,
  Elements,
  LaunchOptions,
  MainScope,
  Start,
} from 'coworker';
import type { Scope } from 'coworker/worker';
import { expectType } from './expect.js';
import type * as tasks from './tasks.js';

// Jobs without a body.
const job = newJob();
expectType<CompletableJob>(job);
expectType<CompletableJob>(newSupervisorJob(job));
expectType<boolean>(job.complete());
expectType<boolean>(job.completeExceptionally('any value'));
const answer = newCompletableDeferred<string>(job);
expectType<CompletableDeferred<string>>(answer);
expectType<Deferred<string>>(answer);
expectType<boolean>(answer.complete('yes'));
expectType<string>(await answer);
expectType<string>(answer.getCompleted());
expectType<unknown>(answer.getCompletionErrorOrUndefined());
newCompletableDeferred<void>().complete();
// @ts-expect-error: the wrong type of result
answer.complete(5);
// @ts-expect-error: it has a result
answer.complete();
// @ts-expect-error: no job
newJob({});
// @ts-expect-error: only those without a body
Main.launch(() => {}).complete();

// Handles.
expectType<Job | undefined>(job.parent);
expectType<boolean>(job.start());
expectType<CancellationError>(job.getCancellationError());
expectType<CompletionHandle>(job.invokeOnCompletion((error: unknown) => error));
job.invokeOnCompletion(() => {}, { onCancelling: true, invokeImmediately: false }).dispose();
job.cancelChildren('why');
// @ts-expect-error: no such option
job.invokeOnCompletion(() => {}, { onCanceling: true });
// @ts-expect-error: a job has no result
job.getCompleted();
// @ts-expect-error: read-only
job.parent = job;

// Elements.
const key = new ContextKey<number>('key');
expectType<ContextValue>(key.with(5));
const elements: Elements = { name: 'n', job, handler: () => {}, values: [key.with(5)] };
const start: Start = 'undispatched';
const options: LaunchOptions = { ...elements, start, timeout: 5, job: null };
// @ts-expect-error: the wrong type of value
key.with('5');
// @ts-expect-error: values are made by the key
Main.launch({ values: [5] }, () => {});
// @ts-expect-error: no such way to begin
Main.launch({ start: 'soon' }, () => {});
// @ts-expect-error: an element, not an option of a launch
newScope({ timeout: 5 });

// Launching, with and without options, arguments and a result.
expectType<Job>(Main.launch(options, (_scope: MainScope, n: number) => n, 5));
expectType<Deferred<number>>(Main.async(options, (_scope, n: number) => n, 5));
expectType<Deferred<string>>(Main.async(async () => 'text'));
expectType<Deferred<void>>(Main.async(() => {}));
// @ts-expect-error: a job is no promise
Main.launch(() => 5).then(() => {});
// @ts-expect-error: the wrong type of argument
Main.launch(options, (_scope: MainScope, n: number) => n, '5');
// @ts-expect-error: an argument is missing
Main.async(options, (_scope: MainScope, n: number) => n);

// Scopes to keep.
const page = newScope({ job: newSupervisorJob() });
expectType<CoroutineScope>(page);
expectType<CoroutineScope>(GlobalScope);
expectType<boolean>(page.isActive);
expectType<Elements>(page.elements);
expectType<Job>(page.launch({ name: 'child' }, (_scope, n: number) => n, 5));
expectType<Deferred<number>>(page.async((_scope, n: number) => n, 5));
page.cancel();
// @ts-expect-error: functions of this thread only
page.launch('add');

// Inside of a scope.
const context = await newFixedWorkerContext<typeof tasks>(1, 'typed');
Main.launch(async (scope) => {
  expectType<number | undefined>(scope.get(key));
  expectType<Job>(scope.job);
  expectType<void>(await scope.join(job));
  expectType<void>(await scope.joinAll([job, answer]));
  expectType<void>(await scope.cancelAndJoin(job));
  expectType<string>(await scope.await(answer));
  expectType<string[]>(await scope.awaitAll([answer]));
  expectType<never>(await scope.awaitCancellation());
});
Main.launch(async (scope) => {
  expectType<string>(await scope.coroutineScope((inner) => inner.await(answer)));
  expectType<number>(await scope.supervisorScope(() => 5));
  expectType<number>(await scope.withTimeout(5, () => 5));
  expectType<number | null>(await scope.withTimeoutOrNull(5, async () => 5));
  expectType<MainScope>(await scope.nonCancellable((inner) => inner));
  expectType<number>(
    await scope.withContext({ values: [key.with(5)] }, (_inner, n: number) => n, 5),
  );
  expectType<Job>(scope.launch(context, { start: 'lazy', job }, 'greet', 'Ada'));
  expectType<Deferred<string>>(scope.async(context, { name: 'n' }, 'greet', 'Ada'));
  expectType<string>(
    await scope.suspendCancellable<string>((resume, reject, onCancel) => {
      onCancel(reject);
      resume('value', (value) => value.length);
    }),
  );
  // @ts-expect-error: a job has no result
  await scope.await(job);
  // @ts-expect-error: only what has results
  await scope.awaitAll([job]);
  // @ts-expect-error: not a key
  scope.get('key');
  // @ts-expect-error: a worker cannot run it in place of the caller's function
  scope.coroutineScope('add');
});

// In a task.
export async function task(scope: Scope): Promise<number> {
  expectType<Job>(scope.launch('add', 1, 2));
  expectType<Job>(scope.launch({ job: null }, async (inner, n: number) => inner.delay(n), 5));
  expectType<Deferred<number>>(scope.async((_inner, n: number) => n, 5));
  expectType<Deferred<string>>(scope.async<string>({ name: 'n' }, 'greet', 'Ada'));
  expectType<Deferred<unknown>>(scope.async('greet', 'Ada'));
  expectType<string>(await scope.withContext<string>('greet', 'Ada'));
  expectType<number | undefined>(await scope.withContext(elements, (inner) => inner.get(key)));
  // @ts-expect-error: the wrong type of argument
  scope.launch((_inner: Scope, n: number) => n, '5');
  return scope.coroutineScope(async (inner) => {
    expectType<Scope>(inner);
    return inner.await(inner.async(() => 5));
  });
}
