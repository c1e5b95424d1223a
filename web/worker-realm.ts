/**
 * A worker's realm: runs the functions of the task module.
 *
 * @module
 */
import { registerHandles } from './all-handles.js';
import { setCurrentTarget } from './current.js';
import { StartError } from './errors.js';
import { gate, GONE } from './gate.js';
import { Target } from './launch.js';
import type { LaunchRealm } from './launch.js';
import * as layout from './layout.gen.js';
import type { CoreModule, Pointer } from './module.js';
import * as progress from './progress.js';
import type { ProgressModule } from './progress.js';
import type { FromWorker, ToWorker } from './protocol.js';
import { open, seal } from './protocol.js';
import { Realm } from './realm.js';
import { support } from './references.js';
import { strayed } from './stray.js';
import { TaskRunner } from './task-runner.js';
import type { TaskModule } from './task-runner.js';

/** What a worker's realm needs of its host. */
export interface WorkerHost {
  post(message: unknown, transfer?: Transferable[]): void;
  nextTurn(callback: () => void): void;
  /** Takes, if it can, what the thread holds as long as it lives, and gives the name of that. */
  proveLife(): Promise<string | undefined>;
}

/** How long a worker waits for what proves that it lives. */
const PROOF_MS = 200;

export class WorkerRealm extends Realm implements LaunchRealm {
  private readonly host: WorkerHost;
  private readonly tasks: TaskModule;
  private runner!: TaskRunner;
  private readonly wanted = new Map<string, (value: unknown) => void>();
  private parcelCount = 0;
  private workerName = '';
  private nameAt: Pointer = 0;

  constructor(tasks: TaskModule, host: WorkerHost) {
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
        void this.begin(message.memory, message.context, message.options.wakeByMessage);
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

  private async begin(
    memory: WebAssembly.Memory,
    name: string,
    wakeByMessage: boolean,
  ): Promise<void> {
    try {
      // The factory was given `coworker: this`, and hands the module back here.
      this.attach(this.module, memory, { wakeByMessage });
      gate(this.module, this.gone);
      this.workerName = this.memory.text(this.nameAt);
      const context = this.memory.word(this.self + layout.WORKER_CONTEXT);
      this.own = new Target(this, context, name);
      setCurrentTarget(this.own);
      this.runner = new TaskRunner(this.own, this.tasks, () => this.workerName);
      this.post({ type: 'ready', tasks: [...this.own.tasks!] });
      const told = this.host.proveLife().then((lock) => {
        if (lock !== undefined) this.post({ type: 'mortal', lock });
      });
      // Before it runs anything: that may never let the event loop have a turn. But
      // WebKit (seen in 2.50) may be late in giving a lock, or never give it.
      let late: ReturnType<typeof setTimeout>;
      await Promise.race([told, new Promise((resolve) => (late = setTimeout(resolve, PROOF_MS)))]);
      clearTimeout(late!);
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
    this.post({ type: 'bye', locals: this.module._cwb_own_locals() });
  }

  workerLost(worker: Pointer): never {
    throw new Error(`coworker: worker ${worker} cannot be replaced from here`);
  }

  /** The main realm keeps the threads ... */
  startAgain(): number {
    return 0;
  }

  /** ... and ends them. */
  endContext(): void {}

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

  /** An error that nobody caught, of something that a task has begun. */
  stray(error: unknown): void {
    if (error === GONE) return;
    strayed(this, error, this.workerName, () => this.report(error));
  }

  wake(worker: Pointer): void {
    if (worker === this.self) this.wakeHere();
    else this.post({ type: 'wake', worker });
  }

  // ---- running tasks

  run(at: Pointer, task: number, outcome: number, data: Pointer, length: number): number {
    if (outcome === layout.OUTCOME_LOCAL) return this.runLocal(at, task);
    return this.runner.run(at, task, outcome, data, length);
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
    const isReady = this.home !== 0 && !this.isOver;
    const taken = isReady ? this.errors.take(error, { worker: this.workerName }) : 0;
    this.post({ type: 'stray', error: taken, ...partsOf(error) });
  }

  protected busyChanged(): void {}
}

/** What is told of an error that no task can catch. */
export function partsOf(error: unknown): { message: string; stack: string } {
  if (error instanceof Error) {
    return { message: `${error.name}: ${error.message}`, stack: error.stack ?? '' };
  }
  return { message: String(error), stack: '' };
}
