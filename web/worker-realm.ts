/**
 * A worker's realm: runs the functions of the task module.
 *
 * @module
 */
import { registerHandles } from './all-handles.js';
import type { Channel } from './channel.js';
import { setCurrentTarget } from './current.js';
import { StartError, describe } from './errors.js';
import { STREAM, Target } from './launch.js';
import type { LaunchRealm } from './launch.js';
import { feed } from './feed.js';
import * as layout from './layout.gen.js';
import type { CoreModule, Pointer } from './module.js';
import { Transfer } from './parcels.js';
import * as progress from './progress.js';
import type { ProgressModule } from './progress.js';
import type { FromWorker, ToWorker } from './protocol.js';
import { open, seal } from './protocol.js';
import { Realm } from './realm.js';
import { support } from './references.js';
import type { Sent } from './references.js';
import { Scope } from './task-scope.js';

type Task = (scope: Scope, ...args: unknown[]) => unknown;

/** What a worker's realm needs of its host. */
export interface WorkerHost {
  post(message: unknown, transfer?: Transferable[]): void;
  nextTurn(callback: () => void): void;
  /** Takes, if it can, what the thread holds as long as it lives, and tells by which name. */
  proveLife(taken: (lock: string) => void): Promise<void>;
}

export class WorkerRealm extends Realm implements LaunchRealm {
  private readonly host: WorkerHost;
  private readonly tasks: Readonly<Record<string, unknown>>;
  private readonly functions: { run: Task; name: string }[] = [];
  private readonly wanted = new Map<string, (value: unknown) => void>();
  private parcelCount = 0;
  private workerName = '';
  private nameAt: Pointer = 0;

  constructor(tasks: Readonly<Record<string, unknown>>, host: WorkerHost) {
    super();
    registerHandles();
    this.tasks = tasks;
    this.host = host;
  }

  private post(message: FromWorker, transfer?: Transferable[]): void {
    this.host.post(seal(message), transfer);
  }

  // ---- coming and going

  workerStart(worker: Pointer, name: Pointer): void {
    this.self = worker;
    this.home = this.module._cwb_home_address();
    this.nameAt = name;
    this.post({ type: 'hello', worker });
  }

  /** Hears what the host got; messages of others pass by. */
  hear(data: unknown): void {
    const message = open<ToWorker>(data);
    if (!message) return;
    switch (message.type) {
      case 'init':
        this.begin(message.memory, message.context, message.options.wakeByMessage);
        break;
      case 'parcel': {
        const take = this.wanted.get(message.parcel);
        this.wanted.delete(message.parcel);
        take?.(message.value);
        break;
      }
      case 'wake':
        this.pumpNow();
        break;
    }
  }

  private begin(memory: WebAssembly.Memory, name: string, wakeByMessage: boolean): void {
    try {
      // The factory was given `coworker: this`, and hands the module back here.
      this.attach(this.module, memory, { wakeByMessage });
      this.workerName = this.memory.text(this.nameAt);
      const context = this.memory.word(this.self + layout.WORKER_CONTEXT);
      this.own = new Target(this, context, name);
      setCurrentTarget(this.own);
      const names = Object.keys(this.tasks).filter((k) => typeof this.tasks[k] === 'function');
      this.own.tasks = new Set(names);
      this.post({ type: 'ready', tasks: names });
      void this.host.proveLife((lock) => this.post({ type: 'mortal', lock }));
    } catch (error) {
      this.failed(error);
    }
    // Also after a failure: the context is closed then, and the thread has to
    // end to give its memory back.
    this.pumpNow();
  }

  /** Tells the main realm that this worker cannot start. */
  failed(error: unknown): void {
    this.post({ type: 'failed', ...partsOf(error), outOfMemory: error instanceof StartError });
  }

  setModule(module: CoreModule): void {
    this.module = module;
  }

  protected get nameOfWorker(): string {
    return this.workerName;
  }

  workerEnd(): void {
    this.post({ type: 'bye' });
  }

  workerLost(worker: Pointer): never {
    throw new Error(`coworker: worker ${worker} cannot be replaced from here`);
  }

  protected finished(): void {
    support.handles!.end();
    this.isOver = true;
    try {
      this.module._cwb_thread_end();
    } catch (unwound) {
      if (unwound !== 'unwind') throw unwound; // how Emscripten ends a thread
    }
  }

  protected crashed(error: unknown): void {
    this.post({ type: 'crashed', ...partsOf(error) });
  }

  /** An error that nobody caught, of something that a task left behind. */
  stray(error: unknown): void {
    this.post({ type: 'stray', ...partsOf(error) });
  }

  wake(worker: Pointer): void {
    if (worker === this.self) this.schedulePump();
    else this.post({ type: 'wake', worker });
  }

  // ---- running tasks

