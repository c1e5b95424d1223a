/**
 * What both entries of `coworker/test` export.
 *
 * @module
 */
export { runBlockingTest, runTest, TestScope } from './run-test.js';
export { TestTimeoutError, UncompletedTestError } from './run-test.js';
export type { RunTestOptions, TestBody } from './run-test.js';
export {
  TestDispatcher,
  TestScheduler,
  newStandardTestDispatcher,
  newTestScheduler,
  newUnconfinedTestDispatcher,
  resetMain,
  setMain,
} from './test-scheduler.js';
