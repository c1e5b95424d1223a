/**
 * Functions as tests, in virtual time.
 *
 * @module
 */
import { CoroutineScope } from './coroutine-scope.js';
import { checkElements } from './elements.js';
import type { ContextValue } from './elements.js';
import {
  CoworkerError,
  IllegalStateError,
  NativeError,
  checkFunction,
  checkMs,
  expected,
  noMemory,
} from './errors.js';
import { givenOf } from './launch-options.js';
import type { Target } from './launch.js';
import * as layout from './layout.gen.js';
import { MainScope, localJobsOf } from './main-scope.js';
import type { CoreModule, Pointer } from './module.js';
import type { Realm } from './realm.js';
import { TestDispatcher, TestScheduler, testThread, untilReady } from './test-scheduler.js';
import type { Operation } from './test-driver.js';

/**
 * How a test runs.
 *
 * @example
 * await runTest(body, { timeout: 5000, dispatcher: newUnconfinedTestDispatcher() });
 */
export interface RunTestOptions {
  /**
   * Real time in milliseconds after which the test is cancelled; Infinity: never.
   * @default 60000
   */
  readonly timeout?: number;
  /**
   * Where the body runs, and with which scheduler.
   * @default a dispatcher that queues, with the scheduler that is behind Main if
   * `setMain()` has put one there, else a new one
   */
  readonly dispatcher?: TestDispatcher;
  /** What the body is called in errors. @default the function's name */
  readonly name?: string;
  /** Values of one's own keys. */
  readonly values?: readonly ContextValue[];
}

/**
 * The time limit of the test ran out; the message names the jobs that hung.
 *
 * @example
 * const hangs = runTest((scope) => scope.awaitCancellation(), { timeout: 100 });
 * await assert.rejects(hangs, TestTimeoutError);
 */
export class TestTimeoutError extends CoworkerError {
  override name = 'TestTimeoutError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_ETIMEDOUT' });
  }
}

/**
 * A test by {@link runBlockingTest} has left something behind.
 *
 * @example
 * const leaves = runBlockingTest((scope) => {
 *   scope.launch((child) => child.awaitCancellation());
 * });
 * await assert.rejects(leaves, UncompletedTestError);
 */
export class UncompletedTestError extends CoworkerError {
  override name = 'UncompletedTestError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_EBUSY' });
  }
}

/**
 * The scope of a test's body. All times in it are virtual: see
 * {@link TestScheduler}.
 *
 * @example
 * await runTest(async (scope) => {
 *   let ticks = 0;
 *   scope.backgroundScope.launch(async (child) => {
 *     for (;;) {
 *       await child.delay(1000);
 *       ticks++;
 *     }
 *   });
 *   await scope.advanceTimeBy(3500);
 *   assert.equal(ticks, 3);
 * });
 */
export class TestScope extends MainScope {
  /** The clock of the test. */
  readonly testScheduler: TestScheduler;
  /**
   * For what is to run beside the test: it does not keep the test alive, and is
   * cancelled at its end. A failure in it fails the test.
   */
  readonly backgroundScope: CoroutineScope;

  /** @internal */
  constructor(
    target: Target,
    at: Pointer,
    taskName: string,
    workerName: string,
    testScheduler: TestScheduler,
    backgroundScope: CoroutineScope,
  ) {
    super(target, at, taskName, workerName);
    this.testScheduler = testScheduler;
    this.backgroundScope = backgroundScope;
  }

  /** Virtual time in milliseconds. */
  get currentTime(): number {
    return this.testScheduler.currentTime;
  }

  /** As {@link TestScheduler.advanceTimeBy}. */
  advanceTimeBy(ms: number): Promise<void> {
    return this.testScheduler.advanceTimeBy(ms);
  }

  /** As {@link TestScheduler.advanceUntilIdle}. */
  advanceUntilIdle(): Promise<void> {
    return this.testScheduler.advanceUntilIdle();
  }

  /** As {@link TestScheduler.runCurrent}. */
  runCurrent(): Promise<void> {
    return this.testScheduler.runCurrent();
  }

  /** @internal */
  override inside(at: Pointer): this {
    const { target, taskName, workerName, testScheduler, backgroundScope } = this;
    return new TestScope(target, at, taskName, workerName, testScheduler, backgroundScope) as this;
  }
}

/**
 * A test's body.
 *
 * @example
 * const body: TestBody<number> = (scope) => scope.currentTime;
 */
export type TestBody<R> = (scope: TestScope) => R;

/**
 * Runs a function as a test, in virtual time: delays and time limits of the body
 * and of what it launches take no real time, and every run is the same.
 *
 * Runs events, as far into the future as it takes, until the body and all its
 * children have ended; if there is none, it waits for what was sent to workers or
 * is under way elsewhere, in real time. Then the background is cancelled. The
 * promise rejects with the first of these, the others being among its
 * `suppressed` ones: that the time limit ran out; the body's own error; failures
 * that no other job took.
 *
 * Tests run one after the other on a thread.
 *
 * @throws TestTimeoutError (rejects) with the names of the jobs that hung;
 * IllegalStateError (rejects) during another test
 *
 * @example
 * import { runTest } from 'coworker/test';
 *
 * test('waits for a minute', () =>
 *   runTest(async (scope) => {
 *     await scope.delay(60_000); // takes no time
 *     assert.equal(scope.currentTime, 60_000);
 *   }));
 */
