/**
 * Jobs whose bodies are functions of this thread. A page that launches none does
 * not load this.
 *
 * @module
 */
import { checkElements } from './elements.js';
import { CoworkerError } from './errors.js';
import type { Deferred, Job } from './job.js';
import { newHandle } from './launch.js';
import type { Target } from './launch.js';
import { givenOf, startFlags } from './launch-options.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { checkLaunch } from './options.js';
import type { LaunchOptions } from './options.js';
import type { BaseScope } from './scope.js';

/** A function that runs on the thread that launches it. */
export type LocalFunction = (scope: never, ...args: never[]) => unknown;

interface Local {
  readonly run: (scope: BaseScope, ...args: unknown[]) => unknown;
  readonly args: readonly unknown[];
  readonly job: Job;
}

export class LocalJobs {
  private readonly target: Target;
  private readonly makeScope: (at: Pointer, name: string) => BaseScope;
  private readonly locals: (Local | undefined)[] = [undefined];
  private readonly freeLocals: number[] = [];

  constructor(target: Target, makeScope: (at: Pointer, name: string) => BaseScope) {
    this.target = target;
    this.makeScope = makeScope;
  }

  /** Launches a function on this thread. */
  launch<T>(
    parent: Pointer,
    flags: number,
    options: LaunchOptions,
    run: LocalFunction,
    args: readonly unknown[],
  ): Deferred<T> {
    checkLaunch(options);
    checkElements(options);
    const { target } = this;
    const { realm } = target;
    const { module } = realm;
    const name = options.name ?? (run.name || 'anonymous');
    const job = newHandle<T>(flags, { realm, owner: target, name });
    const given = givenOf(realm, options);
    const number = this.freeLocals.pop() ?? this.locals.length;
    this.locals[number] = { run: run as Local['run'], args, job };
    const token = realm.takeToken(job);
    const held = options.signal?.aborted ? layout.LAUNCH_HELD : 0;
    const how = held && options.start !== 'lazy' ? held : startFlags(options.start);
    const at = module._cwb_launch(
      target.context,
      parent,
      number,
      flags | how | layout.LAUNCH_LOCAL,
      token,
      0,
      options.timeout ?? -1,
      given,
    );
    if (given !== 0) module._cw_elements_release(given);
    if (at === 0) {
      realm.dropToken(token);
      this.free(number);
      throw new CoworkerError('coworker: no shared memory left', { code: 'CW_ENOMEM' });
    }
    job.onEndLocal(() => this.free(number));
    job.started(at);
    if (options.signal) job.listen(options.signal);
    if (how & layout.LAUNCH_HELD) module._cwb_launch_held(at);
    realm.launchedHere((how & layout.LAUNCH_UNDISPATCHED) !== 0);
    return job;
  }

  private free(number: number): void {
    this.locals[number] = undefined;
    this.freeLocals.push(number);
  }

  /** Runs a body that the core has come to. */
  run(at: Pointer, task: number): number {
    const local = this.locals[task]!;
    const scope = this.makeScope(at, local.job.name);
    let result: unknown;
    try {
      result = local.run(scope, ...local.args);
    } catch (error) {
      return this.fail(local, scope, error);
    }
    if (typeof (result as PromiseLike<unknown> | null)?.then !== 'function') {
      return this.leave(local, scope, result);
    }
    (result as PromiseLike<unknown>).then(
      (value) => this.complete(at, this.leave(local, scope, value)),
      (error: unknown) => this.complete(at, this.fail(local, scope, error)),
    );
    return layout.OUTCOME_PENDING;
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
