// Tests in virtual time.

import { Main } from 'coworker';
import type { CoroutineScope, Dispatcher, MainScope } from 'coworker';
import {
  TestScheduler,
  newStandardTestDispatcher,
  newTestScheduler,
  newUnconfinedTestDispatcher,
  resetMain,
  runBlockingTest,
  runTest,
  setMain,
} from 'coworker/test';
import type { TestDispatcher, TestScope } from 'coworker/test';
import { expectType } from './expect.js';

expectType<Promise<number>>(runTest(() => 1));
expectType<Promise<string>>(
  runTest(
    async (scope) => {
      expectType<TestScope>(scope);
      expectType<number>(scope.currentTime);
      expectType<TestScheduler>(scope.testScheduler);
      expectType<CoroutineScope>(scope.backgroundScope);
      expectType<Promise<void>>(scope.advanceTimeBy(5));
      expectType<Promise<void>>(scope.advanceUntilIdle());
      expectType<Promise<void>>(scope.runCurrent());
      scope.launch({ context: newUnconfinedTestDispatcher() }, (child) => {
        expectType<MainScope>(child);
      });
      await scope.coroutineScope((inner) => inner.advanceTimeBy(1));
      return 'text';
    },
    { timeout: Infinity, dispatcher: newStandardTestDispatcher(), name: 'named' },
  ),
);
expectType<Promise<boolean>>(runBlockingTest(async () => true));

const scheduler = newTestScheduler();
expectType<TestDispatcher>(newStandardTestDispatcher(scheduler));
const dispatcher: Dispatcher = newUnconfinedTestDispatcher(scheduler);
setMain(dispatcher);
resetMain();
Main.launch({ context: dispatcher }, () => {});
await scheduler.close();

// @ts-expect-error: Main is not virtual
runTest(() => {}, { dispatcher: Main });
// @ts-expect-error: a test reports failures itself
runTest(() => {}, { handler: () => {} });
// @ts-expect-error: made by newTestScheduler(), which may change
new TestScheduler(5);
// @ts-expect-error: a number
await scheduler.advanceTimeBy('5');
