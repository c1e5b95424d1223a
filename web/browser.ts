/**
 * What is special about browsers.
 *
 * @module
 */
import { captureWorker, installEnvironment } from './environment.js';
import type { RawWorker, WorkerFault } from './environment.js';
import { IsolationError, StartError } from './errors.js';
import { turnMaker } from './turn.js';

/** Content-security-policy violations of the last moments, for diagnosis. */
const violations: { uri: string; directive: string }[] = [];

export function installBrowser(): void {
  const NativeWorker = globalThis.Worker;
  globalThis.addEventListener?.('securitypolicyviolation', (event) => {
    const { blockedURI, effectiveDirective } = event;
    violations.push({ uri: blockedURI, directive: effectiveDirective });
    if (violations.length > 16) violations.shift();
  });
  let nextTurn: ((callback: () => void) => void) | undefined;
  installEnvironment({
    checkSharedMemory,
    loadGlue: async () => (await import('./coworker.mjs')).default,
    wasmUrl: undefined,
    makeWorker(make = defaultWorker) {
      const { worker, url } = captureWorker(make, (script, options) => {
        try {
          return new NativeWorker(script, options);
        } catch (error) {
          throw refused(String(script), error);
        }
      });
      return { worker: wrap(worker), url };
    },
    diagnose,
    nextTurn: (callback) => (nextTurn ??= turnMaker())(callback),
    keepAlive() {},
    report: (error) => reportError(error),
  });
}

/** Some engines refuse a worker at once, with an error that says no more. */
function refused(url: string, error: unknown): unknown {
  if ((error as { name?: unknown } | null)?.name !== 'SecurityError') return error;
  const { protocol, origin } = new URL(url, location.href);
  const foreign = /^https?:$/.test(protocol) && origin !== location.origin;
  return new StartError(
    foreign ? 'cross-origin' : 'content-security-policy',
    foreign
      ? `coworker: ${url} is of another origin, from which browsers start no workers; serve it from this one`
      : `coworker: the page may not start the worker ${url}; its content security policy has to allow that, for example with worker-src 'self'`,
    { cause: error },
  );
}

/** The text that bundlers look for; see worker-default.ts. */
function defaultWorker(): Worker {
  return new Worker(new URL('./worker-default.js', import.meta.url), {
    type: 'module',
    name: 'coworker',
  });
}

function checkSharedMemory(): void {
  if (typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated) return;
  if (!globalThis.isSecureContext) {
    throw new IsolationError(
      'coworker: shared memory needs a secure context: serve the page over https, or from localhost',
    );
  }
  if (globalThis.crossOriginIsolated) {
    throw new IsolationError(
      'coworker: this engine has no SharedArrayBuffer, even in isolated pages',
    );
  }
  throw new IsolationError(
    'coworker: this page is not cross-origin isolated, so its workers cannot share memory. Serve ' +
      'it with the headers "Cross-Origin-Opener-Policy: same-origin" and ' +
      '"Cross-Origin-Embedder-Policy: require-corp" (or "credentialless")',
  );
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

/** An `error` event says nothing; asking for the script again often does. */
async function diagnose(
  url: string | undefined,
): Promise<{ reason: string; message: string } | undefined> {
  const blocked = violations.find(({ directive }) =>
    /worker-src|script-src|child-src/.test(directive),
  );
  if (blocked) {
    return {
      reason: 'content-security-policy',
      message: `the page's content security policy forbids ${blocked.uri} (${blocked.directive}); allow it there, for example with worker-src 'self'`,
    };
  }
  if (url === undefined) return undefined;
  if (new URL(url, location.href).origin !== location.origin && !url.startsWith('blob:')) {
    return {
      reason: 'cross-origin',
      message: `${url} is of another origin, from which browsers start no workers; serve it from this one`,
    };
  }
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    return { reason: 'not-found', message: `${url} cannot be fetched: ${String(error)}` };
  }
  await response.body?.cancel();
  if (!response.ok) {
    return { reason: 'not-found', message: `${url} answers with status ${response.status}` };
  }
  const type = response.headers.get('content-type') ?? 'none';
  if (!/^(text|application)\/(x-)?(java|ecma)script/i.test(type)) {
    return {
      reason: 'mime-type',
      message: `${url} has the content type "${type}"; scripts need text/javascript`,
    };
  }
  const policy = response.headers.get('cross-origin-embedder-policy') ?? '';
  if (!/require-corp|credentialless/.test(policy)) {
    return {
      reason: 'embedder-policy',
      message: `${url} is served without the header "Cross-Origin-Embedder-Policy: require-corp", which worker scripts of isolated pages need`,
    };
  }
  return undefined;
}
