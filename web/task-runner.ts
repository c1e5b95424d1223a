/**
 * Runs the functions of a task module as bodies of the core's jobs, on the
 * thread where they are loaded.
 *
 * @module
 */
import { describe } from './errors.js';
import { feed } from './feed.js';
import { STREAM } from './launch.js';
import type { LaunchRealm, Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { Sink } from './outlet.js';
import { Transfer } from './parcels.js';
import { support } from './references.js';
import type { Sent } from './references.js';
import { Scope } from './task-scope.js';

type Task = (scope: Scope, ...args: unknown[]) => unknown;

/** Where a task has thrown something. */
interface Where {
  readonly task: string;
  readonly worker: string;
}

/** The functions of a task module, by name. */
export type TaskModule = Readonly<Record<string, unknown>>;

/** The names of a module's tasks. */
export function taskNames(tasks: TaskModule): string[] {
  return Object.keys(tasks).filter((name) => typeof tasks[name] === 'function');
}

export class TaskRunner {
  private readonly realm: LaunchRealm;
  private readonly own: Target;
  private readonly tasks: TaskModule;
  private readonly workerName: () => string;
  private readonly thrown: ((error: unknown, where: Where) => void) | undefined;
  /** Makes what streams go to whose values are for another core. */
  outlet: ((scope: Scope, credit: number) => Sink) | undefined;
  private readonly functions: { run: Task; name: string }[] = [];

  /**
   * @param own - the context that the tasks belong to, and launch their children on
   * @param workerName - the name of the worker for a task that begins
   * @param thrown - hears of what tasks throw
   */
  constructor(
    own: Target,
    tasks: TaskModule,
    workerName: () => string,
    thrown?: (error: unknown, where: Where) => void,
  ) {
    this.thrown = thrown;
    this.realm = own.realm;
    this.own = own;
    this.tasks = tasks;
    this.workerName = workerName;
    own.tasks = new Set(taskNames(tasks));
  }

  /** As {@link Host.run}. */
  run(at: Pointer, task: number, outcome: number, data: Pointer, length: number): number {
    const { realm } = this;
    const { run, name } = this.functions[task] ?? this.resolve(task);
    const scope = new Scope(this.own, at, name, this.workerName());
    let args: unknown;
    realm.receiver = scope;
    try {
      if (outcome === layout.OUTCOME_MESSAGE) args = realm.reader.readOne(data, length);
      else args = length === 0 ? [] : realm.reader.read(data, length);
    } catch (error) {
      return this.fail(scope, error);
    } finally {
      realm.receiver = undefined;
    }
    if (outcome !== layout.OUTCOME_MESSAGE) return this.call(run, scope, at, args as unknown[]);
    let atOnce: number | undefined;
    let later = false;
    support.handles!.claim(realm, args as Sent, (list) => {
      const code = this.call(run, scope, at, list as unknown[]);
      if (!later) atOnce = code;
      else if (code !== layout.OUTCOME_PENDING) this.complete(at, code);
    });
    later = true;
    return atOnce ?? layout.OUTCOME_PENDING;
  }

  private call(run: Task, scope: Scope, at: Pointer, args: unknown[]): number {
    const { realm } = this;
    const began = realm.beginMeasure();
    let result: unknown;
    try {
      result = run(scope, ...args);
    } catch (error) {
      realm.endMeasure(scope.taskName, began);
      return this.fail(scope, error);
    }
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
      realm.endMeasure(scope.taskName, began);
      return this.leave(scope, result);
    }
    const measured = () => realm.endMeasure(scope.taskName, began);
    if (began !== 0) (result as PromiseLike<unknown>).then(measured, measured);
    (result as PromiseLike<unknown>).then(
      (value) => {
        if (!this.isAbandoned(scope, at)) this.complete(at, this.leave(scope, value));
      },
      (error: unknown) => {
        if (!this.isAbandoned(scope, at)) this.complete(at, this.fail(scope, error));
      },
    );
    return layout.OUTCOME_PENDING;
  }

  private isAbandoned(scope: Scope, at: Pointer): boolean {
    const isAbandoned = this.realm.isAbandoned(at);
    if (isAbandoned) scope.at = 0;
    return isAbandoned;
  }

  private complete(at: Pointer, code: number): void {
    this.realm.module._cwb_complete(at, code);
    this.realm.arrived();
  }

  private leave(scope: Scope, value: unknown): number {
    scope.end();
    const { realm } = this;
    const { references } = realm;
    let length = value instanceof Transfer ? -1 : realm.encodeOne(value, 0, references);
    const refers = () => (references.length > 0 ? layout.OUTCOME_REFERS : 0);
    if (length >= 0) return layout.OUTCOME_VALUE | (length << 3) | refers();
    const { value: content, list } =
      value instanceof Transfer ? value : { value, list: [] as Transferable[] };
    let sent: Sent;
    try {
      sent = support.handles!.deposit(realm, content, list);
    } catch (error) {
      const what = `the result of '${scope.taskName}', ${describe(content)}, cannot be sent back`;
      return this.fail(
        scope,
        new TypeError(`coworker: ${what}: ${String(error)}`, { cause: error }),
      );
    }
    length = realm.encodeOne(sent, 0, references);
    return layout.OUTCOME_MESSAGE | (length << 3) | refers();
  }

  private fail(scope: Scope, error: unknown): number {
    const where = { task: scope.taskName, worker: scope.workerName };
    this.thrown?.(error, where);
    return scope.fail(error, where);
  }

  /** Finds the function of a task number that is new here. */
  private resolve(task: number): { run: Task; name: string } {
    const { module, memory } = this.realm;
    const name = memory.text(module._cwb_task_name(this.own.context, task));
    return (this.functions[task] = { run: this.find(name), name });
  }

  private find(name: string): Task {
    if (name === STREAM) {
      return (scope, task, to, ...args) => {
        const sink = typeof to === 'number' ? this.outlet!(scope, to) : (to as Sink);
        return feed(scope, this.find(task as string), task as string, sink, args);
      };
    }
    const { module } = this.realm;
    const own = Object.hasOwn(this.tasks, name) ? this.tasks[name] : undefined;
    const native = module[`_${name}`];
    let run: Task;
    if (typeof own === 'function') {
      run = own as Task;
    } else if (typeof native === 'function' && !/^_?cwb?_/.test(name)) {
      // A plain function of C: it takes numbers, and knows no scope.
      run = (_scope, ...args) => (native as (...numbers: unknown[]) => unknown)(...args);
    } else {
      run = () => {
        throw this.own.unknown(name, this.own.tasks!);
      };
    }
    return run;
  }
}
