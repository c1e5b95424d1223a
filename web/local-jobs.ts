/**
 * Jobs whose bodies are functions of this thread. A page that launches none does
 * not load this.
 *
 * @module
 */
import { checkElements } from './elements.js';
import { IllegalStateError, noMemory } from './errors.js';
import type { CoworkerError } from './errors.js';
import type { Deferred, Job } from './job.js';
import { newHandle } from './launch.js';
import type { Target } from './launch.js';
import { cancelOn, givenOf, startFlags } from './launch-options.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { checkLaunch } from './options.js';
import type { LaunchOptions } from './options.js';
import type { BaseScope } from './scope.js';

/** Makes the scope that a function is called with. */
export type MakeScope = (at: Pointer, name: string) => BaseScope;

/** A function that runs on the thread that launches it. */
export type LocalFunction = (scope: never, ...args: never[]) => unknown;

interface Local {
  readonly run: (scope: BaseScope, ...args: unknown[]) => unknown;
  readonly args: readonly unknown[];
  readonly job: Job;
  readonly makeScope: MakeScope;
}

export class LocalJobs {
  private readonly target: Target;
  private readonly locals: (Local | undefined)[] = [undefined];
  private readonly freeLocals: number[] = [];

  constructor(target: Target) {
    this.target = target;
  }

  /**
   * Launches a function on this thread: a Deferred if it is async.
   * @param makeScope - makes the scope it is called with
   */
  launch<T>(
    parent: Pointer,
    flags: number,
    options: LaunchOptions,
    run: LocalFunction,
    args: readonly unknown[],
    makeScope: MakeScope,
  ): Deferred<T> {
    checkLaunch(options);
    checkElements(options);
    const { realm } = this.target;
    const { module } = realm;
    const name = options.name ?? (run.name || 'anonymous');
    const given = givenOf(realm, realm.namesJobs ? { ...options, name } : options);
    const aborted = options.signal?.aborted ? layout.LAUNCH_HELD : 0;
    const held = options.onProgress && options.start !== 'lazy' ? layout.LAUNCH_HELD : 0;
    const begins = aborted && options.start !== 'lazy' ? aborted : startFlags(options.start);
    const how = begins | held;
    const context = options.context?.address ?? 0;
    const launch = (number: number, token: number) =>
      module._cwb_launch(
        context,
        parent,
        number,
        flags | how | layout.LAUNCH_LOCAL,
        token,
        0,
        given,
      );
    let job: Deferred<T>;
    try {
      job = this.add<T>(flags, name, run, args, launch, makeScope);
    } finally {
      if (given !== 0) module._cw_elements_release(given);
    }
    const failure = options.context?.takeFailure();
    if (failure) throw failure.error;
    if (options.signal) cancelOn(options.signal, job);
    if (options.onProgress) job.onProgress(options.onProgress);
    if (how & layout.LAUNCH_HELD) module._cwb_launch_held(job.address);
    realm.launchedHere((how & layout.LAUNCH_UNDISPATCHED) !== 0);
    return job;
  }

  /**
   * Makes a function the body of a job.
   * @param how - as it is launched
   * @param begin - makes the job, by the function's number: a handle, or 0
   * @param makeScope - makes the scope it is called with
   * @param explain - says why there was no job
   */
  add<T>(
    how: number,
    name: string,
    run: LocalFunction,
    args: readonly unknown[],
    begin: (number: number, token: number) => Pointer,
    makeScope: MakeScope,
    explain = () => this.refusal(name),
  ): Deferred<T> {
    const { target } = this;
    const { realm } = target;
    const job = newHandle<T>(how, { owner: target, name });
    const number = this.freeLocals.pop() ?? this.locals.length;
    this.locals[number] = { run: run as Local['run'], args, job, makeScope };
    const token = realm.takeToken(job);
    const at = begin(number, token);
    if (at === 0) {
      realm.dropToken(token);
      this.free(number);
      throw explain();
    }
    job.onEnd(() => this.free(number));
    job.launched(at, true);
    return job;
  }

  private refusal(name: string): CoworkerError {
    if (this.target.realm.module._cw_last_error() === layout.CW_ESTATE) {
      return new IllegalStateError(
        `coworker: '${name}' was launched on a test dispatcher whose scheduler is not that of the ` +
          'running test; make it with `scope.testScheduler`',
      );
    }
    return noMemory();
  }

  private free(number: number): void {
    this.locals[number] = undefined;
    this.freeLocals.push(number);
  }

  /** Runs a body that the core has come to. */
  run(at: Pointer, task: number): number {
    const local = this.locals[task]!;
    const { realm } = this.target;
    local.job.launched(at, false); // it may not have been told yet
    const scope = local.makeScope(at, local.job.name);
    const began = realm.beginMeasure();
    let result: unknown;
    try {
      result = local.run(scope, ...local.args);
    } catch (error) {
      realm.endMeasure(local.job.name, began);
      return this.fail(local, scope, error);
    }
    if (typeof (result as PromiseLike<unknown> | null)?.then !== 'function') {
      realm.endMeasure(local.job.name, began);
      return this.leave(local, scope, result);
    }
    const measured = () => realm.endMeasure(local.job.name, began);
    if (began !== 0) (result as PromiseLike<unknown>).then(measured, measured);
    (result as PromiseLike<unknown>).then(
      (value) => {
        if (!this.isAbandoned(scope, at)) this.complete(at, this.leave(local, scope, value));
      },
      (error: unknown) => {
        if (!this.isAbandoned(scope, at)) this.complete(at, this.fail(local, scope, error));
      },
    );
    return layout.OUTCOME_PENDING;
  }

  private isAbandoned(scope: BaseScope, at: Pointer): boolean {
    const isAbandoned = this.target.realm.isAbandoned(at);
    if (isAbandoned) scope.at = 0;
    return isAbandoned;
  }

  private leave(local: Local, scope: BaseScope, value: unknown): number {
    scope.end();
    local.job.setLocal(value);
    return layout.OUTCOME_VALUE;
  }

  private fail(local: Local, scope: BaseScope, error: unknown): number {
    return scope.fail(error, { task: local.job.name, worker: scope.workerName });
  }

  private complete(at: Pointer, code: number): void {
    const { realm } = this.target;
    realm.module._cwb_complete(at, code);
    realm.arrived();
  }
}
