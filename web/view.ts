/**
 * A part of a context's parallelism.
 *
 * @module
 */
import { ContextClosedError, expected, noMemory } from './errors.js';
import type { Deferred, Job } from './job.js';
import { Target, launch, splitCall } from './launch.js';
import type { Away } from './launch.js';
import * as layout from './layout.gen.js';
import { Memory } from './memory.js';
import type { LaunchOptions } from './options.js';
import type { Runtime } from './runtime.js';
import type { AnyTasks, TaskArgs, TaskName, TaskResult } from './types.js';

/**
 * Runs tasks on a context's workers, but only so many of them at once, in the
 * order of their launches. What they launch runs in the view, too. A task that
 * waits does not count. Made by {@link FixedWorkerContext.limitedParallelism}.
 */
export class ContextView<M extends object = AnyTasks> {
  readonly name: string;
  /** How many of its tasks run at once. */
  readonly parallelism: number;
  private readonly find: () => Target | undefined;

  /** @internal @param find - the core's view; none once its context is closed */
  constructor(parallelism: number, name: string, find: () => Target | undefined) {
    this.parallelism = parallelism;
    this.name = name;
    this.find = find;
  }

  /** As {@link FixedWorkerContext.launch}. */
  launch<K extends TaskName<M>>(task: K, ...args: TaskArgs<M[K]>): Job;
  launch<K extends TaskName<M>>(options: LaunchOptions, task: K, ...args: TaskArgs<M[K]>): Job;
  launch(...call: unknown[]): Job {
    return this.begin(0, call);
  }

  /** As {@link FixedWorkerContext.async}. */
  async<K extends TaskName<M>>(task: K, ...args: TaskArgs<M[K]>): Deferred<TaskResult<M[K]>>;
  async<K extends TaskName<M>>(
    options: LaunchOptions,
    task: K,
    ...args: TaskArgs<M[K]>
  ): Deferred<TaskResult<M[K]>>;
  async<T>(...call: unknown[]): Deferred<T> {
    return this.begin<T>(layout.LAUNCH_ASYNC, call);
  }

  private begin<T>(how: number, call: unknown[]): Deferred<T> {
    const [options, task, args] = splitCall(call);
    return launch<T>(this.opened(), 0, how, options, task as string, args);
  }

  /** The core's view is gone once its context is closed. */
  private opened(): Target {
    const target = this.find();
    if (target) return target;
    throw new ContextClosedError(
      `coworker: the context of view '${this.name}' is closed and takes no more work`,
    );
  }

  /** @internal Where its tasks run, if their workers have cores of their own. */
  get away(): Away | undefined {
    return this.find()?.away;
  }

  /** @internal For launching from a scope of the main thread. */
  targetFor(runtime: Runtime): Target | undefined {
    const target = this.opened();
    return runtime === target.realm ? target : undefined;
  }
}

/** @internal Makes the core's view: an owned handle. */
export function openView(base: Target, parallelism: number, name: string): Target {
  if (!Number.isInteger(parallelism) || parallelism < 1 || parallelism > 0x7fffffff) {
    throw new RangeError(expected('parallelism', 'an integer from 1 to 2147483647', parallelism));
  }
  if (typeof name !== 'string' || name.length < 1 || name.length > 40 || name.includes('\0')) {
    throw new TypeError(expected('name', 'a string of 1 to 40 characters', name));
  }
  const { realm } = base;
  const bytes = Memory.encode(name);
  realm.writeBytes(bytes);
  const at = realm.module._cwb_view_new(base.context, parallelism, bytes.length);
  if (at === 0) throw noMemory();
  const view = new Target(realm, at, name, base.isLodger);
  view.away = base.away;
  view.uncaught = base.uncaught;
  return view;
}
