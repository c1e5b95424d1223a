/**
 * How a context ends, in order or not.
 *
 * @module
 */
import { checkClose } from './closing.js';
import type { CloseLimits, CloseOptions } from './closing.js';
import { ContextLife } from './context-life.js';
import { environment } from './environment.js';
import { ContextClosedError, ContextLostError, IllegalStateError, noMemory } from './errors.js';
import type { Target } from './launch.js';
import { readStats } from './stats.js';
import type { WorkerScopes } from './worker-scope.js';

/** The part of a context that ends it. */
export abstract class ContextEnd<M extends object> extends ContextLife<M> {
  /**
   * Takes no more work, lets what was launched before come to its end, and ends
   * the workers. A task that waits in `scope.delay()` is cancelled at once. Unless
   * it is told otherwise it waits for all the rest, however long that takes:
   *
   * - after `drain` milliseconds, or at once with `cancel`, everything is cancelled;
   * - `grace` milliseconds after that the workers that still run something are
   *   terminated. What they ran ends with a {@link WorkerLostError}, what was left
   *   besides is cancelled, or ends with a {@link ContextLostError}.
   *
   * May be called again, and from anywhere: that brings the deadlines forward,
   * never back.
   *
   * @returns a promise that is fulfilled when all workers are gone; the same one
   * each time
   * @throws TypeError, RangeError (rejects) for bad options; IllegalStateError
   * (rejects) for a context that everybody shares
   * @example
   * await context.close({ drain: 5000, grace: 1000 }); // takes 6 s at most
   */
  close(options: CloseOptions = {}): Promise<void> {
    if (this.isShared) {
      return Promise.reject(
        new IllegalStateError(`coworker: context '${this.name}' is everybody's and stays open`),
      );
    }
    let limits: CloseLimits;
    try {
      limits = checkClose(options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (!this.isOver && !this.closeCore(limits)) return Promise.reject(noMemory());
    this.closing ??= this.shutDown();
    return this.closing;
  }

  /** False, and nothing has changed, if the core has no memory for that. */
  private closeCore({ drain, grace }: CloseLimits): boolean {
    const { runtime, target } = this;
    if (!this.isThere) return true;
    const { closed } = target;
    target.closed = true; // for those who hear of it
    const status = runtime.module._cwb_context_close_within(target.context, drain, grace);
    if (status !== 0) target.closed = closed;
    return status === 0;
  }

  /** For `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;

  /** Where its jobs are launched to: itself, and its views. */
  private get targets(): Target[] {
    return [this.target, ...this.views, ...this.workerScopes.targets];
  }

  /** Closes the core's context, and cancels all that is in it. */
  private cancelAll(cause: Error): void {
    const { module, errors } = this.runtime;
    const error = errors.takeCause(cause);
    module._cwb_context_cancel(this.target.context, error);
    module._cw_error_release(error);
    this.runtime.enders.delete(this.target.context);
  }

  private async shutDown(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.allEnded = resolve;
    });
    this.crew?.close();
    if (!this.isOver) await ended;
    clearTimeout(this.deadline);
    if (this.failure === undefined) {
      this.settleReady.reject(
        new ContextClosedError(`coworker: context '${this.name}' was closed before it was ready`),
      );
      this.runtime.pumpNow(); // what the workers' last jobs have to tell
      this.lastStats = readStats(this.runtime, this.target.context);
      this.giveBack(this.target, this.views, this.workerScopes);
    }
    this.keepProcess(false);
  }

  /** The last phase of closing. */
  protected async kill(): Promise<void> {
    const isOver = this.crew ? this.crew.kill() : await this.workforce!.kill(this.target.context);
    if (this.failure !== undefined || this.isOver) return;
    this.runtime.pumpNow();
    if (isOver) {
      this.ended();
      return;
    }
    const what = 'its workers were terminated, since they had not ended in time';
    this.fail(new ContextLostError(`coworker: context '${this.name}' was closed: ${what}`));
  }

