/**
 * Waiting for the first of several things.
 *
 * @module
 */
import type { Channel } from './channel.js';
import { readElement } from './channel-element.js';
import { hasElement, receivingFor, succeeded } from './channel-receive.js';
import type { ReceiveResult } from './channel-receive.js';
import { IllegalStateError, checkFunction, checkMs, expected, noMemory } from './errors.js';
import { Handle, checkScope } from './handle.js';
import { Job } from './job.js';
import type { Deferred } from './job.js';
import * as layout from './layout.gen.js';
import type { Mutex } from './mutex.js';
import type { CoreModule, Pointer } from './module.js';
import { ownerNumber } from './owners.js';
import type { BaseScope } from './scope.js';

/** What a clause does when it has won; select gives what it returns. */
export type Then<A extends unknown[], R> = (...args: A) => R | PromiseLike<R>;

interface Clause<R> {
  /** Adds it to the core's select. */
  readonly add: (select: Pointer) => void;
  /** Takes what it has won out of the core's cwb_selected; gives what to call then. */
  readonly take: (data: Pointer) => () => R | PromiseLike<R>;
}

/** Takes the clauses of a {@link select}, in order. */
export class SelectClauses<R> {
  private readonly scope: BaseScope;
  private readonly module: CoreModule;
  private readonly all: Clause<R>[] = [];
  /** References to jobs, until the core has its own. */
  private readonly jobs = new Map<Job, Pointer>();
  private over = false;

  /** @internal */
  constructor(scope: BaseScope) {
    this.scope = scope;
    this.module = scope.target.realm.module;
  }

  /** The job has ended, in whatever way. A lazy one is started. */
  onJoin(job: Job, then: Then<[], R>): void {
    if (!(job instanceof Job)) throw new TypeError(expected('job', 'a Job', job));
    this.check(then);
    this.onJob(job, layout.ON_JOIN, () => then);
  }

  /** The job has ended: `then` gets its result; its failure is select's. */
  onAwait<T>(job: Deferred<T>, then: Then<[value: T], R>): void {
    if (!(job instanceof Job) || typeof (job as Partial<Deferred<T>>).result !== 'function') {
      throw new TypeError(expected('job', 'a Deferred', job));
    }
    this.check(then);
    this.onJob(job, layout.ON_AWAIT, () => () => {
      const result = job.result();
      return result instanceof Promise ? result.then(then) : then(result);
    });
  }

  /** The time is over: at once for `ms` <= 0. Fractions are rounded up. */
  onTimeout(ms: number, then: Then<[], R>): void {
    checkMs('ms', ms);
    this.check(then);
    const { module } = this;
    this.all.push({
      add: (select) => module._cwb_select_on_timeout(select, Math.ceil(ms)),
      take: () => then,
    });
  }

  /** The value is sent. Nobody gets it if another clause wins. */
  onSend<T>(channel: Pick<Channel<T>, 'send'>, value: T, then: Then<[], R>): void {
    const it = checkHandle<Channel<T>>('channel', 'Channel', channel);
    this.check(then);
    const add = (select: Pointer) => {
      const { at } = it;
      const { module } = it.target.realm;
      if (module._cwb_select_on_send(select, at, it.write(value)) < 0) throw noMemory();
    };
    this.all.push({ add, take: () => then });
  }

  /** A value is received: `then` gets it. What a channel is closed with is select's. */
  onReceive<T>(channel: Pick<Channel<T>, 'receive'>, then: Then<[value: T], R>): void {
    const it = checkHandle<Channel<T>>('channel', 'Channel', channel);
    this.check(then);
    this.onReceiving(it, layout.ON_RECEIVE, (data) => readElement<T>(it.target.realm, data), then);
  }

  /** The same, but `then` gets a result, which tells of a closed channel, too. */
  onReceiveCatching<T>(
    channel: Pick<Channel<T>, 'receiveCatching'>,
    then: Then<[result: ReceiveResult<T>], R>,
  ): void {
    const it = checkHandle<Channel<T>>('channel', 'Channel', channel);
    this.check(then);
    const { realm } = it.target;
    const read = (data: Pointer) => {
      if (!hasElement(realm, data)) return it.closedResult(it.at);
      return readElement<T, ReceiveResult<T>>(realm, data, succeeded);
    };
    this.onReceiving(it, layout.ON_RECEIVE_CATCHING, read, then);
  }

  /** The mutex is the caller's, for `owner` if there is one. */
  onLock(mutex: Mutex, then: Then<[], R>, owner?: unknown): void {
    const { at } = checkHandle<Mutex>('mutex', 'Mutex', mutex);
    this.check(then);
    const number = ownerNumber(this.scope.target.realm, owner);
    const { module } = this;
    this.all.push({
      add: (select) => module._cwb_select_on_lock(select, at, number),
      take: () => then,
    });
  }

