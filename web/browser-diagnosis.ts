/**
 * Why a browser does not do what it is asked for: what can be found out.
 * Loaded only then.
 *
 * @module
 */
import type { Diagnosis } from './environment.js';
import { IsolationError, StartError } from './errors.js';

/** What a content security policy has forbidden. */
export interface Violation {
  readonly uri: string;
  readonly directive: string;
}

/** Why memory cannot be shared. */
export function isolationError(): Error {
  if (!globalThis.isSecureContext) {
    return new IsolationError(
      'coworker: shared memory needs a secure context: serve the page over https, or from localhost',
    );
  }
  if (globalThis.crossOriginIsolated) {
    return new IsolationError(
      'coworker: this engine has no SharedArrayBuffer, even in isolated pages',
    );
  }
  return new IsolationError(
    'coworker: this page is not cross-origin isolated, so its workers cannot share memory. Serve ' +
      'it with the headers "Cross-Origin-Opener-Policy: same-origin" and ' +
      '"Cross-Origin-Embedder-Policy: require-corp" (or "credentialless")',
  );
}

function foreign(url: string): Diagnosis {
  return {
    reason: 'cross-origin',
    message: `${url} is of another origin, from which browsers start no workers; serve it from this one`,
  };
}

/** Some engines refuse a worker at once, with an error that says no more. */
export function refusal(url: string, cause: unknown): Error {
  const { protocol, origin } = new URL(url, location.href);
  const isForeign = /^https?:$/.test(protocol) && origin !== location.origin;
  const { reason, message }: Diagnosis = isForeign
    ? foreign(url)
    : {
        reason: 'content-security-policy',
        message: `the page may not start the worker ${url}; its content security policy has to allow that, for example with worker-src 'self'`,
      };
  return new StartError(reason, `coworker: ${message}`, { cause });
}

/** An `error` event says nothing; asking for the script again often does. */
export async function diagnose(
  url: string | undefined,
  violations: readonly Violation[],
): Promise<Diagnosis | undefined> {
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
    return foreign(url);
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