  /** Nothing runs any more. */
  protected ended(): void {
    this.isOver = true;
    this.allEnded?.();
  }

  /** The context is beyond repair: everything in it ends now. */
  protected fail(error: Error): void {
    if (this.failure !== undefined || this.notOpened || this.isOver) return;
    this.failure = error;
    clearTimeout(this.deadline);
    this.settleReady.reject(error);
    this.target.closed = true;
    if (this.isThere) this.cutOff(error);
    this.closing ??= Promise.resolve().then(() => this.keepProcess(false));
    this.ended();
    this.hasFailed?.(error);
  }

  private cutOff(error: Error): void {
    const { runtime, target, crew } = this;
    const { module } = runtime;
    this.cancelAll(error);
    crew?.stop(error);
    // Jobs that have not begun can still end in order; the others were cut off.
    if (!crew) module._cwb_context_drain(target.context);
    runtime.pumpNow();
    const cutOff = runtime.abandonJobs(this.targets, error);
    const note = () => {
      this.lastStats = { ...readStats(runtime, target.context), workers: 0, idle: 0 };
    };
    void (this.workforce?.dismiss(target.context) ?? Promise.resolve()).then(() => {
      cutOff();
      runtime.pumpNow();
      note();
    });
    note();
  }

  // ---- another generation

  /**
   * A worker has died inside of the core: what is in this context may be in any
   * state, so all its jobs end with that error, and it is built anew.
   */
  protected broken(lost: ContextLostError): void {
    if (this.failure !== undefined || this.isOver) return;
    const { module } = this.runtime;
    const { context } = this.target;
    if (
      this.closing ||
      this.generationReady === 0 ||
      module._cwb_context_note_loss(context) !== 0
    ) {
      this.fail(lost);
      return;
    }
    this.leave(lost);
    this.generationNow++;
    this.notMade = undefined;
    const at = this.open();
    this.enter(at < 0 ? 0 : at);
    if (at >= 0) {
      this.start();
      module._cwb_context_inherit_losses(at, context);
    }
    if (at >= 0 && this.standsFor) this.become(this.standsFor);
    void this.reasonNotToStart(at).then((error) => {
      if (error) this.fail(error);
    });
  }

  private async reasonNotToStart(at: number): Promise<Error | undefined> {
    if (this.notMade) return (await environment().refusal(this.notMade.error)) as Error;
    return at < 0 ? this.endStarted(at) : undefined;
  }

  /** Ends this generation, as far as that can be done, and its jobs in any case. */
  private leave(lost: ContextLostError): void {
    const { runtime, target, targets, views, workforce, workerScopes } = this;
    this.cancelAll(lost);
    workerScopes.lose(lost);
    this.lastStats = readStats(runtime, target.context);
    target.closed = true;
    const cutOff = runtime.abandonJobs(targets, lost);
    void workforce!.dismiss(target.context).then((isOver) => {
      cutOff();
      runtime.pumpNow();
      const { context } = this.target;
      // Where that was closed meanwhile, its core's part may be gone.
      if (!this.isOver && context !== 0) {
        runtime.module._cwb_context_inherit_leaks(context, target.context, Number(isOver));
      }
      if (isOver) this.giveBack(target, views, workerScopes);
    });
  }

  /** Gives back the core's part of a generation that is over. */
  private giveBack(target: Target, views: readonly Target[], scopes: WorkerScopes<M>): void {
    const { module } = this.runtime;
    for (const { context } of views) module._cw_context_release(context);
    scopes.close();
    this.runtime.enders.delete(target.context);
    module._cwb_context_free(target.context);
  }
}

// Where the symbol is not built in, compilers of `await using` look for this one.
const asyncDispose =
  (Symbol as { asyncDispose?: symbol }).asyncDispose ?? Symbol.for('Symbol.asyncDispose');
Object.defineProperty(ContextEnd.prototype, asyncDispose, {
  value(this: ContextEnd<object>) {
    return this.close();
  },
  writable: true,
  configurable: true,
});
