/**
 * How a channel is made.
 *
 * @module
 */
import { takeElement } from './channel-element.js';
import { currentTarget } from './current.js';
import { UndeliveredElementError, expected } from './errors.js';
import type { Given } from './handle.js';
import type { LaunchRealm } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';

/** What becomes of a value for which a channel has no room. */
export type Overflow = 'suspend' | 'dropOldest' | 'dropLatest';

/** How a {@link Channel} is made, besides its capacity. */
export interface ChannelOptions<T> {
  /**
   * What becomes of a value for which there is no room: its sender waits, or the
   * oldest value makes room for it, or it is dropped. A channel that drops holds
   * one value at least, and no more if its capacity is `Channel.BUFFERED`.
   * @default 'suspend'
   */
  readonly overflow?: Overflow;
  /**
   * Gets each value that was sent and that nobody will receive, so that it can
   * be closed or freed: dropped for want of room, sent to a closed channel, left
   * in a cancelled one, or handed to somebody who was cancelled. Not what
   * {@link Channel.trySend} refuses. It is called on the thread that has made the
   * channel: within the call that loses the value if that is made there, which
   * then throws an {@link UndeliveredElementError} if this throws.
   */
  readonly onUndelivered?: (value: T) => void;
}

/** The capacity of a channel that holds the latest value only. */
export const CONFLATED = -1;

const overflows: readonly unknown[] = ['suspend', 'dropOldest', 'dropLatest'];
// ---- making

/** Makes a channel; throws for arguments that are not what they should be. */
export function makeChannel(capacity: unknown, options: ChannelOptions<never>): Given {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(expected('options', 'an object', options));
  }
  const { overflow = 'suspend', onUndelivered } = options;
  const number = checkCapacity(capacity);
  if (!overflows.includes(overflow)) {
    throw new TypeError(
      expected('options.overflow', "'suspend', 'dropOldest' or 'dropLatest'", overflow),
    );
  }
  if (number === CONFLATED && overflow !== 'suspend') {
    throw new TypeError(
      `coworker: a conflated channel has its own way to make room, so \`options.overflow\` must not ` +
        `be '${overflow}' with it; leave it out, or use capacity 1`,
    );
  }
  if (onUndelivered !== undefined && typeof onUndelivered !== 'function') {
    throw new TypeError(expected('options.onUndelivered', 'a function', onUndelivered));
  }
  const target = currentTarget();
  const { realm } = target;
  const hook = onUndelivered ? hookToken(realm, onUndelivered) : -1;
  const at = realm.module._cwb_channel_new(number, overflows.indexOf(overflow), hook);
  if (at === 0 && hook >= 0) realm.dropToken(hook, false);
  return { target, at };
}

function checkCapacity(capacity: unknown): number {
  if (capacity === Infinity) return layout.UNLIMITED;
  const wanted = 'an integer from -2 up, Channel.BUFFERED, Channel.CONFLATED or Channel.UNLIMITED';
  if (typeof capacity !== 'number') throw new TypeError(expected('capacity', wanted, capacity));
  if (!Number.isInteger(capacity) || capacity < -2 || capacity > layout.UNLIMITED) {
    throw new RangeError(expected('capacity', wanted, capacity));
  }
  return capacity;
}

/** A function that the core calls on this thread, and which may throw. */
export function functionToken(
  realm: LaunchRealm,
  call: (error: Pointer, element: Pointer) => void,
): number {
  return realm.takeFunction((_news, error, element) => {
    try {
      call(error, element);
    } catch (thrown) {
      return realm.errors.take(thrown);
    }
    return 0;
  });
}

function hookToken(realm: LaunchRealm, hook: (value: never) => void): number {
  return functionToken(realm, (_error, element) => {
    let isLate = false;
    takeElement(realm, element, (value) => {
      if (!isLate) {
        hook(value as never);
        return;
      }
      try {
        hook(value as never);
      } catch (cause) {
        realm.report(undelivered(cause));
      }
    });
    isLate = true;
  });
}

function undelivered(cause: unknown): UndeliveredElementError {
  return new UndeliveredElementError('the hook for an element that was not delivered has failed', {
    cause,
  });
}
