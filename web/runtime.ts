/**
 * The main realm: one instance of the core's module on the page's or process's
 * main thread, with everything that contexts on it share.
 *
 * @module
 */
import { setCurrentTarget } from './current.js';
import { environment } from './environment.js';
import { IsolationError, StartError, WorkerCrashedError } from './errors.js';
import { explained } from './explain.js';
import { Job } from './job.js';
import { Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { CoreModule, ModuleFactory, Pointer } from './module.js';
import type { CheckedOptions } from './options.js';
import type { ProgressModule } from './progress.js';
import { RootRealm } from './root-realm.js';
import { wantedTier } from './tier.js';
import type { Thread } from './threads.js';

/** Launches in a row that each wake a worker. */
const WAKE_AT_ONCE = 4;
/** The shortest time between wake-ups afterwards. */
const WAKE_EVERY_MS = 0.2;
/** Jobs of the main thread per turn of its event loop. */
const JOBS_PER_TURN = 16;
const PAGE = 65536;

export class Runtime extends RootRealm {
  /** The main thread's own context. */
  main!: Target;
  readonly wakeByMessage: boolean;
  readonly sharedMemory: WebAssembly.Memory;
  /** Realms that can be woken by a message only, by their worker's address. */
  readonly wakers = new Map<Pointer, () => void>();
  /** Who replaces workers that the core has declared dead, by their address. */
  readonly replacers = new Map<Pointer, (life: Pointer) => void>();
  /** What ends the workers of a context whose time is over, by the core's address. */
  readonly enders = new Map<Pointer, () => void>();
  /** Dead threads whose memory serves the next ones. */
  readonly deadThreads: Thread[] = [];

  private holds = 0;

  private constructor(memory: WebAssembly.Memory, wakeByMessage: boolean) {
    super();
    this.budget = this.goesPerTurn = JOBS_PER_TURN;
    this.sharedMemory = memory;
    this.wakeByMessage = wakeByMessage;
  }

  /** Loads the module, the one without threads if `solo`, and makes this thread its main realm. */
  static async load(options: CheckedOptions, solo: boolean): Promise<Runtime> {
    if (!solo) await environment().checkSharedMemory();
    const memory = await makeMemory(options, !solo);
    const wakeByMessage = solo || options.wakeByMessage || !hasWaitAsync();
    const runtime = new Runtime(memory, wakeByMessage);
    const module = await instantiate(runtime, memory, options, solo);
    runtime.self = module._cwb_init(wakeByMessage ? 1 : 0);
    if (runtime.self === 0) throw await explained(({ noMemory }) => noMemory(options));
    runtime.home = module._cwb_home_address();
    runtime.attach(module, memory, { wakeByMessage });
    runtime.main = runtime.own = new Target(runtime, module._cwb_main_context(), 'main');
    runtime.pumpNow();
    return runtime;
  }

  /** Most pages do not listen to any. */
  loadProgress(): Promise<ProgressModule> {
    return import('./progress.js');
  }

  // ---- waking workers

  /**
   * To wake a worker takes this thread longer than all the rest of a launch, and
   * among many launches it is mostly in vain: the worker was about to look.
   * So when several follow upon each other, all but the first ones only queue
   * their jobs, and one wake-up comes with the end of the turn.
   */
  wakingFlags(target: Target): number {
    if (target.isLodger) return 0;
    if (target.launches++ < WAKE_AT_ONCE) return 0;
    const now = performance.now();
    if (now - target.wokenAt > WAKE_EVERY_MS) {
      target.wokenAt = now;
      return 0;
    }
    if (!target.wakeOwed) {
      target.wakeOwed = true;
      queueMicrotask(() => {
        target.wakeOwed = false;
        target.launches = 0;
        this.module._cwb_context_wake(target.context);
      });
    }
    return layout.LAUNCH_QUEUED;
  }

  // ---- the rest of a realm

  /** Keeps the process alive until {@link release}. */
  hold(): void {
    if (this.holds++ === 0) environment().keepAlive(true);
  }

  release(): void {
    if (--this.holds === 0) environment().keepAlive(false);
  }

  protected busyChanged(busy: boolean): void {
    if (busy) this.hold();
    else this.release();
  }

  protected nextTurn(callback: () => void): void {
    environment().nextTurn(callback);
  }

  report(error: unknown): void {
    environment().report(error);
  }

  wake(worker: Pointer): void {
    if (worker === this.self) this.wakeHere();
    else this.wakers.get(worker)?.();
  }

  workerLost(worker: Pointer, life: Pointer): void {
    this.replacers.get(worker)?.(life);
  }

  endContext(context: Pointer): void {
    // Not within a turn of the core: it takes some to hear of what ends.
    queueMicrotask(() => this.enders.get(context)?.());
  }

  /** A thread of the core's runs where a dead one was: 1, or 0 if there is none. */
  startAgain(argument: Pointer): number {
    const dead = this.deadThreads.pop();
    if (!dead) return 0;
    if (dead.restart(argument)) return 1;
    this.deadThreads.push(dead);
    return 0;
  }

  protected crashed(error: unknown): void {
    const lost = new WorkerCrashedError(
      `coworker: the runtime failed on the main thread: ${String(error)}`,
      { cause: error },
    );
    this.abandonJobs(undefined, lost);
    this.report(lost);
  }

  protected readonly nameOfWorker = 'main';

  /** Jobs that were launched here and have not ended: on these targets, or on any. */
  private *launchedOn(owners: readonly Target[] | undefined): Iterable<[number, Job]> {
    for (const [token, ticket] of this.openTickets()) {
      if (ticket instanceof Job && (owners?.includes(ticket.owner) ?? true)) yield [token, ticket];
    }
  }

  /**
   * Settles every job on these targets that the core may not be able to settle,
   * and tells their parents elsewhere; or every job there is, if the core is lost.
   *
   * @returns has to be called when the threads of these jobs are gone, for all
   * that waits for them elsewhere
   */
  abandonJobs(owners: readonly Target[] | undefined, error: unknown): () => void {
    const { module } = this;
    const failure = owners ? this.errors.take(error) : 0;
    const lost: Pointer[] = [];
    for (const [token, job] of this.launchedOn(owners)) {
      if (owners) lost.push(job.lost(failure));
      this.abandonToken(token);
      job.abandon(error);
    }
    return () => {
      for (const at of lost.splice(0)) if (at !== 0) module._cwb_job_cut_off(at, failure);
      module._cw_error_release(failure);
    };
  }
}

/**
 * True if `Atomics.waitAsync` can be relied on. Where several workers use it at
 * once, WebKit (seen in 2.50) loses wake-ups and time limits now and then.
 */
function hasWaitAsync(): boolean {
  const isWebKit = Object.hasOwn(new Error(), 'sourceURL');
  return !isWebKit && typeof (Atomics as { waitAsync?: unknown }).waitAsync === 'function';
}

/**
 * Memory as the options ask for. What the engine refuses is asked for again with
 * half of the room to grow.
 * @throws the engine's error, if it gives not even what there is to be at first
 */
export function grantMemory(
  options: CheckedOptions,
  shared: boolean,
): { memory: WebAssembly.Memory; maximum: number } {
  const pages = (mebibytes: number) => Math.min(65536, Math.ceil((mebibytes * 1024 * 1024) / PAGE));
  const initial = pages(options.memory);
  for (let maximum = options.maximumMemory; ;) {
    try {
      const memory = new WebAssembly.Memory({ initial, maximum: pages(maximum), shared });
      return { memory, maximum };
    } catch (error) {
      if (maximum <= options.memory) throw error;
      maximum = Math.max(options.memory, maximum / 2);
    }
  }
}

async function makeMemory(options: CheckedOptions, shared: boolean): Promise<WebAssembly.Memory> {
  let memory: WebAssembly.Memory;
  try {
    ({ memory } = grantMemory(options, shared));
  } catch (error) {
    throw await explained(({ noMemory }) => noMemory(options, error));
  }
  if (!shared || memory.buffer instanceof SharedArrayBuffer) return memory;
  throw await explained(({ notShared }) => notShared());
}

async function instantiate(
  runtime: Runtime,
  memory: WebAssembly.Memory,
  options: CheckedOptions,
  solo: boolean,
): Promise<CoreModule> {
  const env = environment();
  const factory = solo ? options.soloModule : options.module;
  const own = factory ? undefined : solo ? env.soloWasmUrl : env.wasmUrl;
  const url = (solo ? options.soloWasmUrl : options.wasmUrl) ?? own;
  const globals = globalThis as { Worker?: unknown };
  const hadWorker = Object.hasOwn(globals, 'Worker');
  let problem = '';
  let cause: unknown;
  try {
    const make = factory ?? (await (solo ? env.loadSoloGlue() : env.loadGlue()));
    if (factory) runtime.readNative = (await import('./native.js')).readNativeTask;
    const module = (await make({
      coworker: runtime,
      wasmMemory: memory,
      printErr: (line) => {
        problem += `${line}\n`;
      },
      ...(url === undefined ? {} : { locateFile: () => url }),
    })) as CoreModule;
    if (typeof module._cwb_abi === 'function' && module._cwb_abi() === layout.ABI) return module;
    cause = await explained(({ wrongModule }) => wrongModule());
  } catch (error) {
    cause = error;
  } finally {
    // Emscripten's glue for Node defines Worker globally; that is not ours to do.
    if (!hadWorker) delete globals.Worker;
  }
  const file = url ?? (solo ? 'coworker-solo.wasm' : 'coworker.wasm');
  throw await explained(({ noModule }) => noModule(file, cause, problem));
}

const runtimes = new Map<ModuleFactory | 'solo' | undefined, Promise<Runtime>>();
let first: Runtime | undefined;

/**
 * The runtime of a module, the one without threads if `solo`: made once; its
 * memory options are the first user's.
 */
export async function runtimeOf(options: CheckedOptions, solo = false): Promise<Runtime> {
  const key = solo ? (options.soloModule ?? 'solo') : options.module;
  let runtime = runtimes.get(key);
  if (!runtime) {
    runtime = Runtime.load(options, solo);
    runtimes.set(key, runtime);
    // A start that failed may be tried again, with other options.
    runtime.catch(() => runtimes.delete(key));
  }
  const loaded = await runtime;
  first ??= loaded;
  setCurrentTarget(first.main);
  return loaded;
}

/** The best runtime that there can be, unless the option wants it without threads. */
export async function bestRuntime(options: CheckedOptions): Promise<Runtime> {
  const tier = wantedTier(options.tier);
  if (tier !== 'auto' && tier !== 'shared') return runtimeOf(options, true);
  try {
    return await runtimeOf(options);
  } catch (error) {
    if (tier === 'shared' || !lacksMemory(error)) throw error;
    return runtimeOf(options, true);
  }
}

/** True for errors of which other tiers know nothing. */
export function lacksMemory(error: unknown): boolean {
  return (
    error instanceof IsolationError ||
    (error instanceof StartError && error.reason === 'out-of-memory')
  );
}

/** The runtime that was loaded first: where `Main` runs. */
export function firstRuntime(): Runtime | undefined {
  return first;
}
