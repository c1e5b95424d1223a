/**
 * The latest value for everybody.
 *
 * @module
 */
import { readElement, writeElement } from './channel-element.js';
import { Channel } from './channel.js';
import type { ClosedResult } from './channel-receive.js';
import { currentTarget } from './current.js';
import { ClosedSendError, IllegalStateError, describe, noMemory } from './errors.js';
import { Handle, registerHandle } from './handle.js';
import type { Given } from './handle.js';
import * as layout from './layout.gen.js';
import { Transfer } from './parcels.js';

/** How a {@link ConflatedBroadcastChannel} begins. */
export interface BroadcastOptions<T> {
  /** The first value. @default none yet */
  readonly value?: T;
}

/**
 * Gives the latest value to everybody: each subscriber has a conflated channel
 * of its own, which has the latest value from the start, and one that is slow
 * misses what came between. Sending never waits. Values are plain data, and
 * copied.
 *
 * It can be an argument or result of a task, as a {@link Channel}.
 *
 * @example
 * const progress = new ConflatedBroadcastChannel();
 * const job = context.launch('crunch', progress);
 * for await (const percent of progress.openSubscription()) show(percent);
 */
export class ConflatedBroadcastChannel<T = unknown> extends Handle {
  /** @internal */
  override get kind(): string {
    return 'ConflatedBroadcastChannel';
  }

  /** @throws CoworkerError if coworker is not ready, see {@link MainContext.ready} */
  constructor(options?: BroadcastOptions<T>);
  /** @internal */
  constructor(options: undefined, given: Given);
  constructor(options: BroadcastOptions<T> = {}, given?: Given) {
    super(given ?? make(), layout.KIND_BROADCAST);
    if ('value' in options) this.put(options.value);
  }

  /**
   * Sends a value, which becomes the latest one.
   * @throws TypeError if it is not plain data; ClosedSendError (rejects) if the
   * channel is closed
   */
  send(value: T): Promise<void> {
    if (this.put(value)) return Promise.resolve();
    return Promise.reject(new ClosedSendError('the channel is closed: nothing can be sent'));
  }

  /** The same, but tells that the channel is closed. */
  trySend(value: T): { success: true; closed: false } | ClosedResult {
    if (this.put(value)) return { success: true, closed: false };
    return { success: false, closed: true, cause: undefined };
  }

  /**
   * The latest value.
   * @throws IllegalStateError before the first one, and once it is closed
   */
  get value(): T {
    const { at } = this;
    const { realm } = this.target;
    if (realm.module._cwb_broadcast_value(at) === 0) {
      return readElement<T>(realm, realm.scratchAt) as T;
    }
    throw new IllegalStateError('coworker: the channel has no value yet, or is closed');
  }

  /** The same, or undefined if there is none. */
  get valueOrUndefined(): T | undefined {
    const { at } = this;
    const { realm } = this.target;
    if (realm.module._cwb_broadcast_value(at) !== 0) return undefined;
    return readElement<T>(realm, realm.scratchAt) as T;
  }

  /** A channel with the latest value and those to come; to unsubscribe, cancel it. */
  openSubscription(): Channel<T> {
    const { target } = this;
    const at = target.realm.module._cwb_broadcast_subscribe(this.at);
    return new Channel<T>({ target, at, scope: this.scope });
  }

  /**
   * Closes it and the subscribers' channels, where what is in them can still be
   * received. True for the call that closed it.
   */
  close(cause?: unknown): boolean {
    const { at } = this;
    const { realm } = this.target;
    const error = cause === undefined ? 0 : realm.errors.take(cause);
    const first = realm.module._cw_broadcast_close(at, error) !== 0;
    if (error !== 0) realm.module._cw_error_release(error);
    realm.schedulePump();
    return first;
  }

  /** Closes it and cancels the subscribers' channels. */
  cancel(cause?: unknown): void {
    const { at } = this;
    const { realm } = this.target;
    const error = realm.errors.takeCause(cause);
    realm.module._cw_broadcast_cancel(at, error);
    if (error !== 0) realm.module._cw_error_release(error);
    realm.schedulePump();
  }

  /** True once it is closed. */
  get isClosedForSend(): boolean {
    return this.target.realm.module._cw_broadcast_is_closed(this.at) !== 0;
  }

  private put(value: unknown): boolean {
    const { at } = this;
    const { realm } = this.target;
    if (value instanceof Transfer || realm.encodeOne(value, 0, realm.references) < 0) {
      throw new TypeError(
        `coworker: ${describe(value)} cannot be broadcast: it goes to many, so send plain data`,
      );
    }
    const status = realm.module._cwb_broadcast_send(at, writeElement(realm, value));
    realm.schedulePump();
    if (status === layout.CW_ENOMEM) {
      throw noMemory();
    }
    return status === 0;
  }
}

function make(): Given {
  const target = currentTarget();
  return { target, at: target.realm.module._cwb_broadcast_new() };
}

/** Lets arguments and results bring broadcasts. */
export function registerBroadcasts(): void {
  registerHandle(layout.KIND_BROADCAST, (given) => new ConflatedBroadcastChannel(undefined, given));
}
registerBroadcasts();
