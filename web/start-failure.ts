/**
 * Errors that say why something did not start, and what to do about it. Loaded
 * only then; see explain.ts.
 *
 * @module
 */
import { environment } from './environment.js';
import type { WorkerFault } from './environment.js';
import { ContextLostError, CoworkerError, IsolationError, StartError } from './errors.js';
import { CW_ENOMEM } from './layout.gen.js';
import type { CheckedOptions } from './options.js';

/** The engine gives no memory of this size. */
export function noMemory({ memory, maximumMemory }: CheckedOptions, cause?: unknown): Error {
  return new StartError(
    'out-of-memory',
    `coworker: the engine refused ${memory} MiB of shared memory (at most ` +
      `${maximumMemory} MiB); pass a smaller \`memory\` or \`maximumMemory\``,
    cause === undefined ? {} : { cause },
  );
}

/** The engine has threads for JavaScript only. */
export function notShared(): Error {
  return new IsolationError('coworker: this engine has no shared WebAssembly memory');
}

/** The module did not load; `problem` is what its glue had to say. */
export function noModule(url: string, error: unknown, problem: string): Error {
  if (error instanceof CoworkerError || error instanceof TypeError) return error;
  const text = `${String(error)} ${problem}`.trim();
  const compile = /CompileError|LinkError|magic|wasm validation|doesn't parse/i.test(text);
  return new StartError(
    compile ? 'wasm-compile' : /Out of memory/i.test(text) ? 'out-of-memory' : 'not-found',
    `coworker: the WebAssembly module ${url} could not be loaded: ${text}. ` +
      'It has to be served beside its glue, or named by the `wasmUrl` or `soloWasmUrl` option',
    { cause: error },
  );
}

/** The module is there, but not one of this version. */
export function wrongModule(): Error {
  return new TypeError(
    'coworker: the WebAssembly module does not hold the core of this version; link it again ' +
      'with lib/libcoworker.a and the flags in lib/coworker.link',
  );
}

/** The core could not open a context. */
export function notOpened(name: string, code: number): Error {
  return new StartError(
    code === CW_ENOMEM ? 'out-of-memory' : 'unknown',
    `coworker: context '${name}' could not be opened (${code}); if memory is short, raise \`memory\``,
  );
}

/** A worker that was lost gets no other thread. */
export function notReplaced(name: string, worker: string, code: number): Error {
  return new ContextLostError(
    `coworker: context '${name}' is lost: worker '${worker}' was lost and no other could be ` +
      `started in its place (${code}); if memory is short, raise \`memory\``,
  );
}

/** Some workers have not said anything within the time that they have. */
export function tooLate(name: string, missing: number, workers: number, limit: number): Error {
  return new StartError(
    'timeout',
    `coworker: ${missing} of ${workers} workers of context '${name}' did not start within ` +
      `${limit} ms. Engines limit the number of workers; a page that is busy ` +
      'keeps them from starting; and a worker script has to call serve()',
  );
}

/** A worker failed before it was heard of. */
export async function notStarted(
  name: string,
  url: string | undefined,
  { message, error }: WorkerFault,
): Promise<Error> {
  const found = await environment().diagnose(url);
  const silent = url === undefined ? 'its script' : `${url} can be fetched, so it`;
  const what =
    found?.message ?? (message || `${silent} has a syntax error, or imports what cannot be loaded`);
  const reason = found?.reason ?? (message || url !== undefined ? 'script-error' : 'unknown');
  return new StartError(reason, `coworker: a worker of context '${name}' did not start: ${what}`, {
    cause: error,
  });
}
