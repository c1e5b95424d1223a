/**
 * Options, their defaults and their checks.
 *
 * @module
 */
import type { Elements } from './elements.js';
import { expected } from './errors.js';
import { MAX_WORKERS } from './layout.gen.js';
import type { ModuleFactory, Pointer } from './module.js';
import type { Realm } from './realm.js';
import { isTier } from './tier.js';
import type { Tier } from './tier.js';

/** How a job is started: the first argument of `launch` and `async`. */
export interface LaunchOptions extends Elements {
  /**
   * How the job begins:
   * - `default`: in its turn; not at all if it is cancelled before
   * - `lazy`: when somebody starts, joins or awaits it
   * - `atomic`: in its turn; if it is cancelled before, it runs up to where it
   *   first waits
   * - `undispatched`: within the call, up to where it first waits. Only for
   *   functions that run on this thread
   * @default 'default'
   */
  readonly start?: Start;
  /** Cancels the job when it is aborted; the reason becomes the cause. */
  readonly signal?: AbortSignal;
  /** Cancels the job after so many milliseconds, counted from the launch. */
  readonly timeout?: number;
  /** Objects in the arguments to move to the worker instead of copying them. */
  readonly transfer?: readonly Transferable[];
}

/** How a job begins. */
export type Start = 'default' | 'lazy' | 'atomic' | 'undispatched';

/** How a context is opened. */
export interface ContextOptions {
  /**
   * Makes one worker. Written out in your own code, so that your bundler finds
   * the worker's file:
   *
   * `() => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })`
   *
   * That file calls `serve()` from `coworker/worker` with its tasks.
   * @default a worker that has no tasks, for contexts that run C only
   */
  readonly worker?: () => Worker;
  /**
   * What the context runs on. `auto`: the best that the page can have; see
   * docs/tiers.md for what each of them cannot do.
   * @default 'auto'
   */
  readonly tier?: Tier | 'auto';
  /**
   * The task module, or a function that loads it, such as
   * `() => import('./tasks.js')`: for the `inline` tier, which has no workers to
   * load it.
   */
  readonly tasks?: object | (() => Promise<object>);
  /**
   * The factory of your own WebAssembly module, linked with libcoworker-solo.a,
   * for the tiers without shared memory.
   */
  readonly soloModule?: ModuleFactory;
  /**
   * The factory of your own WebAssembly module that links libcoworker.a.
   * @default the module that comes with the package
   */
  readonly module?: ModuleFactory;
  /** Size of the shared memory in MiB, from 2 and up to 4095. @default 64 */
  readonly memory?: number;
  /**
   * The size in MiB up to which the memory may grow. Not growing is faster, and
   * safer on phones. @default the same as `memory`
   */
  readonly maximumMemory?: number;
  /** Where coworker.wasm is, if not beside the glue. */
  readonly wasmUrl?: string | URL;
  /** Where coworker-solo.wasm is, if not beside its glue. */
  readonly soloWasmUrl?: string | URL;
  /** Milliseconds within which all workers must have started. @default 10000 */
  readonly startTimeout?: number;
  /** Keeps a record of what workers do, for `context.trace()`. @default false */
  readonly trace?: boolean;
  /** Called with errors that a task leaves behind after its end. */
  readonly onStrayError?: (error: Error) => void;
  /**
   * How sleeping realms are woken: `message` is for engines that lack
   * a reliable `Atomics.waitAsync`, and chosen there by itself. @default 'auto'
   */
  readonly wake?: 'auto' | 'message';
}

export interface CheckedOptions {
  readonly tier: Tier | 'auto' | undefined;
  readonly tasks: object | (() => Promise<object>) | undefined;
  readonly soloModule: ModuleFactory | undefined;
  readonly soloWasmUrl: string | undefined;
  readonly worker: (() => Worker) | undefined;
  readonly module: ModuleFactory | undefined;
  readonly memory: number;
  readonly maximumMemory: number;
  readonly wasmUrl: string | undefined;
  readonly startTimeout: number;
  readonly trace: boolean;
  readonly onStrayError: ((error: Error) => void) | undefined;
  readonly wakeByMessage: boolean;
}

/** Checks a number; `kind` says what is wanted of it. */
function checkNumber(name: string, value: unknown, low: number, high: number, kind = 'a number') {
  const isNumber = typeof value === 'number';
  if (isNumber && value >= low && value <= high) {
    if (kind === 'a number' || Number.isInteger(value)) return;
  }
  const ErrorClass = isNumber ? RangeError : TypeError;
  throw new ErrorClass(expected(name, `${kind} from ${low} to ${high}`, value));
}

