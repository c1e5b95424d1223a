/**
 * What comes of sending to a channel and receiving from it, and the iterator that
 * can be asked first.
 *
 * @module
 */
import type { Channel } from './channel.js';
import { readElement } from './channel-element.js';
import { ClosedReceiveError, IllegalStateError, noMemory } from './errors.js';
import type { LaunchRealm } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { BaseScope } from './scope.js';

/** What came of an attempt to send or receive. */
export type ChannelResult<T> =
  | { readonly success: true; readonly closed: false; readonly value: T }
  | { readonly success: false; readonly closed: false }
  | ClosedResult;

/** The channel is closed: with `cause`, or without one. */
export interface ClosedResult {
  readonly success: false;
  readonly closed: true;
  readonly cause: unknown;
}

/** What {@link Channel.receiveCatching} gives. */
export type ReceiveResult<T> =
  { readonly success: true; readonly closed: false; readonly value: T } | ClosedResult;

/** There was no room, or nothing there. */
export const FAILED = { success: false, closed: false } as const;

export const succeeded = <T>(value: T) => ({ success: true, closed: false, value }) as const;

/** Reads what handles in it are for. */
export function receivingFor<R>(
  realm: LaunchRealm,
  scope: BaseScope | undefined,
  read: () => R,
): R {
  realm.receiver = scope;
  try {
    return read();
  } finally {
    realm.receiver = undefined;
  }
}

/** True unless the channel is closed instead. */
export function hasElement(realm: LaunchRealm, received: Pointer): boolean {
  return realm.memory.word(received + layout.RECEIVED_STATUS) === 0;
}

/**
 * Asks whether there is another value before it takes it: made by
 * {@link Channel.iterator}.
 *
 * @example
 * const iterator = channel.iterator(scope);
 * while (await iterator.hasNext()) show(iterator.next());
 */
export class ChannelIterator<T> {
  private readonly channel: Channel<T>;
  private readonly scope: BaseScope;
  /** Whom handles are for that come; the scope, unless that is nobody's. */
  private readonly receiver: BaseScope | undefined;
  private readonly at: Pointer;

  /** @internal */
  constructor(channel: Channel<T>, scope: BaseScope, receiver: BaseScope | undefined) {
    this.channel = channel;
    this.scope = scope;
    this.receiver = receiver;
    const { realm } = channel.target;
    this.at = realm.module._cwb_iterator_new(channel.at);
    if (this.at === 0) throw noMemory();
    iterators.register(this, { realm, at: this.at });
  }

  /**
   * Waits for a value; false at the end of the channel. Asking again before
   * {@link next} changes nothing.
   * @throws what the channel was closed with (rejects)
   */
  hasNext(): Promise<boolean> {
    const { realm } = this.channel.target;
    return this.scope.suspend(
      (job, token) => realm.module._cwb_has_next(job, token, this.at),
      (data) => realm.memory.word(data) !== 0,
    );
  }

  /**
   * The value. In a worker, one that only structured clone carries is a promise.
   * @throws IllegalStateError without {@link hasNext} before it; after the end
   * once {@link ClosedReceiveError}, or what the channel was closed with
   */
  next(): T {
    const { realm } = this.channel.target;
    const status = realm.module._cwb_next(this.at);
    if (status === 0) {
      const read = () => readElement<T>(realm, realm.scratchAt) as T;
      return receivingFor(realm, this.receiver, read);
    }
    if (status === layout.CW_ESTATE) {
      throw new IllegalStateError('coworker: next() was called without hasNext() before it');
    }
    const { cause } = this.channel.closedResult(this.channel.at);
    if (cause !== undefined) throw cause as Error;
    throw new ClosedReceiveError('the channel is closed: nothing is left to receive');
  }
}

const iterators = new FinalizationRegistry<{ realm: LaunchRealm; at: Pointer }>(({ realm, at }) => {
  if (!realm.isOver) realm.module._cwb_iterator_drop(at);
});
