/**
 * How a context begins, again if need be, and what it hears of its workers.
 *
 * @module
 */
import type { Crew, CrewHost } from './crew.js';
import { environment } from './environment.js';
import { ContextClosedError, ContextLostError, describe, noMemory } from './errors.js';
import { explained } from './explain.js';
import { Target } from './launch.js';
import { ContextEventTarget, RebuiltEvent, WorkerEvent } from './losses.js';
import { Memory } from './memory.js';
import type { Pointer } from './module.js';
import { quiet } from './options.js';
import type { CheckedOptions } from './options.js';
import type { Runtime } from './runtime.js';
import type { ContextStats } from './stats.js';
import type { Tier } from './tier.js';
import type { TraceReader } from './trace.js';
import { UncaughtErrorEvent } from './uncaught.js';
import { WorkerScopes } from './worker-scope.js';
import { Workforce } from './workforce.js';
import type { Employer } from './workforce.js';

/** The part of a context that begins it; the state of all parts. */
export abstract class ContextLife<M extends object> extends ContextEventTarget {
  /** The name that was given; the workers' names derive from it. */
  readonly name: string;
  /** The number of workers. */
  readonly workers: number;
  /** What it runs on; see docs/tiers.md for what each tier can do. */
  readonly tier: Tier;
  /**
   * Fulfilled when all workers have started; rejected with a {@link StartError}
   * if one does not. Jobs may be launched before.
   */
  readonly ready: Promise<void>;
  /** @internal Hears why the context cannot go on. */
  hasFailed: ((error: Error) => void) | undefined;

  protected readonly runtime: Runtime;
  protected readonly options: CheckedOptions;
  /** These are another generation's after the context was rebuilt. */
  protected target!: Target;
  protected views: Target[] = [];
  protected workerScopes!: WorkerScopes<M>;
  protected workforce: Workforce | undefined;
  protected generationNow = 1;
  protected generationReady = 0;
  protected readonly isShared: boolean;
  /** In place of threads. */
  protected readonly crew: Crew | undefined;
  protected readonly readTrace: TraceReader | undefined;
  protected settleReady!: { resolve: () => void; reject: (error: unknown) => void };
  protected failure: Error | undefined;
  /** @internal Gives why the context could not be opened, once all is over. */
  readonly notOpened: Promise<unknown> | undefined;
  protected notMade: { error: unknown } | undefined;
  protected closing: Promise<void> | undefined;
  protected allEnded: (() => void) | undefined;
  /** Nothing of it runs any more. */
  protected isOver = false;
  /** What C programs have of it. */
  protected standsFor: 'default' | 'io' | undefined;
  protected deadline: ReturnType<typeof setTimeout> | undefined;
  private keeping = false;
  protected lastStats: ContextStats | undefined;

  /** @internal */
  constructor(
    runtime: Runtime,
    workers: number,
    name: string,
    options: CheckedOptions,
    readTrace: TraceReader | undefined,
    isShared: boolean,
    crew?: Crew,
  ) {
    super();
    this.isShared = isShared;
    this.crew = crew;
    this.tier = crew?.tier ?? 'shared';
    this.readTrace = readTrace;
    this.runtime = runtime;
    this.workers = workers;
    this.name = name;
    this.options = options;
    this.ready = quiet(
      new Promise<void>((resolve, reject) => {
        this.settleReady = { resolve, reject };
      }),
    );
    const at = this.open();
    this.enter(at < 0 ? 0 : at);
    if (at < 0) {
      this.notOpened = this.endStarted(at); // the target is of nobody's use
      return;
    }
    this.keepProcess(true);
    this.start();
    if (this.notMade) {
      const { error } = this.notMade;
      this.fail(error as Error);
      this.notOpened = environment().refusal(error);
    }
  }

  /** Opens the core's context: its address, or an error code. */
  protected open(): number {
    const { runtime, crew, name } = this;
    runtime.writeBytes(Memory.encode(`${name}\0`));
    if (crew) return crew.open(runtime);
    this.workforce = new Workforce(this.employer());
    return this.workforce.open();
  }

  /** False while it is on its way to fail, since the core could not open it. */
  protected get isThere(): boolean {
    return this.target.context !== 0;
  }

  /** From here on, the context is the core's one at that address; 0: there is none. */
  protected enter(at: Pointer): void {
    const { runtime, name, crew } = this;
    this.target = new Target(runtime, at, name, crew !== undefined);
    this.target.closed = at === 0;
    this.target.uncaught = (error, isCrash) => this.uncaught(error, isCrash);
    this.views = [];
    this.workerScopes = this.makeWorkerScopes();
    if (at !== 0) runtime.enders.set(at, () => void this.kill());
  }

  /** Its workers are about to start. */
  protected start(): void {
    this.setLimits(this.target.context, this.options);
    this.awaitStart();
    this.crew?.begin(this.crewHost(this.target));
  }

