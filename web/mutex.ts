/**
 * One at a time, on whichever thread.
 *
 * @module
 */
import { currentTarget } from './current.js';
import { IllegalStateError, MutexOwnerError, MutexPoisonedError, expected } from './errors.js';
import { Handle, registerHandle } from './handle.js';
import type { Given } from './handle.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { ownerNumber } from './owners.js';
import type { BaseScope } from './scope.js';

/** How a {@link Mutex} begins. */
export interface MutexOptions {
  /** Locked, without an owner. @default false */
  readonly locked?: boolean;
}

/**
 * Is held by one at a time. Who has to wait is served in order of arrival,
 * whichever thread it is on: unlocking hands the mutex to the first that waits,
 * and the caller goes on. Not reentrant.
 *
 * Who locks can name an owner, any value; then only the same owner unlocks, and
 * locking it twice fails instead of waiting for ever. An owner is known by
 * identity, on its own thread; values that are no objects are remembered, so use
 * few of them.
 *
 * A mutex whose holder is lost with its worker is *poisoned*: nobody gets it, and
 * whoever waits for it or comes later is told a {@link MutexPoisonedError}, until
 * somebody takes it with {@link recover}, puts right what it guards, and unlocks
 * it. One that was locked outside of any job is never poisoned.
 *
 * @example
 * const mutex = new Mutex();
 * const job = Main.launch(async (scope) => {
 *   await mutex.withLock(scope, async () => save(await load()));
 * });
 */
export class Mutex extends Handle {
  /** @internal */
  override get kind(): string {
    return 'Mutex';
  }

  /** @throws CoworkerError if coworker is not ready, see {@link MainContext.ready} */
  constructor(options?: MutexOptions);
  /** @internal */
  constructor(options: MutexOptions | undefined, given: Given);
  constructor({ locked = false }: MutexOptions = {}, given?: Given) {
    if (typeof locked !== 'boolean') {
      throw new TypeError(expected('options.locked', 'a boolean', locked));
    }
    super(given ?? make(locked), layout.KIND_MUTEX);
  }

  /** True while anybody holds it. */
  get isLocked(): boolean {
    return this.target.realm.module._cw_mutex_is_locked(this.at) !== 0;
  }

  /** True while it is locked by this owner; for undefined: by none. */
  holdsLock(owner: unknown): boolean {
    const { at } = this;
    const { realm } = this.target;
    return realm.module._cw_mutex_is_held_by(at, ownerNumber(realm, owner)) !== 0;
  }

  /** True if its holder was lost with its worker; it counts as locked, by nobody. */
  get isPoisoned(): boolean {
    return this.target.realm.module._cw_mutex_is_poisoned(this.at) !== 0;
  }

  /**
   * Locks a poisoned mutex, so that the caller can put right what it guards and
   * then unlock it. Never waits. False: it is not poisoned, or not any more,
   * since somebody else was faster.
   *
   * @example
   * if (mutex.recover()) {
   *   reset(table);
   *   mutex.unlock();
   * }
   */
  recover(owner?: unknown): boolean {
    const { at } = this;
    const { realm } = this.target;
    return realm.module._cw_mutex_recover(at, ownerNumber(realm, owner)) === 0;
  }

  /**
   * Waits until the mutex is the caller's.
   * @param scope - whose job waits; none: the wait is part of no job, or of the
   * task that has got this handle as an argument
   * @throws IllegalStateError (rejects) if this owner holds it already;
   * MutexPoisonedError (rejects) if its holder was lost; CancellationError
   * (rejects) if the job is cancelled meanwhile. Then the mutex is not the
   * caller's
   */
  lock(scope?: BaseScope, owner?: unknown): Promise<void> {
    const { at } = this;
    const { realm } = this.target;
    const number = ownerNumber(realm, owner);
    return this.waitIn(scope).suspend((job, token) =>
      realm.module._cwb_lock(job, token, at, number),
    );
  }

  /**
   * Locks it if that takes no waiting. False: somebody else holds it.
   * @throws IllegalStateError if this owner holds it already; MutexPoisonedError
   * if its holder was lost
   */
  tryLock(owner?: unknown): boolean {
    const { at } = this;
    const { realm } = this.target;
    const status = realm.module._cw_try_lock(at, ownerNumber(realm, owner));
    if (status === layout.CW_ESTATE) {
      throw new IllegalStateError(
        'coworker: the mutex is locked by the same owner already, and is not reentrant',
      );
    }
    if (status === layout.CW_EPOISONED) throw poisoned();
    return status === 0;
  }

  /**
   * Hands it to the first that waits.
   * @throws IllegalStateError if nobody holds it; MutexOwnerError if another
   * owner does; MutexPoisonedError if its holder was lost: then nothing has
   * changed
   */
  unlock(owner?: unknown): void {
    this.leave(this.at, owner);
  }

  /**
   * Runs `body` while the mutex is the caller's, and unlocks it however that
   * ends.
   */
  withLock<R>(
    scope: BaseScope | undefined,
    body: () => R | PromiseLike<R>,
    owner?: unknown,
  ): Promise<R> {
    return this.inside(
      () => this.lock(scope, owner),
      body,
      (at) => this.leave(at, owner),
    );
  }

  private leave(at: Pointer, owner: unknown): void {
    const { realm } = this.target;
    const status = realm.module._cw_unlock(at, ownerNumber(realm, owner));
    if (status === 0) {
      realm.schedulePump();
    } else if (status === layout.CW_ESTATE) {
      throw new IllegalStateError(
        'coworker: the mutex is not locked; unlock it once for each time it was locked',
      );
    } else if (status === layout.CW_EPOISONED) {
      throw poisoned();
    } else {
      throw new MutexOwnerError(
        'coworker: the mutex is locked by another `owner` than the one that unlocks it; pass the ' +
          'value that was passed to lock(), or none if there was none',
      );
    }
  }
}

function poisoned(): MutexPoisonedError {
  return new MutexPoisonedError(
    'coworker: who had the mutex locked was lost with its worker; call recover() to lock it, put ' +
      'right what it guards, and unlock it',
  );
}

function make(locked: boolean): Given {
  const target = currentTarget();
  return { target, at: target.realm.module._cw_mutex_new(locked ? 1 : 0) };
}

/** Lets arguments and results bring mutexes. */
export function registerMutexes(): void {
  registerHandle(layout.KIND_MUTEX, (given) => new Mutex(undefined, given));
}
registerMutexes();
