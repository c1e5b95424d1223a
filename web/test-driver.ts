/**
 * Runs events of virtual time, one in a turn of the event loop: whatever went on
 * because of it has come to where it waits, or to its end, before the next one.
 *
 * @module
 */
import { environment } from './environment.js';
import { CoworkerError } from './errors.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { Runtime } from './runtime.js';

/** Something that runs events until it is over. */
export interface Operation {
  /** The core's scheduler. */
  readonly scheduler: Pointer;
  /** True once it may have run an event. */
  begun: boolean;
  /** Runs the next event: TEST_RAN, TEST_WAITS or TEST_OVER. */
  goOn(): number;
  /** It is over. `last`: no other one is under way. */
  over(last: boolean): void;
  /** The core has failed. */
  failed(error: unknown): void;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What this thread drives. */
export class TestDriver {
  private readonly runtime: Runtime;
  /**
   * A test, or the like, and what was begun by what runs in it. Only the last
   * one runs events: the others wait as a caller does for what it has called.
   */
  private readonly stack: Operation[] = [];
  private queued = false;
  /** It has nothing to do, and looks again after each turn of the core's. */
  private idle = false;
  private alarm: ReturnType<typeof setTimeout> | undefined;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  get isBusy(): boolean {
    return this.stack.length > 0;
  }

  /** Takes an operation up; those that were begun together run in order. */
  push(operation: Operation): void {
    const { runtime, stack } = this;
    let place = stack.length;
    while (place > 0 && !stack[place - 1]!.begun) place--;
    stack.splice(place, 0, operation);
    if (stack.length === 1) {
      runtime.hold();
      runtime.listsJobs = true;
      runtime.afterPump = () => {
        if (this.idle) this.schedule();
      };
    }
    this.schedule();
  }

  /** Takes back the last one, which is over or has not begun. */
  pop(): void {
    const { runtime, stack } = this;
    stack.pop();
    if (stack.length > 0) return;
    runtime.afterPump = undefined;
    runtime.listsJobs = false;
    runtime.release();
  }

  private schedule(): void {
    this.idle = false;
    clearTimeout(this.alarm);
    if (this.queued) return;
    this.queued = true;
    environment().nextTurn(this.turn);
  }

  private readonly turn = (): void => {
    this.queued = false;
    const { runtime, stack } = this;
    const operation = stack[stack.length - 1];
    if (!operation) return;
    operation.begun = true;
    let state: number;
    try {
      state = operation.goOn();
    } catch (error) {
      this.pop();
      operation.failed(
        new CoworkerError(`coworker: the core failed in a test: ${String(error)}`, {
          cause: error,
        }),
      );
      return;
    }
    if (state === layout.TEST_WAITS) {
      this.wait(operation.scheduler);
      return;
    }
    runtime.schedulePump(); // jobs may have ended
    if (state === layout.TEST_OVER) {
      this.pop();
      operation.over(stack.length === 0);
    }
    if (stack.length > 0) this.schedule();
  };

  /** Waits in real time: for what comes from elsewhere, or the time limit. */
  private wait(scheduler: Pointer): void {
    this.idle = true;
    const { module } = this.runtime;
    const left = module._cwb_test_left_ms(scheduler);
    if (left < 0) return;
    const late = () => {
      module._cwb_test_check_time(scheduler);
      this.schedule();
    };
    this.alarm = setTimeout(late, Math.min(Math.ceil(left), LONGEST_TIMER_MS));
  }
}
