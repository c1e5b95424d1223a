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
  /**
   * Cancels the job so many milliseconds after it began, however long it waited
   * for that: see {@link TimeoutCancellationError}.
   */
  readonly timeout?: number;
  /**
   * Lets the job be killed, with all below it: if it has not ended so many
   * milliseconds after it was cancelled (by whatever, a `timeout` among that), the
   * workers that still run something of it are terminated and replaced. What they
   * ran ends with a {@link WorkerLostError}: in JavaScript that is all that has
   * begun on such a worker.
   * @default it is asked to stop and waited for, however long that takes
   */
  readonly killable?: { readonly grace: number };
  /** Cancels the job so many milliseconds after the launch, begun or not. */
  readonly deadline?: number;
  /**
   * Which of the jobs begin first that wait in a context or view: high before
   * normal before low. So that none waits for ever, each worker takes a normal one
   * after four high ones in a row, and a low one after eight others. For functions
   * of this thread, too. Not inherited.
   * @default 'normal'
   */
  readonly priority?: Priority;
  /**
   * What becomes of the launch if so many jobs wait as the context's `maxQueue`
   * allows. @default what the context says
   */
  readonly whenFull?: WhenFull;
  /**
   * Called with each value that the task tells by `scope.progress()`, from the first
   * one on: see {@link Job.onProgress}. Not with `start: 'undispatched'`.
   */
  readonly onProgress?: (value: unknown) => void;
  /**
   * The job does no harm if it runs twice. In a context of
   * {@link newSharedWorkerContext} it is launched again if the page that runs it is
   * lost, where others end with a {@link HostLostError}. @default false
   */
  readonly idempotent?: boolean;
  /** Objects in the arguments to move to the worker instead of copying them. */
  readonly transfer?: readonly Transferable[];
}

/** Which jobs begin first. */
export type Priority = 'high' | 'normal' | 'low';

/**
 * What becomes of a launch on a context whose queue is full: it throws a
 * {@link QueueFullError}, or the job waits, like a lazy one, to be let in.
 */
export type WhenFull = 'fail' | 'wait';

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
  /**
   * How many workers may be lost within `period` milliseconds; one more, and the
   * context fails with a {@link ContextLostError} instead of going on like that.
   * @default { count: 16, period: 10000 }
   */
  readonly losses?: { readonly count: number; readonly period: number };
  /**
   * How many jobs may wait that have not begun. It counts what is launched from
   * outside, from the launch until a worker takes it up; what tasks of the context
   * launch there is neither counted nor refused. @default no limit
   */
  readonly maxQueue?: number;
  /**
   * What becomes of launches beyond `maxQueue`. With `wait` they are let in, by
   * priority and in order, as soon as others begin: until then the job is not
   * active, cannot be started, and ends at once when it is cancelled.
   * @default 'fail'
   */
  readonly whenFull?: WhenFull;
  /**
   * Called, in place of the event `uncaughterror`, with errors on workers that
   * nobody caught and that cannot be said to be of a certain task: of what tasks
   * leave behind after their ends, or while several are under way.
   */
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
  readonly losses: { readonly count: number; readonly period: number };
  readonly maxQueue: number | undefined;
  readonly whenFull: WhenFull;
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
  const { maxQueue, whenFull = 'fail' } = options;
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
  checkWhenFull(whenFull);
  if (maxQueue !== undefined) {
    checkNumber('options.maxQueue', maxQueue, 1, 0x7fffffff, 'an integer');
  }
  check('wake', wake, "'auto' or 'message'", (value) => value === 'auto' || value === 'message');
  checkNumber('options.memory', memory, 2, 4095);
  checkNumber('options.maximumMemory', maximumMemory, memory, 4096);
  const { losses = { count: 16, period: 10_000 } } = options;
  check(
    'losses',
    losses,
    'an object { count, period }',
    (value) => typeof value === 'object' && !!value,
  );
  checkNumber('options.losses.count', losses.count, 0, Number.MAX_SAFE_INTEGER, 'an integer');
  checkNumber('options.losses.period', losses.period, 0, Number.MAX_SAFE_INTEGER);
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
    losses,
    maxQueue,
    whenFull,
    onStrayError,
    wakeByMessage: wake === 'message',
  };
}

const checkWhenFull = (whenFull: unknown) =>
  check('whenFull', whenFull, "'fail' or 'wait'", (v) => v === 'fail' || v === 'wait');

/** The priorities, by their names. */
export const priorities: Readonly<Record<Priority, number>> = { high: 1, normal: 0, low: -1 };

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
export function checkLaunch(options: LaunchOptions): void {
  const { timeout, deadline, priority, whenFull, signal, transfer, start, killable, onProgress } =
    options;
  check(
    'start',
    start,
    "'default', 'lazy', 'atomic' or 'undispatched'",
    (value) => typeof value === 'string' && starts.includes(value),
  );
  if (timeout !== undefined) checkNumber('options.timeout', timeout, 0, Number.MAX_SAFE_INTEGER);
  if (killable !== undefined) {
    check(
      'killable',
      killable,
      'an object { grace }',
      (value) => typeof value === 'object' && !!value,
    );
    checkNumber('options.killable.grace', killable.grace, 0, 2 ** 31 - 1);
  }
  if (deadline !== undefined) checkNumber('options.deadline', deadline, 0, Number.MAX_SAFE_INTEGER);
  check(
    'priority',
    priority,
    "'high', 'normal' or 'low'",
    (value) => typeof value === 'string' && Object.hasOwn(priorities, value),
  );
  checkWhenFull(whenFull);
  check('idempotent', options.idempotent, 'a boolean', (value) => typeof value === 'boolean');
  check('onProgress', onProgress, 'a function', isFunction);
  if (onProgress && start === 'undispatched') {
    throw new TypeError(
      'coworker: `options.onProgress` cannot hear of what happens before the launch returns; leave ' +
        "out `start: 'undispatched'`, or listen with job.onProgress()",
    );
  }
  check('signal', signal, 'an AbortSignal', () => typeof signal?.addEventListener === 'function');
  check('transfer', transfer, 'an array', Array.isArray);
}

/** Marks a promise as dealt with: its failure is told in another way, too. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