export async function runTest<R>(
  body: TestBody<R>,
  options: RunTestOptions = {},
): Promise<Awaited<R>> {
  checkFunction('body', body);
  checkOptions(options);
  const { timeout = 60_000, dispatcher } = options;
  await untilReady();
  checkIdle();
  const current = dispatcher?.scheduler ?? TestScheduler.current();
  const scheduler = current ?? new TestScheduler();
  const place = dispatcher ?? new TestDispatcher(scheduler, layout.TEST_STANDARD, 'test');
  return run(body, place, timeout, options, current ? 0 : layout.TEST_OWN);
}

/**
 * The older form of test, with three rules of its own. What is launched begins
 * within the call. After the body's first wait only events are run, nothing is
 * waited for: a body or another job that has not ended then, or an event that is
 * left, is an error. And advancing the time includes the moment it leads to.
 *
 * @throws UncompletedTestError (rejects) if something is left
 *
 * @example
 * await runBlockingTest(async (scope) => {
 *   let done = false;
 *   scope.launch(async (child) => {
 *     await child.delay(10);
 *     done = true;
 *   });
 *   await scope.advanceTimeBy(10);
 *   assert.isTrue(done);
 * });
 */
export async function runBlockingTest<R>(body: TestBody<R>): Promise<Awaited<R>> {
  checkFunction('body', body);
  await untilReady();
  checkIdle();
  const place = new TestDispatcher(new TestScheduler(), layout.TEST_UNCONFINED, 'test-unconfined');
  return run(body, place, 60_000, {}, layout.TEST_OWN | layout.TEST_BLOCKING);
}

function checkOptions(options: RunTestOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(expected('options', 'an object', options));
  }
  const { timeout, dispatcher } = options;
  if (timeout !== undefined) checkMs('options.timeout', timeout);
  if (timeout !== undefined && timeout <= 0) {
    throw new RangeError(expected('options.timeout', 'more than 0', timeout));
  }
  if (dispatcher !== undefined && !(dispatcher instanceof TestDispatcher)) {
    throw new TypeError(
      `${expected('options.dispatcher', 'a TestDispatcher', dispatcher)}: tests run in virtual time only`,
    );
  }
  if ('handler' in options) {
    throw new TypeError(
      'coworker: a test takes no `handler`: it reports failures that nobody takes itself',
    );
  }
  checkElements(options);
}

function checkIdle(): void {
  if (!testThread().driver.isBusy) return;
  throw alreadyRunning();
}

function alreadyRunning(): IllegalStateError {
  return new IllegalStateError(
    'coworker: a test in virtual time is running on this thread already; ' +
      'await it before the next one, and do not put one inside of the other',
  );
}

function run<R>(
  body: TestBody<R>,
  place: TestDispatcher,
  timeout: number,
  { name = body.name || 'test', values }: RunTestOptions,
  flags: number,
): Promise<Awaited<R>> {
  const { runtime, driver } = testThread();
  const { module } = runtime;
  const { scheduler } = place;
  const target = runtime.main;
  const background = new CoroutineScope({
    context: new TestDispatcher(scheduler, layout.TEST_BACKGROUND, 'test-background'),
  });
  const locals = localJobsOf(runtime);
  const context = place.address;
  return new Promise((resolve, reject) => {
    let test: Pointer = 0;
    const operation: Operation = {
      scheduler: scheduler.address,
      begun: true,
      goOn: () => module._cwb_test_go_on(test),
      over() {
        const gaveUp = module._cwb_test_given_up(test) !== 0;
        if (gaveUp) runtime.holdNoLonger();
        if (flags & layout.TEST_OWN) scheduler.ended();
        const error = module._cwb_test_outcome(test);
        if (error !== 0) reject(failureOf(runtime, module, error));
        else resolve(job.result());
      },
      failed: reject,
    };
    driver.push(operation); // what the body begins within the call goes on top
    const given = givenOf(runtime, { name, ...(values && { values }) });
    const job = locals.add<Awaited<R>>(
      layout.LAUNCH_ASYNC,
      name,
      body,
      [],
      (number, token) => {
        test = module._cwb_test_begin(context, number, token, flags, Math.ceil(timeout), given);
        return test === 0 ? 0 : module._cwb_test_body(test);
      },
      (at, taskName) => new TestScope(target, at, taskName, 'main', scheduler, background),
      () => {
        driver.pop();
        return module._cw_last_error() === layout.CW_ENOMEM ? noMemory() : alreadyRunning();
      },
    );
    module._cw_elements_release(given);
  });
}

/** What the core tells of a test, as errors of this module's. */
function failureOf(realm: Realm, module: CoreModule, error: Pointer): unknown {
  const code = module._cw_error_code(error);
  const failure = realm.errors.readOwned(error);
  if (!(failure instanceof NativeError)) return failure;
  const message = `coworker: ${failure.message}`;
  let told: CoworkerError = failure;
  if (code === layout.CW_ETIMEDOUT) told = new TestTimeoutError(message);
  if (code === layout.CW_EBUSY) told = new UncompletedTestError(message);
  if (failure.suppressed) told.suppressed = failure.suppressed;
  return told;
}
