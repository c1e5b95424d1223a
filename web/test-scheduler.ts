/**
 * Virtual time, and the dispatchers that live in it.
 *
 * @module
 */
import { Dispatcher } from './dispatcher.js';
import { CoworkerError, IllegalStateError, checkMs, expected, noMemory } from './errors.js';
import * as layout from './layout.gen.js';
import { Main } from './main.js';
import type { Pointer } from './module.js';
import { firstRuntime } from './runtime.js';
import type { Runtime } from './runtime.js';
import { currentTarget, hasCurrentTarget } from './current.js';
import { TestDriver } from './test-driver.js';

let driver: TestDriver | undefined;

/**
 * Waits for coworker to be ready.
 * @throws CoworkerError (rejects) on a worker's thread
 */
export async function untilReady(): Promise<void> {
  if (firstRuntime()) return;
  if (hasCurrentTarget()) {
    throw new CoworkerError(
      'coworker: tests in virtual time run on the main thread, and this is a worker of a context',
      { code: 'CW_ENOTSUP' },
    );
  }
  await Main.ready;
}

/** The runtime and the driver of this thread. */
export function testThread(): { runtime: Runtime; driver: TestDriver } {
  currentTarget(); // or an error that says what to do
  const runtime = firstRuntime()!;
  return { runtime, driver: (driver ??= new TestDriver(runtime)) };
}

/** The ones that the core has, by their address. */
const schedulers = new Map<Pointer, TestScheduler>();

/**
 * A clock of its own, with the events that wait for it. Delays and time limits
 * of jobs on its dispatchers take no real time: they are over when somebody
 * advances the time. Made by {@link newTestScheduler}; a test has one.
 *
 * @example
 * await runTest(async ({ testScheduler }) => {
 *   await testScheduler.advanceTimeBy(1000);
 *   assert.equal(testScheduler.currentTime, 1000);
 * });
 */
export class TestScheduler {
  private at: Pointer = 0;
  private closed = false;
  private lastTime = 0;

  /** @internal */
  get address(): Pointer {
    if (this.closed) {
      throw new IllegalStateError('coworker: the test scheduler is closed, as after its test');
    }
    if (this.at === 0) {
      this.at = testThread().runtime.module._cwb_test_scheduler();
      if (this.at === 0) throw noMemory();
      schedulers.set(this.at, this);
    }
    return this.at;
  }

  /** @internal The one behind the running test, or behind Main; undefined if there is none. */
  static current(): TestScheduler | undefined {
    const runtime = firstRuntime();
    return runtime && schedulers.get(runtime.module._cwb_test_default());
  }

  /** Virtual time in milliseconds; it begins with 0. */
  get currentTime(): number {
    if (this.at === 0) return this.lastTime;
    return testThread().runtime.module._cwb_test_time(this.at);
  }

  /**
   * Runs what comes before `ms` milliseconds from now, and moves the clock there.
   * What is due at that very moment has to wait, see {@link runCurrent}.
   * @throws IllegalStateError (rejects) if a test of another scheduler is running
   */
  async advanceTimeBy(ms: number): Promise<void> {
    checkMs('ms', ms);
    if (ms < 0) throw new RangeError(expected('ms', 'at least 0', ms));
    await this.advance(layout.ADVANCE_BY, Math.ceil(ms));
  }

  /**
   * Runs events in order as long as any is left that is not in the background.
   * @throws IllegalStateError (rejects) if a test of another scheduler is running
   */
  async advanceUntilIdle(): Promise<void> {
    await this.advance(layout.ADVANCE_UNTIL_IDLE, 0);
  }

  /**
   * Runs what is due by now, also what that adds to the present moment.
   * @throws IllegalStateError (rejects) if a test of another scheduler is running
   */
  async runCurrent(): Promise<void> {
    await this.advance(layout.ADVANCE_CURRENT, 0);
  }

  private async advance(how: number, ms: number): Promise<void> {
    if (!firstRuntime()) await untilReady();
    const { runtime, driver } = testThread();
    const { module } = runtime;
    const scheduler = this.drive(runtime);
    await new Promise<void>((resolve, reject) => {
      let advance: Pointer = 0;
      driver.push({
        scheduler,
        begun: false,
        goOn() {
          // Not before: what was begun earlier moves the clock first.
          if (advance === 0) advance = module._cwb_test_advance(scheduler, how, ms);
          if (advance === 0) throw noMemory();
          return module._cwb_test_advance_go_on(advance);
        },
        over(last) {
          if (last) module._cwb_test_drive_end(scheduler);
          resolve();
        },
        failed: reject,
      });
    });
  }

  /** Lets this thread drive it, unless it does. */
  private drive({ module }: Runtime): Pointer {
    const scheduler = this.address;
    if (module._cwb_test_drive(scheduler) === 0) return scheduler;
    throw new IllegalStateError(
      'coworker: this thread runs a test with another scheduler; take `scope.testScheduler`',
    );
  }