  /** Before a clause is added. */
  private check(then: unknown): void {
    checkFunction('then', then);
    if (this.over) {
      throw new IllegalStateError(
        'coworker: a clause was added to a select that has begun; add all within the function ' +
          'that gets them, before it returns',
      );
    }
  }

  private onReceiving<T, V>(
    channel: Channel<T>,
    kind: number,
    read: (data: Pointer) => V | Promise<V>,
    then: Then<[V], R>,
  ): void {
    const { realm } = channel.target;
    const take = (data: Pointer) => {
      const value = receivingFor(realm, this.scope, () => read(data));
      // What has to be fetched from another thread comes later.
      return () => (value instanceof Promise ? value.then(then) : then(value));
    };
    const add = (select: Pointer) => realm.module._cwb_select_on_receive(select, channel.at, kind);
    this.all.push({ add, take });
  }

  private onJob(job: Job, kind: number, take: Clause<R>['take']): void {
    // The same job gets the same address, also when it has ended.
    const at = this.jobs.get(job) ?? job.retain();
    this.jobs.set(job, at);
    const { module } = this;
    this.all.push({ add: (select) => module._cwb_select_on_job(select, at, kind), take });
  }

  /** @internal Waits; gives what the function of the clause that wins does. */
  wait(fair: boolean): Promise<R> {
    const { all, module, scope } = this;
    if (all.length < 1 || all.length > layout.MAX_CLAUSES) {
      throw new RangeError(
        `coworker: a select takes 1 to ${layout.MAX_CLAUSES} clauses, got ${all.length}`,
      );
    }
    const { memory } = scope.target.realm;
    const select = module._cwb_select_new(all.length, fair ? 1 : 0);
    if (select === 0) throw noMemory();
    try {
      for (const { add } of all) add(select);
    } catch (error) {
      module._cwb_select_drop(select);
      throw error;
    }
    let begun = false;
    const begin = (at: Pointer, token: number) => {
      begun = true;
      return module._cwb_select_wait(at, token, select);
    };
    const read = (data: Pointer) => all[memory.word(data + layout.SELECTED_WHICH)]!.take(data);
    const winner = scope.suspend(begin, read);
    if (!begun) module._cwb_select_drop(select); // the scope is over
    return winner.then((then) => then());
  }

  /** @internal No more clauses; the core has references of its own. */
  end(): void {
    this.over = true;
    for (const at of this.jobs.values()) this.module._cwb_job_drop(at);
  }
}

/** Checks a handle; its class is not imported, so that nobody loads it for this. */
function checkHandle<H extends Handle>(argument: string, kind: string, handle: unknown): H {
  if (handle instanceof Handle && handle.kind === kind) return handle as H;
  throw new TypeError(expected(argument, `a ${kind}`, handle));
}

function run<R>(
  scope: BaseScope,
  build: (clauses: SelectClauses<R>) => void,
  fair: boolean,
): Promise<R> {
  checkScope(scope);
  checkFunction('build', build);
  const clauses = new SelectClauses<R>(scope);
  try {
    build(clauses);
    return clauses.wait(fair);
  } finally {
    clauses.end();
  }
}

/**
 * Waits for the first of several things, and gives what the function of its
 * clause returns. If several are ready, the first one in order wins. The others
 * have no effect: nothing is sent or received, no lock is taken.
 *
 * @param build - adds the clauses, at least one, each about another object
 * @throws what the clause that wins would fail with on its own;
 * CancellationError if the scope's job is cancelled while it waits, and then no
 * clause has an effect; IllegalStateError if two clauses are about the same
 * object (all reject)
 *
 * @example
 * const text = await select(scope, (clauses) => {
 *   clauses.onAwait(answer, (value) => `the answer is ${value}`);
 *   clauses.onTimeout(1000, () => 'no answer');
 * });
 */
export function select<R>(
  scope: BaseScope,
  build: (clauses: SelectClauses<R>) => void,
): Promise<R> {
  return run(scope, build, false);
}

/**
 * The same, but if several are ready, each of them wins with the same chance.
 *
 * @example
 * for (;;) {
 *   await selectUnbiased(scope, (clauses) => {
 *     clauses.onReceive(orders, handle);
 *     clauses.onReceive(returns, takeBack);
 *   });
 * }
 */
export function selectUnbiased<R>(
  scope: BaseScope,
  build: (clauses: SelectClauses<R>) => void,
): Promise<R> {
  return run(scope, build, true);
}
