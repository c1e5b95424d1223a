/**
 * What is special about browsers.
 *
 * @module
 */
import type { Violation } from './browser-diagnosis.js';
import { captureWorker, installEnvironment } from './environment.js';
import type { RawWorker, WorkerFault } from './environment.js';
import factory from './coworker.mjs';
import { turnMaker } from './turn.js';

/** Content-security-policy violations of the last moments, for diagnosis. */
const violations: Violation[] = [];

const diagnosis = () => import('./browser-diagnosis.js');

export function installBrowser(): void {
  const NativeWorker = globalThis.Worker;
  globalThis.addEventListener?.('securitypolicyviolation', (event) => {
    const { blockedURI, effectiveDirective } = event;
    violations.push({ uri: blockedURI, directive: effectiveDirective });
    if (violations.length > 16) violations.shift();
  });
  let triedUrl = '';
  let nextTurn: ((callback: () => void) => void) | undefined;
  installEnvironment({
    async checkSharedMemory() {
      if (typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated) return;
      throw (await diagnosis()).isolationError();
    },
    loadGlue: () => factory,
    loadSoloGlue: async () => (await import('./coworker-solo.mjs')).default,
    wasmUrl: undefined,
    soloWasmUrl: undefined,
    hasWorkers: typeof NativeWorker === 'function',
    makeWorker(make = defaultWorker) {
      const { worker, url } = captureWorker(make, (script, options) => {
        triedUrl = String(script);
        return new NativeWorker(script, options);
      });
      return { worker: wrap(worker), url };
    },
    diagnose: async (url) => (await diagnosis()).diagnose(url, violations),
    refusal: async (error) =>
      (error as { name?: unknown } | null)?.name === 'SecurityError'
        ? (await diagnosis()).refusal(triedUrl, error)
        : error,
    nextTurn: (callback) => (nextTurn ??= turnMaker())(callback),
    keepAlive() {},
    cores: navigator.hardwareConcurrency,
    ioWorkers: 0,
    report: (error) => reportError(error),
  });
}

/** The text that bundlers look for; see worker-default.ts. */
function defaultWorker(): Worker {
  return new Worker(new URL('./worker-default.js', import.meta.url), {
    type: 'module',
    name: 'coworker',
  });
}

function wrap(worker: Worker): RawWorker {
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer ?? []),
    terminate: () => worker.terminate(),
    listen(onMessage, onError) {
      worker.addEventListener('message', (event) => onMessage(event.data));
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        const { message, error } = event as { message?: string; error?: unknown };
        onError({ message: message ?? '', error } satisfies WorkerFault);
      });
      worker.addEventListener('messageerror', () =>
        onError({ message: 'a message could not be read' }),
      );
    },
  };
}