  run(at: Pointer, task: number, outcome: number, data: Pointer, length: number): number {
    if (outcome === layout.OUTCOME_LOCAL) return this.runLocal(at, task);
    const { run, name } = this.functions[task] ?? this.resolve(task);
    const scope = new Scope(this.own, at, name, this.workerName);
    let args: unknown;
    this.receiver = scope;
    try {
      if (outcome === layout.OUTCOME_MESSAGE) args = this.reader.readOne(data, length);
      else args = length === 0 ? [] : this.reader.read(data, length);
    } catch (error) {
      return this.fail(scope, error);
    } finally {
      this.receiver = undefined;
    }
    if (outcome !== layout.OUTCOME_MESSAGE) return this.call(run, scope, at, args as unknown[]);
    support.handles!.claim(this, args as Sent, (list) => {
      const code = this.call(run, scope, at, list as unknown[]);
      if (code !== layout.OUTCOME_PENDING) this.complete(at, code);
    });
    return layout.OUTCOME_PENDING;
  }

  private call(run: Task, scope: Scope, at: Pointer, args: unknown[]): number {
    const began = this.beginMeasure();
    let result: unknown;
    try {
      result = run(scope, ...args);
    } catch (error) {
      this.endMeasure(scope.taskName, began);
      return this.fail(scope, error);
    }
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
      this.endMeasure(scope.taskName, began);
      return this.leave(scope, result);
    }
    const measured = () => this.endMeasure(scope.taskName, began);
    if (began !== 0) (result as PromiseLike<unknown>).then(measured, measured);
    (result as PromiseLike<unknown>).then(
      (value) => this.complete(at, this.leave(scope, value)),
      (error: unknown) => this.complete(at, this.fail(scope, error)),
    );
    return layout.OUTCOME_PENDING;
  }

  private complete(at: Pointer, code: number): void {
    this.module._cwb_complete(at, code);
    this.arrived();
  }

  private leave(scope: Scope, value: unknown): number {
    scope.end();
    const { references } = this;
    let length = value instanceof Transfer ? -1 : this.encodeOne(value, 0, references);
    const refers = () => (references.length > 0 ? layout.OUTCOME_REFERS : 0);
    if (length >= 0) return layout.OUTCOME_VALUE | (length << 3) | refers();
    const { value: content, list } =
      value instanceof Transfer ? value : { value, list: [] as Transferable[] };
    let sent: Sent;
    try {
      sent = support.handles!.deposit(this, content, list);
    } catch (error) {
      const what = `the result of '${scope.taskName}', ${describe(content)}, cannot be sent back`;
      return this.fail(
        scope,
        new TypeError(`coworker: ${what}: ${String(error)}`, { cause: error }),
      );
    }
    length = this.encodeOne(sent, 0, references);
    return layout.OUTCOME_MESSAGE | (length << 3) | refers();
  }

  private fail(scope: Scope, error: unknown): number {
    return scope.fail(error, { task: scope.taskName, worker: this.workerName });
  }

  /** Finds the function of a task number that is new to this worker. */
  private resolve(task: number): { run: Task; name: string } {
    const name = this.memory.text(this.module._cwb_task_name(this.own.context, task));
    return (this.functions[task] = { run: this.find(name), name });
  }

  private find(name: string): Task {
    if (name === STREAM) {
      return (scope, task, channel, ...args) =>
        feed(scope, this.find(task as string), task as string, channel as Channel, args);
    }
    const own = Object.hasOwn(this.tasks, name) ? this.tasks[name] : undefined;
    const native = this.module[`_${name}`];
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

  /** The core knows best whom to wake within a context. */
  wakingFlags(): number {
    return 0;
  }

  loadProgress(): Promise<ProgressModule> {
    return Promise.resolve(progress);
  }

  // ---- parcels: the main realm keeps them

  deposit(value: unknown, transfer: readonly Transferable[], name?: string): string {
    const parcel = name ?? `${this.home}:${this.parcelCount++}`;
    const list = [...transfer];
    this.post({ type: 'deposit', parcel, value, transfer: list }, list);
    return parcel;
  }

  claim(parcel: string, take: (value: unknown) => void): void {
    this.wanted.set(parcel, take);
    this.post({ type: 'claim', parcel });
  }

  discard(parcel: string): void {
    this.post({ type: 'drop', parcel });
  }

  // ---- the rest of a realm

  protected nextTurn(callback: () => void): void {
    this.host.nextTurn(callback);
  }

  report(error: unknown): void {
    this.stray(error);
  }

  protected busyChanged(): void {}
}

function partsOf(error: unknown): { message: string; stack: string } {
  if (error instanceof Error) {
    return { message: `${error.name}: ${error.message}`, stack: error.stack ?? '' };
  }
  return { message: String(error), stack: '' };
}
