/**
 * Options, their defaults and their checks.
 *
 * @module
 */
import { expected } from './errors.js';
import { MAX_WORKERS } from './layout.gen.js';
import type { ModuleFactory } from './module.js';

/** How a job is started: the first argument of `launch` and `async`. */
export interface LaunchOptions {
  /** Cancels the job when it is aborted; the reason becomes the cause. */
  readonly signal?: AbortSignal;
  /** Cancels the job after so many milliseconds, counted from the launch. */
  readonly timeout?: number;
  /** Objects in the arguments to move to the worker instead of copying them. */
  readonly transfer?: readonly Transferable[];
}

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

function number(
  name: string,
  value: number | undefined,
  fallback: number,
  low: number,
  high: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') {
    throw new TypeError(expected(name, `a number from ${low} to ${high}`, value));
  }
  if (!(value >= low && value <= high)) {
    throw new RangeError(expected(name, `a number from ${low} to ${high}`, value));
  }
  return value;
}

/** Checks the arguments of `newFixedWorkerContext`. */
export function checkContext(
  workers: number,
  name: string,
  options: ContextOptions,
): CheckedOptions {
  if (typeof workers !== 'number') {
    throw new TypeError(expected('workers', `an integer from 1 to ${MAX_WORKERS}`, workers));
  }
  if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS) {
    throw new RangeError(expected('workers', `an integer from 1 to ${MAX_WORKERS}`, workers));
  }
  if (typeof name !== 'string' || name.length < 1 || name.length > 40 || name.includes('\0')) {
    throw new TypeError(expected('name', 'a string of 1 to 40 characters', name));
  }
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(expected('options', 'an object', options));
  }
  if (options.worker !== undefined && typeof options.worker !== 'function') {
    throw new TypeError(
      expected(
        'options.worker',
        "a function that makes a Worker, such as () => new Worker(new URL('./worker.js', " +
          "import.meta.url), { type: 'module' })",
        options.worker,
      ),
    );
  }
  if (options.module !== undefined && typeof options.module !== 'function') {
    throw new TypeError(
      expected('options.module', "the default export of Emscripten's glue", options.module),
    );
  }
  if (options.module !== undefined && options.worker === undefined) {
    throw new TypeError(
      'coworker: `options.module` needs `options.worker`, too: a worker whose script calls ' +
        'serve(tasks, module) from coworker/worker-core with the same module',
    );
  }
  if (options.onStrayError !== undefined && typeof options.onStrayError !== 'function') {
    throw new TypeError(expected('options.onStrayError', 'a function', options.onStrayError));
  }
  if (options.trace !== undefined && typeof options.trace !== 'boolean') {
    throw new TypeError(expected('options.trace', 'a boolean', options.trace));
  }
  if (
    options.wasmUrl !== undefined &&
    typeof options.wasmUrl !== 'string' &&
    !(options.wasmUrl instanceof URL)
  ) {
    throw new TypeError(expected('options.wasmUrl', 'a string or a URL', options.wasmUrl));
  }
  if (options.wake !== undefined && options.wake !== 'auto' && options.wake !== 'message') {
    throw new TypeError(expected('options.wake', "'auto' or 'message'", options.wake));
  }
  const memory = number('options.memory', options.memory, 64, 2, 4095);
  return {
    worker: options.worker,
    module: options.module,
    memory,
    maximumMemory: number('options.maximumMemory', options.maximumMemory, memory, memory, 4096),
    wasmUrl: options.wasmUrl === undefined ? undefined : String(options.wasmUrl),
    startTimeout: number('options.startTimeout', options.startTimeout, 10_000, 1, 2 ** 31 - 1),
    trace: options.trace ?? false,
    onStrayError: options.onStrayError,
    wakeByMessage: options.wake === 'message',
  };
}

/** Checks what a job is launched with. */
export function checkLaunch(options: LaunchOptions): void {
  if (options.timeout !== undefined) {
    number('options.timeout', options.timeout, 0, 0, Number.MAX_SAFE_INTEGER);
  }
  if (options.signal !== undefined && typeof options.signal?.addEventListener !== 'function') {
    throw new TypeError(expected('options.signal', 'an AbortSignal', options.signal));
  }
  if (options.transfer !== undefined && !Array.isArray(options.transfer)) {
    throw new TypeError(expected('options.transfer', 'an array', options.transfer));
  }
}

/** Marks a promise as dealt with: its failure is told in another way, too. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
