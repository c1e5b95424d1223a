/**
 * Channels: values on their way from those who send to those who receive, on
 * whichever threads they are.
 *
 * @module
 */
import { LocalValue, discardElement, readElement, writeElement } from './channel-element.js';
import { ChannelEnd } from './channel-end.js';
import { CONFLATED, makeChannel } from './channel-options.js';
import type { ChannelOptions } from './channel-options.js';
import { ChannelIterator, FAILED, hasElement, receivingFor, succeeded } from './channel-receive.js';
import type { ChannelResult, ReceiveResult } from './channel-receive.js';
import { checkFunction, noMemory } from './errors.js';
import { checkScope, registerHandle } from './handle.js';
import type { Given } from './handle.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { support } from './references.js';
import type { BaseScope } from './scope.js';

/** The side of a channel that receives. */
export type ReceiveChannel<T> = Omit<Channel<T>, 'send' | 'trySend' | 'close' | 'awaitClose'>;

/** The side of a channel that sends. */
export type SendChannel<T> = Pick<
  Channel<T>,
  'send' | 'trySend' | 'close' | 'isClosedForSend' | 'invokeOnClose'
>;

/**
 * Takes values from those who send to those who receive, first in, first out.
 * Each value goes to one receiver, and those who wait are served in the order in
 * which they came, whichever threads they are on.
 *
 * A channel can be an argument or result of a task, on its own or in plain data.
 * What the other side gets is another handle to the same channel; in a task its
 * waits belong to that task's scope and end when it is cancelled.
 *
 * As long as a channel is known on one thread only, the very values pass through
 * it. From then on they are copied as arguments of tasks are, and `transfer()`
 * moves them.
 *
 * The calls that wait take a scope, whose job it then is that waits. Without one
 * they belong to the handle's scope, see {@link in}; or to no job, and nobody
 * cancels them.
 *
 * @example
 * const squares = new Channel(Channel.BUFFERED);
 * const job = context.launch('sendSquares', squares, 5);
 * for await (const square of squares) console.log(square);
 */
export class Channel<T = unknown> extends ChannelEnd implements AsyncIterable<T> {
  /** The capacity of a channel that holds nothing: sender and receiver meet. */
  static readonly RENDEZVOUS = 0;
  /** Of one that holds the latest value only. */
  static readonly CONFLATED = CONFLATED;
  /** Of one that holds 64 values. */
  static readonly BUFFERED = -2;
  /** Of one that holds as many as there is memory for. */
  static readonly UNLIMITED = Infinity;

  /** What is on its way and never leaves this thread. */
  private readonly locals: Set<LocalValue>;

  /** @internal */
  override get kind(): string {
    return 'Channel';
  }

  /**
   * @param capacity - how many values the channel holds for receivers to come
   * @throws RangeError, TypeError for what is not what it should be;
   * CoworkerError if coworker is not ready, see {@link MainContext.ready}
   */
  constructor(capacity?: number, options?: ChannelOptions<T>);
  /** @internal */
  constructor(given: Given | Channel<T>, scope?: BaseScope);
  constructor(first: number | Given | Channel<T> = 0, second?: ChannelOptions<T> | BaseScope) {
    const isMade = typeof first === 'object' && first !== null;
    super(
      isMade
        ? first
        : makeChannel(first, (second === undefined ? {} : second) as ChannelOptions<never>),
      layout.KIND_CHANNEL,
      isMade ? (second as BaseScope) : undefined,
    );
    this.locals = first instanceof Channel ? first.locals : new Set();
  }

  /**
   * The same channel, whose waits belong to a scope's job.
   *
   * @example
   * await using.launch(async (scope) => {
   *   for await (const value of channel.in(scope)) show(value);
   * });
   */
  in(scope: BaseScope): Channel<T> {
    return new Channel<T>(this, checkScope(scope));
  }

  // ---- sending

  /**
   * Sends a value, waiting for room. Does not ask whether the job is cancelled
   * unless it has to wait. Whatever it throws later on, the value has been
   * received or was given to `onUndelivered`.
   * @throws TypeError if the value cannot be sent to other threads, and then
   * nothing has happened; ClosedSendError (rejects) or the cause of a closed
   * channel; CancellationError (rejects) if the job is cancelled meanwhile
   */
  send(value: T, scope?: BaseScope): Promise<void> {
    const waits = this.waitIn(scope);
    const { at } = this;
    const { module } = this.target.realm;
    const head = waits.at === 0 ? 0 : this.write(value); // else it rejects
    return waits.suspend((job, token) => module._cwb_send(job, token, at, head));
  }

  /**
   * Sends a value if that takes no waiting. A value that is refused, or dropped
   * as the latest one, is not given to `onUndelivered`.
   * @throws TypeError as {@link send}; UndeliveredElementError if it was sent,
   * but the hook has thrown for the value that it replaces
   */
  trySend(value: T): ChannelResult<void> {
    const { at } = this;
    const { realm } = this.target;
    const status = realm.module._cwb_try_send(at, this.write(value));
    realm.schedulePump();
    if (status === 0) return succeeded(undefined);
    if (status === layout.CW_ESENDCLOSED) return this.closedResult(at);
    if (status === layout.CW_EUNDELIVERED) this.throwLeft();
    if (status === layout.CW_ENOMEM) throw noMemory();
    return FAILED;
  }

