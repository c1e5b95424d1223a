/**
 * So many at a time, on whichever threads.
 *
 * @module
 */
import { currentTarget } from './current.js';
import { IllegalStateError, expected } from './errors.js';
import { Handle, registerHandle } from './handle.js';
import type { Given } from './handle.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { BaseScope } from './scope.js';

/** How a {@link Semaphore} begins. */
export interface SemaphoreOptions {
  /** How many of its permits are free, 0 to all of them. @default all */
  readonly available?: number;
}

const MAX_PERMITS = 2 ** 31 - 1;

/**
 * Gives out a number of permits. Who has to wait for one is served in order of
 * arrival, whichever thread it is on.
 *
 * @example
 * const connections = new Semaphore(4);
 * const job = Main.launch(async (scope) => {
 *   await connections.withPermit(scope, () => fetch(url, { signal: scope.signal }));
 * });
 */
export class Semaphore extends Handle {
  /** @internal */
  override get kind(): string {
    return 'Semaphore';
  }

  /**
   * @throws RangeError if `permits` is no integer from 1 up, or `available` none
   * from 0 to that; CoworkerError if coworker is not ready, see
   * {@link MainContext.ready}
   */
  constructor(permits: number, options?: SemaphoreOptions);
  /** @internal */
  constructor(permits: number, options: SemaphoreOptions | undefined, given: Given);
  constructor(permits: number, { available }: SemaphoreOptions = {}, given?: Given) {
    super(given ?? make(permits, available), layout.KIND_SEMAPHORE);
  }

  /** How many permits are free. */
  get availablePermits(): number {
    return this.target.realm.module._cw_semaphore_available(this.at);
  }

  /**
   * Waits for a permit.
   * @param scope - whose job waits; none: the wait is part of no job, or of the
   * task that has got this handle as an argument
   * @throws CancellationError (rejects) if the job is cancelled meanwhile, and
   * then the caller has no permit
   */
  acquire(scope?: BaseScope): Promise<void> {
    const { at } = this;
    const { module } = this.target.realm;
    return this.waitIn(scope).suspend((job, token) => module._cwb_acquire(job, token, at));
  }

  /** Takes a permit if there is one. */
  tryAcquire(): boolean {
    return this.target.realm.module._cw_try_acquire(this.at) === 0;
  }

  /**
   * Gives a permit back, to the first that waits.
   * @throws IllegalStateError if all permits are there already
   */
  release(): void {
    this.leave(this.at);
  }

  /**
   * Runs `body` with a permit, and gives that back however it ends, also if its
   * job is lost with its worker. That is not so of permits got by
   * {@link acquire}, which anybody may give back.
   * @throws CancellationError (rejects) if the job is cancelled before it has a
   * permit; what `body` throws
   *
   * @example
   * await connections.withPermit(scope, () => load(url));
   */
  withPermit<R>(scope: BaseScope | undefined, body: () => R | PromiseLike<R>): Promise<R> {
    const { realm } = this.target;
    const { at: semaphore } = this;
    let permit = 0;
    return this.inside(
      () =>
        this.waitIn(scope).suspend(
          (job, token) => realm.module._cwb_acquire_own(job, token, semaphore),
          (data) => {
            permit = realm.memory.word(data);
          },
        ),
      body,
      (at) => {
        // Unless it was given back already, for a job that is over.
        realm.module._cwb_give_back_own(at, permit);
        realm.schedulePump();
      },
    );
  }

  private leave(at: Pointer): void {
    const { realm } = this.target;
    if (realm.module._cw_give_back(at) !== 0) {
      throw new IllegalStateError(
        'coworker: all permits of the semaphore are free already; release() one only after acquire()',
      );
    }
    realm.schedulePump();
  }
}

function make(permits: number, available = permits): Given {
  if (!Number.isInteger(permits) || permits < 1 || permits > MAX_PERMITS) {
    throw new RangeError(expected('permits', `an integer from 1 to ${MAX_PERMITS}`, permits));
  }
  if (!Number.isInteger(available) || available < 0 || available > permits) {
    const wanted = `an integer from 0 to \`permits\`, which is ${permits}`;
    throw new RangeError(expected('options.available', wanted, available));
  }
  const target = currentTarget();
  return { target, at: target.realm.module._cw_semaphore_new(permits, permits - available) };
}

/** Lets arguments and results bring semaphores. */
export function registerSemaphores(): void {
  registerHandle(layout.KIND_SEMAPHORE, (given) => new Semaphore(1, undefined, given));
}
registerSemaphores();
