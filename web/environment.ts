/**
 * What differs between browsers and Node. `index.ts` and `index.node.ts` each
 * install theirs before anything else can be called.
 *
 * @module
 */
import { expected } from './errors.js';
import type { StartCause } from './errors.js';
import type { ModuleFactory } from './module.js';
import type { TierReason } from './tier.js';

/** What a worker in Node is started with that is to have a core of its own. */
export const ISOLATED = 'coworker-isolated';

/** A worker as this package uses it, whichever host made it. */
export interface RawWorker {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  /**
   * Ends the thread. Fulfilled with true once it is known not to run any more, with
   * false if nobody can tell. `lock`: what the thread holds as long as it lives.
   */
  terminate(lock?: string): Promise<boolean>;
  /** Registers who hears messages and errors; the latter end the worker. */
  listen(onMessage: (data: unknown) => void, onError: (error: WorkerFault) => void): void;
}

/** Why a host says a worker failed; browsers say little. */
export interface WorkerFault {
  readonly message: string;
  readonly error?: unknown;
}

/** Why a worker's script did not start. */
export interface Diagnosis {
  readonly reason: StartCause;
  readonly message: string;
}

export interface Environment {
  /** Throws (rejects) an error that names the cause and the fix if memory cannot be shared. */
  checkSharedMemory(): Promise<void>;
  /** Why memory cannot be shared, for diagnosis. */
  lacksForSharing(): Promise<readonly TierReason[]>;
  /** Why there can be no workers, as far as is known. */
  lacksForWorkers(): readonly TierReason[];
  /** The glue that comes with the package. */
  loadGlue(): ModuleFactory | Promise<ModuleFactory>;
  /** The same of the build without threads. */
  loadSoloGlue(): Promise<ModuleFactory>;
  /** Where the glue's WebAssembly is, if the glue does not know by itself. */
  readonly wasmUrl: string | undefined;
  readonly soloWasmUrl: string | undefined;
  /** False where not even workers are. */
  readonly hasWorkers: boolean;
  /**
   * Makes a worker by the user's function, or (none) the package's own.
   * @param isolated - it will have a core of its own
   */
  makeWorker(
    make: (() => Worker) | undefined,
    isolated?: boolean,
  ): { worker: RawWorker; url: string | undefined };
  /** Looks up why a worker's script did not start. */
  diagnose(url: string | undefined): Promise<Diagnosis | undefined>;
  /** Says more of an error that {@link makeWorker} threw, if that is the host's. */
  refusal(error: unknown): Promise<unknown>;
  /** Calls back in a new turn of the event loop, after what waits there. */
  nextTurn(callback: () => void): void;
  /** Keeps the process from ending meanwhile; nothing to do on a page. */
  keepAlive(busy: boolean): void;
  /** How many threads run at once on this machine. */
  readonly cores: number;
  /** Workers to start for what blocks: on a page next to nothing does. */
  readonly ioWorkers: number;
  /** Shows an error in the way the host shows uncaught ones. */
  report(error: unknown): void;
}

let installed: Environment | undefined;

/** Installs the environment; once. */
export function installEnvironment(environment: Environment): void {
  installed = environment;
}

/** The environment of this thread. */
export function environment(): Environment {
  if (!installed) throw new Error('coworker: no environment; import the package by its name');
  return installed;
}

/**
 * Calls the user's worker function with `Worker` replaced by something that
 * notes the URL; bundlers have seen the original text by then.
 */
export function captureWorker(
  make: () => Worker,
  construct: (url: string | URL, options?: WorkerOptions) => Worker,
): { worker: Worker; url: string | undefined } {
  const scope = globalThis as { Worker?: unknown };
  const had = Object.hasOwn(scope, 'Worker');
  const original = scope.Worker;
  let url: string | undefined;
  // A function, not a class: what it returns is what `new` gives.
  scope.Worker = function Worker(script: string | URL, options?: WorkerOptions) {
    url = String(script);
    return construct(script, options);
  };
  try {
    const worker = make() as Worker | undefined;
    if (typeof worker?.postMessage !== 'function') {
      throw new TypeError(expected('options.worker', 'a function that returns a Worker', worker));
    }
    return { worker, url };
  } finally {
    if (had) scope.Worker = original;
    else delete scope.Worker;
  }
}
