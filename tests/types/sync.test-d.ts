// Mutexes, semaphores and select.

import { Main, Mutex, Semaphore, newJob, select, selectUnbiased } from 'coworker';
import type { MutexOptions, SemaphoreOptions } from 'coworker';
import { expectType } from './expect.js';

const options: MutexOptions & SemaphoreOptions = { locked: true, available: 1 };
const mutex = new Mutex(options);
const semaphore = new Semaphore(2, options);
// @ts-expect-error: no count
new Semaphore();

Main.launch(async (scope) => {
  expectType<void>(await mutex.lock(scope, 'me'));
  expectType<boolean>(mutex.tryLock());
  expectType<number>(await mutex.withLock(scope, () => 1));
  expectType<string>(await semaphore.withPermit(scope, async () => 'text'));
  // @ts-expect-error: an owner comes second
  await mutex.lock('me');
  // @ts-expect-error: read-only
  mutex.isLocked = true;

  const sum = scope.async(() => 1);
  const text = await select<string>(scope, (clauses) => {
    clauses.onAwait(sum, (value) => {
      expectType<number>(value);
      return String(value);
    });
    clauses.onJoin(newJob(), async () => 'joined');
    clauses.onLock(mutex, () => 'locked', 'me');
    clauses.onTimeout(100, () => 'late');
    // @ts-expect-error: the result is a string
    clauses.onTimeout(100, () => 1);
    // @ts-expect-error: a job has no result
    clauses.onAwait(newJob(), () => 'never');
  });
  expectType<string>(text);
  expectType<unknown>(await selectUnbiased(scope, (clauses) => clauses.onTimeout(0, () => 1)));
});
