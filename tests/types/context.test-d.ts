// What a typed context takes, and what it refuses.

import { newFixedWorkerContext, stream } from 'coworker';
import type { Deferred, FixedWorkerContext, Job, ResultStream, WorkerScope } from 'coworker';
import { expectType } from './expect.js';

const context = await newFixedWorkerContext<typeof import('./tasks.js')>(3, 'typed', {
  worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  memory: 16,
  wasmUrl: new URL('https://example.com/coworker.wasm'),
});

// Results have the type that the task gives, promises unwrapped.
expectType<Deferred<number>>(context.async('add', 1, 2));
expectType<Deferred<string>>(context.async('greet', 'Ada'));
expectType<number>(await context.async('add', 1, 2));
expectType<string>(await context.async('greet', 'Ada'));
expectType<Deferred<void>>(context.async('stop'));
expectType<Promise<string[]>>(context.withContext('repeat', 'a'));
expectType<string[]>(await context.withContext('repeat', 'a', 3));
expectType<Job>(context.launch('greet', 'Ada'));

// Options come first.
expectType<Deferred<number>>(context.async({ timeout: 5 }, 'add', 1, 2));
expectType<Job>(context.launch({ signal: new AbortController().signal }, 'stop'));
expectType<Promise<string>>(context.withContext({ transfer: [new ArrayBuffer(1)] }, 'greet', 'A'));

// The scope of a worker.
const scope = context.workerScope(0);
expectType<WorkerScope<typeof import('./tasks.js')>>(scope);
expectType<Deferred<number>>(scope.async('add', 1, 2));
expectType<Job>(scope.launch({ timeout: 5, killable: { grace: 1 } }, 'greet', 'Ada'));
expectType<Promise<string[]>>(scope.withContext('repeat', 'a'));
// @ts-expect-error: no such task
scope.launch('subtract', 1, 2);
// @ts-expect-error: it has a parent
scope.launch({ job: null }, 'stop');

// Limits, progress, streams.
expectType<Job>(context.launch({ priority: 'high', deadline: 5, whenFull: 'wait' }, 'stop'));
expectType<AsyncIterableIterator<number>>(context.launch('stop').progress<number>({ limit: 1 }));
expectType<ResultStream<number>>(stream(context, 'countTo', 3));
expectType<ResultStream<number>>(stream(context, { credit: 2, timeout: 5 }, 'countTo', 3));
expectType<ResultStream<string>>(stream(context, 'repeat', 'a'));
for await (const value of stream(context, 'countTo', 3)) expectType<number>(value);
// @ts-expect-error: no such task
stream(context, 'countFrom', 3);
// @ts-expect-error: the wrong type of argument
stream(context, 'countTo', '3');
// @ts-expect-error: no such priority
context.launch({ priority: 'urgent' }, 'stop');

// A Deferred is a promise in all respects.
expectType<[number, string]>(
  await Promise.all([context.async('add', 1, 2), context.async('greet', 'Ada')]),
);
expectType<number | undefined>(await context.async('add', 1, 2).catch(() => undefined));
expectType<void>(await context.async('greet', 'Ada').join());

// @ts-expect-error: no such task
context.launch('subtract', 1, 2);
// @ts-expect-error: exported, but not a function
context.launch('limit');
// @ts-expect-error: the wrong type of argument
context.launch('add', 1, '2');
// @ts-expect-error: too few arguments
context.launch('add', 1);
// @ts-expect-error: too many arguments
context.launch('add', 1, 2, 3);
// @ts-expect-error: the scope is not the caller's to pass
context.launch('stop', {});
// @ts-expect-error: a function is no name
context.launch((scope: unknown) => scope);
// @ts-expect-error: a job has no result
await context.launch('add', 1, 2).then((sum) => sum);
// @ts-expect-error: the sum is a number
expectType<string>(await context.async('add', 1, 2));
// @ts-expect-error: not awaited
(context.async('add', 1, 2) as Deferred<number>) + 1;
// @ts-expect-error: no such option
context.async({ timout: 5 }, 'add', 1, 2);
// @ts-expect-error: the wrong type of option
context.async({ timeout: '5' }, 'add', 1, 2);
// @ts-expect-error: options come first
context.async('add', 1, 2, { timeout: 5 });
// @ts-expect-error: the worker is made by a function
await newFixedWorkerContext(1, 'name', { worker: new URL('./worker.js', import.meta.url) });
// @ts-expect-error: the number comes first
await newFixedWorkerContext('name', 1);

// Memory that tasks share.
expectType<Float64Array>(context.allocate(Float64Array, 8));
// @ts-expect-error: no typed array
context.allocate(Array, 8);

// Without a type every name and every argument will do.
const untyped = await newFixedWorkerContext(1, 'untyped');
expectType<FixedWorkerContext>(untyped);
expectType<unknown>(await untyped.async('anything', 1, 'two'));
// @ts-expect-error: nothing is known of the result
expectType<number>(await untyped.async('anything'));

export async function use(): Promise<void> {
  await using scoped = await newFixedWorkerContext(1, 'scoped');
  await scoped.ready;
}

// What a context tells of itself.
context.addEventListener('workerlost', (event) => expectType<number>(event.index));
context.addEventListener('contextrebuilt', (event) => expectType<number>(event.generation));
expectType<number>(context.generation);
