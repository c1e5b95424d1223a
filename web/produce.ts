/**
 * Coroutines that fill a channel.
 *
 * @module
 */
import { Channel } from './channel.js';
import type { ChannelOptions } from './channel-options.js';
import { IllegalStateError, describe, expected } from './errors.js';
import type { Job } from './job.js';
import * as layout from './layout.gen.js';
import type { LaunchOptions } from './options.js';
import type { BaseScope } from './scope.js';

/** What a producer is launched with: a channel's options and a job's. */
export interface ProduceOptions<T> extends LaunchOptions, ChannelOptions<T> {
  /** As of {@link Channel}. @default Channel.RENDEZVOUS */
  readonly capacity?: number;
}

/** Whatever launches functions on this thread; `S` is the scope they get. */
export interface LocalLauncher<S> {
  async(options: LaunchOptions, run: (scope: S) => unknown): Job;
}

/** Fills a channel, whose waits belong to its own scope. */
export type ProduceBlock<S, T> = (scope: S, channel: Channel<T>) => unknown;

/** The channel of a producer, to receive from. Made by {@link produce}. */
export class ProducerChannel<T> extends Channel<T> {
  /** The producer. */
  readonly job: Job;

  /** @internal */
  constructor(channel: Channel<T>, scope: BaseScope | undefined, job: Job) {
    super(channel, scope);
    this.job = job;
  }

  /** True until the producer has ended or was cancelled. */
  get isActive(): boolean {
    return this.job.isActive;
  }

  /** True once the producer and all below it have ended. */
  get isCompleted(): boolean {
    return this.job.isCompleted;
  }

  /** True if the producer was cancelled or has failed. */
  get isCancelled(): boolean {
    return this.job.isCancelled;
  }

  /** Waits for the producer's end. */
  join(): Promise<void> {
    return this.job.join();
  }
}

/**
 * Launches a function that fills a channel. The channel is closed once the
 * function and all it has launched have ended: with its failure as cause, if it
 * has failed. Cancelling the channel cancels the function.
 *
 * @param scope - of which the producer is a child
 *
 * @example
 * const numbers = produce(scope, async (scope, channel) => {
 *   for (let n = 0; ; n++) await channel.send(n);
 * });
 * console.log(await numbers.receive(), await numbers.receive()); // 0 1
 * numbers.cancel();
 */
export function produce<T = unknown, S = BaseScope>(
  scope: LocalLauncher<S>,
  block: ProduceBlock<S, T>,
): ProducerChannel<T>;
export function produce<T = unknown, S = BaseScope>(
  scope: LocalLauncher<S>,
  options: ProduceOptions<T>,
  block: ProduceBlock<S, T>,
): ProducerChannel<T>;
export function produce<T>(
  scope: LocalLauncher<BaseScope>,
  ...rest: unknown[]
): ProducerChannel<T> {
  const block = rest.pop() as ProduceBlock<BaseScope, T>;
  const { capacity, overflow, onUndelivered, ...options } = (rest[0] ?? {}) as ProduceOptions<T>;
  if (typeof block !== 'function') {
    throw new TypeError(`coworker: a producer is a function, got ${describe(block)}`);
  }
  if (typeof (scope as { async?: unknown } | null)?.async !== 'function') {
    throw new TypeError(expected('scope', 'a scope', scope));
  }
  const channel = new Channel<T>(capacity, {
    ...(overflow && { overflow }),
    ...(onUndelivered && { onUndelivered }),
  });
  const named = { name: block.name || 'produce', ...options };
  const job = bindProducer(channel, () =>
    scope.async(named, (inner) => block(inner, channel.in(inner))),
  );
  return new ProducerChannel<T>(channel, undefined, job);
}

/** @internal Makes the job that `launch` launches the producer of a new channel. */
export function bindProducer<T>(channel: Channel<T>, launch: () => Job): Job {
  const { module } = channel.target.realm;
  if (!module._cwb_produce_begin(channel.at)) throw new IllegalStateError('coworker: it has one');
  let job: Job;
  try {
    job = launch();
  } catch (error) {
    module._cwb_produce_end(channel.at, 0);
    channel.dispose();
    throw error;
  }
  const producer = job.retain();
  module._cwb_produce_end(channel.at, producer);
  module._cwb_job_drop(producer);
  // The core closes the channel at the job's end, of which this thread hears later.
  const at = module._cwb_object_keep(layout.KIND_CHANNEL, channel.at);
  job.onEnd(() => module._cwb_object_drop(layout.KIND_CHANNEL, at));
  return job;
}