  /** Gives those that start their time. */
  private awaitStart(): void {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => void this.tooLate(), this.options.startTimeout);
  }

  /** Some threads may have been started before one could not: lets them end. */
  protected async endStarted(code: number): Promise<Error> {
    await this.workforce?.endStarted();
    return explained(({ notOpened }) => notOpened(this.name, code));
  }

  private setLimits(at: Pointer, { maxQueue, whenFull, losses }: CheckedOptions): void {
    const { module } = this.runtime;
    const waits = Number(whenFull === 'wait');
    if (
      module._cwb_context_limit_losses(at, losses.count, losses.period) !== 0 ||
      (maxQueue !== undefined && module._cwb_context_limit_queue(at, maxQueue, waits) !== 0)
    ) {
      this.notMade ??= { error: noMemory() };
    }
  }

  protected checkOpen(): void {
    if (this.failure !== undefined) throw this.failure;
    if (!this.target.closed) return;
    throw new ContextClosedError(`coworker: context '${this.name}' is closed`);
  }

  private makeWorkerScopes(): WorkerScopes<M> {
    const nameOf = (index: number) => this.nameOf(index);
    return new WorkerScopes<M>(this.target, this.workers, nameOf, () => this.checkOpen());
  }

  /** @internal C programs' Default, or IO, runs on this context from now on. */
  become(role: 'default' | 'io'): void {
    const { module } = this.runtime;
    this.standsFor = role;
    if (role === 'default') module._cwb_set_default(this.target.context);
    else module._cwb_set_io(this.target.context);
  }

  /**
   * How often the context was built: 1, and one more each time that a worker died
   * inside of the runtime. Then all its jobs end with a {@link ContextLostError},
   * and it goes on with new workers: `contextrebuilt` tells when they are there.
   */
  get generation(): number {
    return this.generationNow;
  }

  /**
   * An open context keeps a Node process from ending: what its tasks have left
   * behind may still have something to do, or to tell.
   */
  protected keepProcess(keep: boolean): void {
    if (keep === this.keeping || this.isShared) return;
    this.keeping = keep;
    if (keep) this.runtime.hold();
    else this.runtime.release();
  }

  // ---- threads

  private employer(): Employer {
    const { runtime, name, workers, options } = this;
    return {
      ...{ runtime, name, workers, options },
      nameOf: (index) => this.nameOf(index),
      tell: (type, index, reason) => this.tell(type, index, reason),
      learn: (tasks) => this.learn(tasks),
      ready: () => this.allReady(),
      startsAgain: () => this.awaitStart(),
      notMade: (error) => {
        this.notMade ??= { error };
      },
      stray: (error, index) => this.strayed(error, index),
      isTooMuch: (index, reason) => this.isTooMuch(index, reason),
      fail: (error) => this.fail(error),
      broken: (error) => this.broken(error),
      over: () => this.ended(),
    };
  }

  private crewHost(target: Target): CrewHost {
    const { runtime, name, workers, options } = this;
    return {
      ...{ runtime, target, name, workers, options },
      ready: (tasks) => {
        this.learn(tasks);
        this.allReady();
      },
      notMade: (error) => {
        this.notMade ??= { error };
      },
      stray: (error, index) => this.strayed(error, index),
      lost: (index, reason) => {
        this.tell('workerlost', index, reason);
        const goesOn = !this.isTooMuch(index, reason);
        if (goesOn) this.awaitStart();
        return goesOn;
      },
      replaced: (index) => this.tell('workerreplaced', index),
      fail: (error) => this.fail(error),
      over: () => this.ended(),
    };
  }

  private allReady(): void {
    clearTimeout(this.deadline);
    this.settleReady.resolve();
    if (this.generationReady === this.generation) return;
    this.generationReady = this.generation;
    if (this.generation > 1) this.dispatchEvent(new RebuiltEvent(this.generation));
  }

  private learn(tasks: readonly string[]): void {
    this.target.tasks ??= new Set(tasks);
  }

  /** A worker has an error that nobody caught, and that is no job's. */
  private strayed(error: unknown, index: number): void {
    const { onStrayError } = this.options;
    if (!onStrayError) this.uncaught(error, true, this.nameOf(index));
    else if (error instanceof Error) onStrayError(error);
    else onStrayError(new Error(`uncaught: ${describe(error)}`, { cause: error }));
  }

  /**
   * Nobody takes an error.
   * @param isCrash - nobody has thrown it to somebody, so the page is left alone
   */
  private uncaught(error: unknown, isCrash: boolean, worker?: string): void {
    if (!this.dispatchEvent(new UncaughtErrorEvent(error, worker))) return;
    if (isCrash) console.error(`coworker: uncaught, in context '${this.name}':`, error);
    else this.runtime.report(error);
  }

  private async tooLate(): Promise<void> {
    const missing = this.missing;
    const { name, workers, options } = this;
    const limit = options.startTimeout;
    const error = await explained((why) => why.tooLate(name, missing, workers, limit));
    if (this.missing > 0) this.fail(error); // there is still time while that is loaded
  }

  /** Counts the loss of a worker; fails if that is one too many. */
  private isTooMuch(index: number, reason: string): boolean {
    if (this.runtime.module._cwb_context_note_loss(this.target.context) === 0) return false;
    const { count, period } = this.options.losses;
    this.fail(
      new ContextLostError(
        `coworker: context '${this.name}' is lost: more than ${count} of its workers were lost ` +
          `within ${period} ms, the last one, '${this.nameOf(index)}', as it ${reason}; ` +
          'see the option `losses`',
      ),
    );
    return true;
  }

  private get missing(): number {
    return (this.crew ?? this.workforce)!.missing;
  }

  private nameOf(index: number): string {
    return this.workers === 1 ? this.name : `${this.name}-${index + 1}`;
  }

  private tell(type: 'workerlost' | 'workerreplaced', index: number, reason?: string): void {
    this.dispatchEvent(new WorkerEvent(type, this.nameOf(index), index, reason));
  }

  // ---- how it ends

  /** The last phase of closing. */
  protected abstract kill(): Promise<void>;
  /** Nothing runs any more. */
  protected abstract ended(): void;
  /** The context is beyond repair: everything in it ends now. */
  protected abstract fail(error: Error): void;
  /** A worker has died inside of the core. */
  protected abstract broken(lost: ContextLostError): void;
}
