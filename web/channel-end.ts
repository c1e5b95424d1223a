/**
 * The end of a channel: who closes it, who hears of that, and whether it has come.
 *
 * @module
 */
import { functionToken } from './channel-options.js';
import type { ClosedResult } from './channel-receive.js';
import { IllegalStateError, checkFunction, noMemory } from './errors.js';
import { Handle } from './handle.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { BaseScope } from './scope.js';

/** What `_cwb_channel_state` tells. */
const CLOSED_FOR_SEND = 1;
const CLOSED_FOR_RECEIVE = 2;
const EMPTY = 4;

/** The part of a channel that ends it. */
export abstract class ChannelEnd extends Handle {
  /**
   * Closes the channel: it takes no more values, those that it holds can still be
   * received. Then those who receive get `cause`, as do those who send, or a
   * {@link ClosedReceiveError} and a {@link ClosedSendError} without one. True
   * for the call that closed it.
   * @throws what the function of {@link invokeOnClose} throws
   */
  close(cause?: unknown): boolean {
    const { at } = this;
    const { realm } = this.target;
    const error = cause === undefined ? 0 : realm.errors.take(cause);
    const first = realm.module._cwb_channel_close(at, error) !== 0;
    if (error !== 0) realm.module._cw_error_release(error);
    realm.schedulePump();
    this.throwLeft();
    return first;
  }

  /**
   * Closes the channel and drops all that it holds. Who waits at it gets the
   * cancellation. Cancels its producer, too.
   * @throws UndeliveredElementError if `onUndelivered` throws
   */
  cancel(cause?: unknown): void {
    const { at } = this;
    const { realm } = this.target;
    const error = realm.errors.takeCause(cause);
    realm.module._cwb_channel_cancel(at, error);
    if (error !== 0) realm.module._cw_error_release(error);
    realm.schedulePump();
    this.throwLeft();
  }

  /**
   * Calls `call` once, with the cause or undefined, when the channel is closed,
   * or now if it is. It is called on this thread: within the call that closes the
   * channel, which throws what it throws, if that is made here.
   * @throws IllegalStateError if the channel has, or had, such a function
   */
  invokeOnClose(call: (cause: unknown) => void): void {
    checkFunction('call', call);
    const { at } = this;
    const { realm } = this.target;
    const token = functionToken(realm, (error) =>
      call(error === 0 ? undefined : realm.errors.read(error)),
    );
    const status = realm.module._cwb_channel_on_close(at, token);
    if (status === layout.CW_ESTATE) {
      throw new IllegalStateError(
        'coworker: the channel has, or had, a function that hears of its end; register one only',
      );
    }
    if (status < 0) {
      realm.dropToken(token, false);
      throw noMemory();
    }
    this.throwLeft();
  }

  /**
   * Waits until the channel is closed or cancelled. Only in the block of its own
   * producer, only once, and not with {@link invokeOnClose}.
   * @throws IllegalStateError (rejects) elsewhere
   */
  awaitClose(scope?: BaseScope): Promise<void> {
    const { at } = this;
    const { module } = this.target.realm;
    return this.waitIn(scope).suspend((job, token) => module._cwb_await_close(job, token, at));
  }

  // ---- looking

  /** True once it is closed. */
  get isClosedForSend(): boolean {
    return this.is(CLOSED_FOR_SEND);
  }

  /** True once it is closed and all that it held was received. */
  get isClosedForReceive(): boolean {
    return this.is(CLOSED_FOR_RECEIVE);
  }

  /** True while it is open and has nothing to receive. */
  get isEmpty(): boolean {
    return this.is(EMPTY);
  }

  private is(bit: number): boolean {
    return (this.target.realm.module._cwb_channel_state(this.at) & bit) !== 0;
  }

  // ---- inside

  /** @internal What is told of a closed channel. */
  closedResult(at: Pointer): ClosedResult {
    const { module, errors } = this.target.realm;
    const error = module._cwb_channel_cause(at);
    return { success: false, closed: true, cause: error === 0 ? undefined : errors.read(error) };
  }

  /** Throws the error that the last call has left. */
  protected throwLeft(): void {
    const { realm } = this.target;
    const error = realm.memory.word(realm.scratchAt);
    if (error !== 0) throw realm.errors.readOwned(error);
  }
}
