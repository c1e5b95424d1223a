/**
 * Dispatchers for functions of the main thread.
 *
 * @module
 */
import { currentTarget } from './current.js';
import { Dispatcher } from './dispatcher.js';
import { expected, noMemory } from './errors.js';
import * as layout from './layout.gen.js';
import { Memory } from './memory.js';
import type { Pointer } from './module.js';

/** One of the core's own. */
class CoreDispatcher extends Dispatcher {
  readonly name: string;
  private readonly find: () => Pointer;

  constructor(name: string, find: () => Pointer) {
    super();
    this.name = name;
    this.find = find;
  }

  override get address(): Pointer {
    return this.find();
  }
}

/**
 * Runs functions within the call that launches or resumes them. One that is
 * launched by another of them follows when that one waits or ends.
 *
 * @example
 * Main.launch({ context: Unconfined }, () => console.log('first'));
 * console.log('second');
 */
export const Unconfined: Dispatcher = new CoreDispatcher('unconfined', () =>
  currentTarget().realm.module._cw_unconfined_context(),
);

/** What {@link MainContext.immediate} is. */
export const mainImmediate: Dispatcher = new CoreDispatcher('main.immediate', () =>
  currentTarget().realm.module._cw_main_immediate_context(),
);

/** Something of the application's that runs functions: a frame loop, a queue. */
export interface Executor {
  /**
   * Has `run` called, once, on this thread: now or later. If it throws, it
   * refuses: what was to run is cancelled, and its clean-up runs elsewhere.
   */
  execute(run: () => void): void;
  /**
   * False: the job may begin within the launch. What it throws, the launch throws,
   * and the job fails.
   * @default true, always
   */
  isDispatchNeeded?(): boolean;
}

class ExecutorDispatcher extends Dispatcher {
  readonly name: string;
  private readonly executor: Executor;
  private at: Pointer = 0;
  private failure: { readonly error: unknown } | undefined;

  constructor(executor: Executor, name: string) {
    super();
    this.executor = executor;
    this.name = name;
  }

  override get address(): Pointer {
    return this.at || (this.at = this.open());
  }

  override takeFailure(): { readonly error: unknown } | undefined {
    const { failure } = this;
    this.failure = undefined;
    return failure;
  }

  /** Whoever launches is told; nobody does where a job is resumed. */
  private failed(error: unknown): void {
    this.failure = { error };
    queueMicrotask(() => {
      if (this.takeFailure()) currentTarget().realm.report(error);
    });
  }

  private open(): Pointer {
    const { realm } = currentTarget();
    const { module } = realm;
    const { executor } = this;
    const bytes = Memory.encode(this.name);
    realm.writeBytes(bytes);
    const token = realm.takeFunction((news, task) => {
      try {
        if (news === layout.NEWS_IS_DISPATCH_NEEDED) {
          return (executor.isDispatchNeeded?.() ?? true) ? 1 : 0;
        }
        executor.execute(() => {
          module._cwb_execute(task);
          realm.schedulePump();
        });
        return 0;
      } catch (error) {
        if (news === layout.NEWS_IS_DISPATCH_NEEDED) this.failed(error);
        return -1;
      }
    });
    const at = module._cwb_executor_new(token, bytes.length);
    if (at !== 0) return at;
    realm.dropToken(token, false);
    throw noMemory();
  }
}

/**
 * Makes a dispatcher of an object that executes functions.
 *
 * @example
 * const frames = newExecutorDispatcher({
 *   execute: (run) => void requestAnimationFrame(() => run()),
 * });
 * Main.launch({ context: frames }, async (scope) => { ... });
 */
export function newExecutorDispatcher(executor: Executor, name = 'executor'): Dispatcher {
  if (typeof (executor as Partial<Executor> | null)?.execute !== 'function') {
    throw new TypeError(expected('executor', 'an object with a method execute(run)', executor));
  }
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw new TypeError(expected('name', 'a string that is not empty', name));
  }
  return new ExecutorDispatcher(executor, name);
}
