/**
 * Tasks that give one value after the other.
 *
 * @module
 */
import { Channel } from './channel.js';
import type { FixedWorkerContext } from './context.js';
import { expected } from './errors.js';
import { checkScope } from './handle.js';
import type { Job } from './job.js';
import { STREAM, splitCall } from './launch.js';
import type { Away } from './launch.js';
import type { MainScope } from './main-scope.js';
import type { LaunchOptions } from './options.js';
import { ProducerChannel, bindProducer } from './produce.js';
import type { BaseScope } from './scope.js';
import type { Scope } from './task-scope.js';
import type { TaskArgs, TaskName } from './types.js';
import type { ContextView } from './view.js';

/** What a stream is launched with, besides the options of a job. */
export interface StreamOptions extends LaunchOptions {
  /**
   * How many values the task may give that were not taken yet: after so many it
   * stays where it gave the last one. `Infinity` lets it run on.
   * @default 16
   */
  readonly credit?: number;
}

/** What tasks give that are streamed. */
export type StreamValue<F> = F extends (scope: never, ...args: never[]) => infer R
  ? Awaited<R> extends AsyncIterable<infer T> | Iterable<infer T>
    ? Awaited<T>
    : never
  : never;

/** Where tasks of one module are streamed from. */
export type Streamer<M extends object> = FixedWorkerContext<M> | ContextView<M>;

/**
 * The values of a task, to be taken once, by one loop. Leaving the loop early
 * cancels the task and waits for its clean-up. Made by {@link stream}.
 */
export class ResultStream<T> extends ProducerChannel<T> {
  /**
   * The values, to the task's end; what it fails with is thrown.
   * @param scope - whose job it is that waits
   */
  override values(scope?: BaseScope): AsyncIterableIterator<T> {
    const values = super.values(scope && checkScope(scope));
    return {
      next: () => values.next(),
      return: async () => {
        this.cancel();
        await this.job.join();
        return values.return!();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

const DEFAULT_CREDIT = 16;

/**
 * Launches a task that is an async generator, and gives its values as they come.
 * The task runs ahead of the loop by `credit` values at most. It is an
 * async job of its context, or a child of the scope; its failure is thrown by the
 * loop.
 *
 * @throws TypeError, RangeError for bad options, and as `async()` does
 *
 * @example
 * // tasks.js
 * export async function* primes(scope, below) {
 *   for (let n = 2; n < below; n++) if (isPrime(n)) yield n;
 * }
 * // main.js
 * for await (const prime of stream(context, { credit: 4 }, 'primes', 1e6)) {
 *   if (prime > 100) break; // ends the task
 * }
 */
export function stream<M extends object, K extends TaskName<M>>(
  context: Streamer<M>,
  task: K,
  ...args: TaskArgs<M[K]>
): ResultStream<StreamValue<M[K]>>;
export function stream<M extends object, K extends TaskName<M>>(
  context: Streamer<M>,
  options: StreamOptions,
  task: K,
  ...args: TaskArgs<M[K]>
): ResultStream<StreamValue<M[K]>>;
export function stream<M extends object, K extends TaskName<M>>(
  scope: MainScope,
  context: Streamer<M>,
  task: K,
  ...args: TaskArgs<M[K]>
): ResultStream<StreamValue<M[K]>>;
export function stream<M extends object, K extends TaskName<M>>(
  scope: MainScope,
  context: Streamer<M>,
  options: StreamOptions,
  task: K,
  ...args: TaskArgs<M[K]>
): ResultStream<StreamValue<M[K]>>;
export function stream<T = unknown>(
  scope: Scope,
  task: string,
  ...args: unknown[]
): ResultStream<T>;
export function stream<T = unknown>(
  scope: Scope,
  options: StreamOptions,
  task: string,
  ...args: unknown[]
): ResultStream<T>;
export function stream<T>(place: unknown, ...rest: unknown[]): ResultStream<T> {
  const launcher = place as { async?: (...call: unknown[]) => Job } | null;
  if (typeof launcher?.async !== 'function') {
    throw new TypeError(expected('context', 'a context or a scope', place));
  }
  const context = rest[0] as FixedWorkerContext | null;
  const where = typeof context?.targetFor === 'function' ? rest.splice(0, 1) : [];
  const [options, task, args] = splitCall(rest);
  if (typeof task !== 'string') {
    throw new TypeError(expected('task', 'the name of a task', task));
  }
  const { credit = DEFAULT_CREDIT, ...others } = (options ?? {}) as StreamOptions;
  if (typeof credit !== 'number' || !(credit >= 1) || !(credit % 1 === 0 || credit === Infinity)) {
    const message = expected('options.credit', 'an integer from 1 up, or Infinity', credit);
    throw typeof credit === 'number' ? new RangeError(message) : new TypeError(message);
  }
  const { away } = (where.length > 0 ? context : place) as { away?: Away };
  // The one that waits for room counts, too. In another core its worker counts.
  const channel = new Channel<T>(away ? Infinity : credit - 1);
  const job = bindProducer(channel, () => {
    const begin = { name: task, ...others };
    const to = away ? credit : channel;
    const launched = launcher.async!(...where, begin, STREAM, task, to, ...args);
    away?.feeds(launched, channel);
    return launched;
  });
  return new ResultStream<T>(channel, undefined, job);
}