  /**
   * Ends it: what waits on its dispatchers is cancelled, and what is left runs
   * until all its jobs have ended. A test does this with its own.
   * @throws IllegalStateError (rejects) if a test is running
   */
  async close(): Promise<void> {
    if (this.closed) return;
    if (this.at === 0) {
      this.closed = true;
      return;
    }
    const { runtime, driver } = testThread();
    if (driver.isBusy) {
      throw new IllegalStateError('coworker: a test scheduler cannot be closed during a test');
    }
    const scheduler = this.drive(runtime);
    const { module } = runtime;
    await new Promise<void>((resolve, reject) => {
      module._cwb_test_close(scheduler);
      driver.push({
        scheduler,
        begun: true, // what others begin meanwhile goes first
        goOn: () => module._cwb_test_close_go_on(scheduler),
        over: () => {
          module._cwb_test_drive_end(scheduler);
          this.ended();
          module._cw_test_scheduler_free(scheduler);
          resolve();
        },
        failed: reject,
      });
    });
  }

  /** @internal The core gives it back now. */
  ended(): void {
    this.lastTime = this.currentTime;
    schedulers.delete(this.at);
    this.at = 0;
    this.closed = true;
  }
}

/**
 * A dispatcher of a {@link TestScheduler}, for the `context` of a launch. Made by
 * {@link newStandardTestDispatcher} and {@link newUnconfinedTestDispatcher}.
 *
 * @example
 * const dispatcher = newStandardTestDispatcher();
 * await runTest(body, { dispatcher });
 * dispatcher.scheduler.currentTime; // how long it would have taken
 */
export class TestDispatcher extends Dispatcher {
  readonly name: string;
  /** Whose time it is in. */
  readonly scheduler: TestScheduler;
  private readonly which: number;

  /** @internal */
  constructor(scheduler: TestScheduler, which: number, name: string) {
    super();
    this.scheduler = scheduler;
    this.which = which;
    this.name = name;
  }

  /** @internal */
  override get address(): Pointer {
    const { address } = this.scheduler;
    return testThread().runtime.module._cw_test_context(address, this.which);
  }
}

function checkScheduler(scheduler: TestScheduler | undefined): TestScheduler {
  if (scheduler !== undefined && !(scheduler instanceof TestScheduler)) {
    throw new TypeError(expected('scheduler', 'a TestScheduler', scheduler));
  }
  return scheduler ?? TestScheduler.current() ?? new TestScheduler();
}

/**
 * Makes a scheduler without a test, at time 0.
 *
 * @example
 * const scheduler = newTestScheduler();
 * const dispatcher = newStandardTestDispatcher(scheduler);
 * Main.launch({ context: dispatcher }, async (scope) => {
 *   await scope.delay(1000);
 *   console.log('a second later');
 * });
 * await scheduler.advanceUntilIdle(); // at once
 * await scheduler.close();
 */
export function newTestScheduler(): TestScheduler {
  return new TestScheduler();
}

/**
 * A dispatcher that queues: what is launched or resumed there becomes an event at
 * the present moment of virtual time.
 *
 * @param scheduler - whose time it is in; by default that of the running test, or
 * of the dispatcher that {@link setMain} has set, or a new one
 *
 * @example
 * await runTest(async (scope) => {
 *   scope.launch({ context: newStandardTestDispatcher() }, async (child) => {
 *     await child.delay(1000);
 *   });
 * });
 */
export function newStandardTestDispatcher(scheduler?: TestScheduler): TestDispatcher {
  return new TestDispatcher(checkScheduler(scheduler), layout.TEST_STANDARD, 'test');
}

/**
 * A dispatcher that does not queue: what is launched there begins within the
 * call, and goes on as soon as what it waits for has happened.
 *
 * @param scheduler - as for {@link newStandardTestDispatcher}
 *
 * @example
 * const values = [];
 * await runTest(async (scope) => {
 *   scope.launch({ context: newUnconfinedTestDispatcher() }, () => values.push(1));
 *   values.push(2); // [1, 2]
 * });
 */
export function newUnconfinedTestDispatcher(scheduler?: TestScheduler): TestDispatcher {
  return new TestDispatcher(checkScheduler(scheduler), layout.TEST_UNCONFINED, 'test-unconfined');
}

/**
 * Puts a dispatcher in the place of the main thread: functions that `Main` and
 * scopes of one's own launch run there. Tests and test dispatchers that are made
 * later share its scheduler.
 *
 * @throws CoworkerError if coworker is not ready, see {@link MainContext.ready}
 *
 * @example
 * setMain(newStandardTestDispatcher());
 * try {
 *   await runTest(async (scope) => {
 *     const view = showView(); // uses Main.launch
 *     await scope.advanceTimeBy(500);
 *     assert.equal(view.text, 'loaded');
 *   });
 * } finally {
 *   resetMain();
 * }
 */
export function setMain(dispatcher: Dispatcher): void {
  if (!(dispatcher instanceof Dispatcher)) {
    throw new TypeError(expected('dispatcher', 'a TestDispatcher', dispatcher));
  }
  testThread().runtime.module._cw_test_set_main(dispatcher.address);
}

/**
 * Takes back what {@link setMain} did.
 *
 * @example
 * afterEach(() => resetMain());
 */
export function resetMain(): void {
  if (firstRuntime()) testThread().runtime.module._cw_test_reset_main();
}
