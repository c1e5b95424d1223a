/**
 * Scopes that live as long as something of the program's does: a page, a dialog.
 *
 * @module
 */
import { newJob } from './completable.js';
import { checkElements, mergeElements } from './elements.js';
import type { Elements } from './elements.js';
import { IllegalStateError, expected } from './errors.js';
import type { Deferred, Job } from './job.js';
import { splitCall } from './launch.js';
import { Main } from './main.js';
import type { Local } from './main-scope.js';
import type { LaunchOptions } from './options.js';

/**
 * Launches functions on the main thread with elements of its own. Made by
 * {@link newScope}.
 */
export class CoroutineScope {
  readonly elements: Elements;

  /** @internal */
  constructor(elements: Elements) {
    this.elements = elements;
  }

  /** Launches a function for its effects. */
  launch<A extends unknown[]>(run: Local<A, unknown>, ...args: A): Job;
  launch<A extends unknown[]>(options: LaunchOptions, run: Local<A, unknown>, ...args: A): Job;
  launch(...call: unknown[]): Job {
    const [options, run, args] = splitCall(call);
    return Main.launch(this.merged(options), run as Local<unknown[], unknown>, ...args);
  }

  /** Launches a function for its result. */
  async<A extends unknown[], R>(run: Local<A, R>, ...args: A): Deferred<Awaited<R>>;
  async<A extends unknown[], R>(
    options: LaunchOptions,
    run: Local<A, R>,
    ...args: A
  ): Deferred<Awaited<R>>;
  async(...call: unknown[]): Deferred<unknown> {
    const [options, run, args] = splitCall(call);
    return Main.async(this.merged(options), run as Local<unknown[], unknown>, ...args);
  }

  /** True until the scope is cancelled; always for one without a job. */
  get isActive(): boolean {
    return this.elements.job?.isActive ?? true;
  }

  /**
   * Cancels all that was launched here. What is launched later does not begin.
   * @throws IllegalStateError if the scope has no job, as {@link GlobalScope}
   */
  cancel(cause?: unknown): void {
    if (!this.elements.job) {
      throw new IllegalStateError(
        'coworker: a scope without a job, as GlobalScope, cannot be cancelled; make one with newScope()',
      );
    }
    this.elements.job.cancel(cause);
  }

  private merged(options: LaunchOptions | undefined): LaunchOptions {
    return mergeElements<LaunchOptions>(this.elements, options ?? {});
  }
}

/**
 * Makes a scope with the given elements, and a job of its own if there is none
 * among them.
 *
 * @example
 * const dialog = newScope({ job: newSupervisorJob(), handler: console.error });
 * dialog.launch(async (scope) => { ... });
 * dialog.cancel(); // when it is closed
 */
export function newScope(elements: Elements = {}): CoroutineScope {
  if (typeof elements !== 'object' || elements === null) {
    throw new TypeError(expected('elements', 'an object', elements));
  }
  checkElements(elements);
  return new CoroutineScope(elements.job ? elements : { ...elements, job: newJob() });
}

/** A scope without a job: nobody waits for what is launched here. */
export const GlobalScope = new CoroutineScope({});