  /**
   * @internal Sends a value that came from another core to a channel without limit.
   * @param taken - is called when it is received, or dropped
   */
  give(value: T, taken: () => void): void {
    const { at } = this;
    const { realm } = this.target;
    const { module } = realm;
    const isShared = module._cwb_channel_is_shared(at);
    const head = isShared
      ? writeElement(realm, value)
      : new LocalValue(realm, value, this.locals, taken).write();
    const status = module._cwb_try_send(at, head);
    realm.schedulePump();
    if (status === layout.CW_ENOMEM) throw noMemory();
    if (isShared) taken(); // other threads do not tell
  }

  // ---- receiving

  /**
   * Receives a value, waiting for one. Does not ask whether the job is cancelled
   * unless it has to wait.
   * @throws ClosedReceiveError (rejects) or the cause of a closed channel;
   * CancellationError (rejects) if the job is cancelled meanwhile
   */
  receive(scope?: BaseScope): Promise<T> {
    const { realm } = this.target;
    return this.receiving(scope, layout.RECEIVE, (data) => readElement<T>(realm, data));
  }

  /** The same, but tells that the channel is closed instead of throwing it. */
  receiveCatching(scope?: BaseScope): Promise<ReceiveResult<T>> {
    const { realm } = this.target;
    const { at } = this;
    return this.receiving<ReceiveResult<T>>(scope, layout.RECEIVE_CATCHING, (data) => {
      if (!hasElement(realm, data)) return this.closedResult(at);
      return readElement<T, ReceiveResult<T>>(realm, data, succeeded);
    });
  }

  /**
   * Receives a value if there is one. In a worker, a value that only structured
   * clone carries has to be fetched: then `value` is a promise of it.
   */
  tryReceive(): ChannelResult<T> {
    const { at } = this;
    const { realm } = this.target;
    const status = realm.module._cwb_try_receive(at);
    realm.schedulePump();
    if (status === layout.CW_ERECVCLOSED) return this.closedResult(at);
    if (status < 0) return FAILED;
    const read = () => readElement<T>(realm, realm.scratchAt) as T;
    return succeeded(receivingFor(realm, this.scope, read));
  }

  /**
   * An iterator that can be asked whether there is another value before it takes
   * it.
   */
  iterator(scope?: BaseScope): ChannelIterator<T> {
    return new ChannelIterator<T>(this, this.waitIn(scope), scope ?? this.scope);
  }

  /**
   * All values, to the end of a channel that is closed without a cause; a cause
   * is thrown. Leaving the loop does not cancel the channel, see {@link consumeEach}.
   * While values are there, it does not ask whether the job is cancelled.
   *
   * @example
   * for await (const value of channel.values(scope)) show(value);
   */
  values(scope?: BaseScope): AsyncIterableIterator<T> {
    const { realm } = this.target;
    const end: IteratorReturnResult<undefined> = { done: true, value: undefined };
    let isOver = false;
    const next = (): Promise<IteratorResult<T>> => {
      if (isOver) return Promise.resolve(end);
      return this.receiving<IteratorResult<T>>(scope, layout.RECEIVE_EACH, (data) => {
        if (!hasElement(realm, data)) {
          isOver = true;
          return end;
        }
        return readElement<T, IteratorResult<T>>(realm, data, (value) => ({ done: false, value }));
      });
    };
    return {
      next,
      return: () => {
        isOver = true;
        return Promise.resolve(end);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.values();
  }

  /** Runs `block`, and cancels the channel however that ends. */
  async consume<R>(block: (channel: this) => R | PromiseLike<R>): Promise<R> {
    checkFunction('block', block);
    let result: R;
    try {
      result = await block(this);
    } catch (error) {
      this.cancel(error);
      throw error;
    }
    this.cancel();
    return result;
  }

  /**
   * Calls `each` with all values, one after the other, and cancels the channel
   * however that ends.
   *
   * @example
   * await channel.consumeEach(scope, (value) => show(value));
   */
  consumeEach(scope: BaseScope, each: (value: T) => unknown): Promise<void>;
  consumeEach(each: (value: T) => unknown): Promise<void>;
  async consumeEach(...args: unknown[]): Promise<void> {
    const each = args.pop() as (value: T) => unknown;
    checkFunction('each', each);
    await this.consume(async () => {
      for await (const value of this.values(args[0] as BaseScope | undefined)) await each(value);
    });
  }

  // ---- inside

  /** @internal Other threads are about to know the channel. */
  protected override share(): void {
    for (const local of this.locals) local.share();
    this.target.realm.module._cwb_channel_share(this.at);
  }

  /** @internal Puts a value into the scratch buffer: an element's head. */
  write(value: unknown): number {
    const { realm } = this.target;
    if (realm.module._cwb_channel_is_shared(this.at)) return writeElement(realm, value);
    return new LocalValue(realm, value, this.locals).write();
  }

  private receiving<R>(
    scope: BaseScope | undefined,
    how: number,
    read: (data: Pointer) => R | Promise<R>,
  ): Promise<R> {
    const waits = this.waitIn(scope);
    const { at } = this;
    const { realm } = this.target;
    return waits.suspend<R>(
      (job, token) => realm.module._cwb_receive(job, token, at, how),
      (data) => receivingFor(realm, scope ?? this.scope, () => read(data)), // or a promise of it
    );
  }
}

/** Lets arguments and results bring channels. */
export function registerChannels(): void {
  registerHandle(layout.KIND_CHANNEL, (given) => new Channel(given));
  support.handles!.discard = discardElement;
}
registerChannels();
