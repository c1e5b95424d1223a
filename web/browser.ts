/**
 * What is special about browsers.
 *
 * @module
 */
import type { Violation } from './browser-diagnosis.js';
import { captureWorker, installEnvironment } from './environment.js';
import type { RawWorker, WorkerFault } from './environment.js';
import factory from './coworker.mjs';
import { proofOf } from './proof.js';
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
    lacksForSharing: async () => (await diagnosis()).lacksForSharing(),
    lacksForWorkers: () => {
      if (typeof NativeWorker !== 'function') {
        return [
          {
            code: 'engine',
            message: 'there is no Worker here',
            fix: 'use another engine; tasks run on the page meanwhile',
          },
        ];
      }
      return violations
        .filter(({ directive }) => directive === 'worker-src')
        .map(({ uri, directive }) => ({
          code: 'policy',
          message: `the page's content security policy forbids the worker ${uri} (${directive})`,
          fix: `allow it there, for example with worker-src ${uri === 'blob' ? 'blob: and its origin' : "'self'"}`,
          url: uri,
        }));
    },
    loadGlue: () => factory,
    loadSoloGlue: async () => (await import('./coworker-solo.mjs')).default,
    wasmUrl: undefined,
    soloWasmUrl: undefined,
    hasWorkers: typeof NativeWorker === 'function',
    makeWorker(make = defaultWorker) {
      const { worker, url } = captureWorker(make, (script, options) => {
        triedUrl = String(script);
        return new NativeWorker(startable(script, options), options);
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

/** By text: what imports a script of another origin. Few, and needed as long as the page is. */
const importers = new Map<string, string>();

/**
 * Engines start no worker from another origin, such as that of a server for static
 * files, but let any worker import what that server lets them have.
 */
function startable(script: string | URL, options?: WorkerOptions): string | URL {
  const { protocol, origin, href } = new URL(script, location.href);
  if (!/^https?:$/.test(protocol) || origin === location.origin) return trusted(script);
  const url = JSON.stringify(href);
  // Nothing later: messages must not come before the script listens to them.
  const text = options?.type === 'module' ? `import ${url};` : `importScripts(${url});`;
  let importer = importers.get(text);
  if (importer === undefined) {
    importer = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    importers.set(text, importer);
  }
  return importer;
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/**
 * Pages may want to be told by whom a script's address was checked, in a way that
 * code which knows nothing of it cannot: scripts of their own origin are in order.
 */
function trusted(script: string | URL): string | URL {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (!trustedTypes || (typeof script !== 'string' && !(script instanceof URL))) return script;
  if (new URL(script, location.href).origin !== location.origin) return script;
  try {
    policy ??= trustedTypes.createPolicy('coworker', { createScriptURL: (url) => url });
    return policy.createScriptURL(String(script)) as string;
  } catch {
    return script; // a policy of that name is not allowed; then none may be needed
  }
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
    terminate(lock) {
      worker.terminate();
      return lock === undefined ? Promise.resolve(false) : proofOf(lock);
    },
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