/** Checks an option, if there is one. */
function check(name: string, value: unknown, wanted: string, fits: (value: unknown) => boolean) {
  if (value !== undefined && !fits(value)) {
    throw new TypeError(expected(`options.${name}`, wanted, value));
  }
}

const isFunction = (value: unknown) => typeof value === 'function';
const isUrl = (value: unknown) => typeof value === 'string' || value instanceof URL;

/** Checks the arguments of `newFixedWorkerContext`. */
export function checkContext(
  workers: number,
  name: string,
  options: ContextOptions,
): CheckedOptions {
  checkNumber('workers', workers, 1, MAX_WORKERS, 'an integer');
  if (typeof name !== 'string' || name.length < 1 || name.length > 40 || name.includes('\0')) {
    throw new TypeError(expected('name', 'a string of 1 to 40 characters', name));
  }
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(expected('options', 'an object', options));
  }
  const { worker, module, wasmUrl, trace = false, onStrayError, wake } = options;
  const { tier, tasks, soloModule, soloWasmUrl } = options;
  const { memory = 64, maximumMemory = memory, startTimeout = 10_000 } = options;
  check(
    'worker',
    worker,
    "a function that makes a Worker, such as () => new Worker(new URL('./worker.js', " +
      "import.meta.url), { type: 'module' })",
    isFunction,
  );
  check('module', module, "the default export of Emscripten's glue", isFunction);
  if (module && !worker) {
    throw new TypeError(
      'coworker: `options.module` needs `options.worker`, too: a worker whose script calls ' +
        'serve(tasks, module) from coworker/worker-core with the same module',
    );
  }
  check('tier', tier, "'auto', 'shared', 'isolated' or 'inline'", isTier);
  check(
    'tasks',
    tasks,
    "the task module or a function that loads it, such as () => import('./tasks.js')",
    (value) => isFunction(value) || (typeof value === 'object' && value !== null),
  );
  check('soloModule', soloModule, "the default export of Emscripten's glue", isFunction);
  check('soloWasmUrl', soloWasmUrl, 'a string or a URL', isUrl);
  check('onStrayError', onStrayError, 'a function', isFunction);
  check('trace', trace, 'a boolean', (value) => typeof value === 'boolean');
  check('wasmUrl', wasmUrl, 'a string or a URL', isUrl);
  check('wake', wake, "'auto' or 'message'", (value) => value === 'auto' || value === 'message');
  checkNumber('options.memory', memory, 2, 4095);
  checkNumber('options.maximumMemory', maximumMemory, memory, 4096);
  checkNumber('options.startTimeout', startTimeout, 1, 2 ** 31 - 1);
  return {
    tier,
    tasks,
    soloModule,
    soloWasmUrl: soloWasmUrl === undefined ? undefined : String(soloWasmUrl),
    worker,
    module,
    memory,
    maximumMemory,
    wasmUrl: wasmUrl === undefined ? undefined : String(wasmUrl),
    startTimeout,
    trace,
    onStrayError,
    wakeByMessage: wake === 'message',
  };
}

const starts = ['default', 'lazy', 'atomic', 'undispatched'];

/** The address of the job that elements name as parent: undefined if none do. */
export function parentOf(
  realm: Realm,
  { job }: Elements,
): { parent: Pointer | undefined; release: () => void } {
  if (job === undefined || job === null) {
    return { parent: job === null ? 0 : undefined, release: () => {} };
  }
  const parent = job.retain(realm);
  return { parent, release: () => realm.module._cwb_job_drop(parent) };
}

/** Checks what a job is launched with. */
export function checkLaunch({ timeout, signal, transfer, start }: LaunchOptions): void {
  check(
    'start',
    start,
    "'default', 'lazy', 'atomic' or 'undispatched'",
    (value) => typeof value === 'string' && starts.includes(value),
  );
  if (timeout !== undefined) checkNumber('options.timeout', timeout, 0, Number.MAX_SAFE_INTEGER);
  check('signal', signal, 'an AbortSignal', () => typeof signal?.addEventListener === 'function');
  check('transfer', transfer, 'an array', Array.isArray);
}

/** Marks a promise as dealt with: its failure is told in another way, too. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
