/**
 * Jobs whose bodies are functions of the main thread: what `Main` launches.
 * A page that does not use `Main` does not load this.
 *
 * @module
 */
import { CoworkerError } from './errors.js';
import { Deferred } from './job.js';
import * as layout from './layout.gen.js';
import { MainScope } from './main-scope.js';
import type { Pointer } from './module.js';
import { checkLaunch } from './options.js';
import type { LaunchOptions } from './options.js';
import type { Runtime } from './runtime.js';

/** A function that runs on the main thread. */
export type LocalFunction = (scope: MainScope, ...args: never[]) => unknown;

interface Local {
  readonly run: LocalFunction;
  readonly args: readonly unknown[];
  readonly job: Deferred<unknown>;
}

export class LocalJobs {
  readonly runtime: Runtime;
  private readonly locals: (Local | undefined)[] = [undefined];
  private readonly freeLocals: number[] = [];

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** Launches a function on this thread. */
  launch<T>(
    parent: Pointer,
    isAsync: boolean,
    options: LaunchOptions | undefined,
    run: LocalFunction,
    args: readonly unknown[],
  ): Deferred<T> {
    if (options) checkLaunch(options);
    const { runtime } = this;
    const { main, module } = runtime;
    const number = this.freeLocals.pop() ?? this.locals.length;
    const job = new Deferred<T>({ realm: runtime, owner: main, name: run.name || 'anonymous' });
    this.locals[number] = { run, args, job };
    const token = runtime.takeToken(job);
    const at = module._cwb_launch(
      main.context,
      parent,
      number,
      isAsync ? layout.LAUNCH_ASYNC : 0,
      token,
      0,
      options?.timeout ?? -1,
    );
    if (at === 0) {
      runtime.dropToken(token);
      this.free(number);
      throw new CoworkerError('coworker: no shared memory left', { code: 'CW_ENOMEM' });
    }
    job.onEndLocal(() => this.free(number));
    job.started(at);
    if (options?.signal) job.listen(options.signal);
    return job;
  }

  private free(number: number): void {
    this.locals[number] = undefined;
    this.freeLocals.push(number);
  }

  /** Runs a body that the core has come to. */
  run(at: Pointer, task: number): number {
    const local = this.locals[task]!;
    const scope = new MainScope(this.runtime.main, at, local.job.name, 'main', this);
    try {
      const result = (local.run as (...all: unknown[]) => unknown)(scope, ...local.args);
      if (typeof (result as PromiseLike<unknown> | null)?.then !== 'function') {
        return this.leave(local, scope, result);
      }
      (result as PromiseLike<unknown>).then(
        (value) => this.complete(at, this.leave(local, scope, value)),
        (error: unknown) => this.complete(at, this.fail(local, scope, error)),
      );
      return layout.OUTCOME_PENDING;
    } catch (error) {
      return this.fail(local, scope, error);
    }
  }

  private leave(local: Local, scope: MainScope, value: unknown): number {
    scope.end();
    local.job.setLocal(value, false);
    return layout.OUTCOME_VALUE;
  }

  private fail(local: Local, scope: MainScope, error: unknown): number {
    const own = scope.isOwnCancellation(error);
    scope.end();
    if (own) return layout.OUTCOME_CANCELLED;
    local.job.setLocal(error, true);
    this.runtime.writeError(error, { task: local.job.name, worker: 'main' });
    return layout.OUTCOME_ERROR;
  }

  private complete(at: Pointer, code: number): void {
    this.runtime.module._cwb_complete(at, code);
    this.runtime.schedulePump();
  }
}

/** The functions of a runtime's thread. */
export function localJobsOf(runtime: Runtime): LocalJobs {
  return (runtime.locals ??= new LocalJobs(runtime));
}
