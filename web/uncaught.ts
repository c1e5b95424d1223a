/**
 * What a context tells of errors that nobody takes.
 *
 * @module
 */

/**
 * Nobody takes an error of a context: a job has failed and nobody answers for
 * that, or something has thrown that tasks have left behind. Unless
 * `preventDefault()` is called the error is shown on the console, or, if a job
 * has thrown it, as an uncaught one of this thread.
 *
 * @example
 * context.addEventListener('uncaughterror', (event) => {
 *   event.preventDefault();
 *   log(event.error, event.worker, event.task);
 * });
 */
export class UncaughtErrorEvent extends Event {
  /** What was thrown. */
  readonly error: unknown;
  /** The name of the worker that it comes from, as far as that is known. */
  readonly worker: string | undefined;
  /** The name of the task that it comes from, as far as that is known. */
  readonly task: string | undefined;

  /** @internal */
  constructor(error: unknown, worker: string | undefined) {
    super('uncaughterror', { cancelable: true });
    const where = error as { worker?: string; task?: string } | null | undefined;
    this.error = error;
    this.worker = where?.worker ?? worker;
    this.task = where?.task;
  }
}
