// Tasks with scopes inside of them, and with functions that they launch themselves.

import { library } from './library.js';

const { ContextKey, TimeoutCancellationError, newJob } = library;

// ---- scopes, and functions that a task launches on its own worker

/** Marks come in this order: 'body', 'child', 'after'. */
export async function scopeThere(scope) {
  const marks = [];
  const result = await scope.coroutineScope((inner) => {
    inner.launch(async (child) => {
      await child.yield();
      marks.push('child', child.workerName === scope.workerName);
    });
    marks.push('body');
    return 'result';
  });
  marks.push('after');
  return [result, marks];
}
/** A scope throws what its child has thrown, as the same object. */
export async function failingScopeThere(scope) {
  const thrown = new RangeError('of the child');
  try {
    await scope.coroutineScope((inner) => {
      inner.launch(() => {
        throw thrown;
      });
    });
  } catch (error) {
    return [error === thrown, scope.isActive];
  }
  return 'nothing';
}
/** The same for a task's failure, which comes from another job of the worker. */
export async function supervisorThere(scope) {
  const told = [];
  const handler = (error) => told.push(error.message, error.constructor.name);
  const result = await scope.supervisorScope(async (inner) => {
    const failing = inner.launch({ handler }, 'fail', 'alone');
    const other = inner.async('add', 1, 2);
    await inner.join(failing);
    return inner.await(other);
  });
  return [result, told];
}
export async function timeoutsThere(scope) {
  const nothing = await scope.withTimeoutOrNull(1, (inner) => inner.awaitCancellation());
  const value = await scope.withTimeoutOrNull(60_000, () => 'in time');
  let name;
  try {
    await scope.withTimeout(1, (inner) => inner.awaitCancellation());
  } catch (error) {
    name = error.name;
  }
  return [nothing, value, name, scope.isActive];
}
/** Cleans up by waiting although it is cancelled. */
export async function nonCancellableThere(scope, cells) {
  try {
    Atomics.store(cells, 0, 1);
    await scope.awaitCancellation();
  } finally {
    await scope.nonCancellable(async (safe) => {
      await safe.yield();
      Atomics.store(cells, 1, safe.isActive ? 1 : 2);
    });
  }
}
/** Values that are found on whichever worker a job runs. */
export async function valueThere(scope, name) {
  const key = new ContextKey(name);
  const other = new ContextKey('unknown');
  const local = await scope.async((child) => child.get(key));
  const changed = await scope.withContext({ values: [key.with('changed')] }, (inner) => [
    inner.get(key),
    inner.async('getValue', name),
  ]);
  return [
    scope.get(key),
    local,
    await scope.async('getValue', name),
    changed[0],
    await changed[1],
    await scope.async({ values: [key.with('own')] }, 'getValue', name),
    scope.get(other) === undefined,
  ];
}
export const getValue = (scope, name) => scope.get(new ContextKey(name));
/** Handles to jobs, as a worker has them. */
export async function handlesThere(scope) {
  const child = scope.launch((inner) => inner.yield());
  const task = scope.launch('wait');
  const bare = newJob(scope.job);
  const results = [
    child.parent === scope.job,
    task.parent === scope.job,
    bare.parent === scope.job,
    await scope.coroutineScope((inner) => inner.job.parent === scope.job),
    scope.job.name,
    task.name,
    scope.job.parent?.name,
    [scope.job.isActive, scope.job.isCompleted, scope.job.isCancelled],
  ];
  bare.complete();
  task.cancel();
  return results;
}
export const handlesBelow = (scope) => scope.async('handlesThere');
/** What a worker refuses. */
export async function badInputThere(scope) {
  const errors = [];
  const calls = [
    () => scope.async({ start: 'undispatched' }, 'add', 1, 2),
    () => scope.launch({ job: 5 }, 'add', 1, 2),
    () => scope.join('job'),
    () => newJob('parent'),
  ];
  for (const call of calls) {
    try {
      await call();
      errors.push('none');
    } catch (error) {
      errors.push(`${error.name}: ${error.message}`);
    }
  }
  return errors;
}
/** A failure that nobody on the worker takes. */
export async function leaveFailure(scope, message) {
  const job = scope.launch({ job: null }, () => {
    throw new RangeError(message);
  });
  await scope.join(job);
  return [job.isCancelled, scope.isActive];
}

// ---- time limits, and callers that are cancelled

/**
 * Waits for a cell, cancels the job that it was called from by withContext(),
 * then may fail.
 */
export function cancelCaller(scope, cells, message) {
  while (Atomics.load(cells, 2) === 0);
  scope.job.parent.cancel('from the block');
  Atomics.store(cells, 1, scope.isActive ? 2 : 1);
  Atomics.store(cells, 0, 1);
  if (message !== undefined) throw new RangeError(message);
  return 'a value';
}
/** Is busy in a block until its time limit has run out. */
export async function busyTooLong(scope, ms) {
  const end = performance.now() + 10_000;
  let ranOut = false;
  const result = await scope.withTimeoutOrNull(ms, (inner) => {
    while (inner.isActive && performance.now() < end);
    ranOut = !inner.isActive;
    return 'value';
  });
  return [result, scope.isStopped, ranOut];
}
/** Blocks that are busy until their time limit has run out. */
export async function busyBlocks(scope, ms) {
  const end = performance.now() + 10_000;
  const spinIn = (inner) => {
    while (inner.isActive && performance.now() < end);
  };
  return [
    await scope.withTimeoutOrNull(ms, (inner) => (spinIn(inner), 'plain')),
    await scope.withTimeoutOrNull(ms, async (inner) => (spinIn(inner), 'async')),
    await scope.withTimeoutOrNull(ms, async (inner) => {
      await null;
      spinIn(inner);
      return 'late';
    }),
  ];
}
/** Which time limit ended a child. */
export async function limitThere(scope, options, task) {
  const job = scope.supervisorScope((inner) => inner.async(options, task));
  return (await job.catch((error) => error)).limit;
}
export function failsWithDeadline() {
  throw new TimeoutCancellationError('on purpose', { limit: 'deadline' });
}
