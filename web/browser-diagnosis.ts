/**
 * Why a browser does not do what it is asked for: what can be found out.
 * Loaded only then.
 *
 * @module
 */
import type { Diagnosis } from './environment.js';
import { IsolationError, StartError } from './errors.js';
import type { TierReason } from './tier.js';

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

const OPENER = 'Cross-Origin-Opener-Policy';
const EMBEDDER = 'Cross-Origin-Embedder-Policy';

/** What a response lacks for the page that it is to be isolated. */
async function missingHeaders(url: string, isTop: boolean): Promise<TierReason[]> {
  let response: Response;
  try {
    response = await fetch(url, { method: 'HEAD', cache: 'no-store' });
  } catch (error) {
    const message = `the headers of ${url} cannot be looked up: ${String(error)}`;
    const fix = `see to it that it is served with ${OPENER} and ${EMBEDDER}`;
    return [{ code: 'header', message, fix, url }];
  }
  const reasons: TierReason[] = [];
  const expect = (name: string, values: RegExp, fix: string) => {
    const value = response.headers.get(name);
    if (value !== null && values.test(value)) return;
    const has = value === null ? `without the header ${name}` : `with "${name}: ${value}"`;
    reasons.push({ code: 'header', message: `${url} is served ${has}`, fix, url });
  };
  // Frames have it from the page around them.
  if (isTop) expect(OPENER, /^same-origin(;|$)/, `serve it with "${OPENER}: same-origin"`);
  expect(
    EMBEDDER,
    /^(require-corp|credentialless)/,
    `serve it with "${EMBEDDER}: require-corp" (or "credentialless")`,
  );
  return reasons;
}

/** This page and those around it, from the inside out; undefined: one of another origin. */
function pagesAround(): (string | undefined)[] {
  const pages: (string | undefined)[] = [];
  for (let frame: Window = window; ; frame = frame.parent) {
    let url: string | undefined;
    try {
      url = frame.location.href.replace(/#.*/, '');
    } catch {
      // The browser does not tell.
    }
    pages.push(url);
    if (frame.parent === frame) return pages;
  }
}

/** All that keeps the page from sharing memory, with what to do about it. */
export async function lacksForSharing(): Promise<TierReason[]> {
  if (globalThis.crossOriginIsolated) {
    if (typeof SharedArrayBuffer === 'function') return [];
    const message = 'this engine has no SharedArrayBuffer, even in isolated pages';
    return [{ code: 'engine', message, fix: 'use a newer one' }];
  }
  if (!globalThis.isSecureContext) {
    const message = 'the page came over http';
    return [{ code: 'insecure', message, fix: 'serve it over https, or from localhost' }];
  }
  const pages = pagesAround();
  const reasons: TierReason[] = [];
  for (const [depth, url] of pages.entries()) {
    if (url !== undefined && /^https?:/.test(url)) {
      reasons.push(...(await missingHeaders(url, depth === pages.length - 1)));
    }
  }
  if (reasons.length > 0) return reasons;
  if (pages.length > 1) {
    return [
      {
        code: 'frame',
        message: 'the page is in a frame that may not be isolated',
        fix:
          `the page around it needs both headers, and <iframe allow="cross-origin-isolated"> if ` +
          'this one is of another origin',
      },
    ];
  }
  return [
    {
      code: 'engine',
      message: 'the page has the headers, but the engine does not isolate it',
      fix: 'use another engine, or look at its developer tools for the cause',
    },
  ];
}

/** Browsers start no such workers; see browser.ts for what does. */
function isForeign(url: string): boolean {
  const { protocol, origin } = new URL(url, location.href);
  return /^https?:$/.test(protocol) && origin !== location.origin;
}

/** What a policy has to allow for a worker; engines ask it for what workers import, too. */
function needed(url = ''): string {
  if (!isForeign(url)) return "worker-src 'self'";
  return `worker-src blob: ${new URL(url).origin}, since the worker is of that origin`;
}

/** Some engines refuse a worker at once, with an error that says no more. */
export function refusal(url: string, cause: unknown): Error {
  return new StartError(
    'content-security-policy',
    `coworker: the page may not start the worker ${url}; its content security policy has to ` +
      `allow that, for example with ${needed(url)}`,
    { cause },
  );
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
      message: `the page's content security policy forbids ${blocked.uri} (${blocked.directive}); allow it there, for example with ${needed(url)}`,
    };
  }
  if (url === undefined) return undefined;
  const foreign = isForeign(url);
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    if (foreign) {
      return {
        reason: 'cross-origin',
        message:
          `${url} cannot be fetched: ${String(error)}. It is of another origin, whose server has ` +
          'to send it with "Access-Control-Allow-Origin: *", "Cross-Origin-Resource-Policy: ' +
          `cross-origin" and "${EMBEDDER}: require-corp"`,
      };
    }
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
  // Blobs have that of the page.
  if (foreign || url.startsWith('blob:')) return undefined;
  const policy = response.headers.get('cross-origin-embedder-policy') ?? '';
  if (!/require-corp|credentialless/.test(policy)) {
    return {
      reason: 'embedder-policy',
      message: `${url} is served without the header "Cross-Origin-Embedder-Policy: require-corp", which worker scripts of isolated pages need`,
    };
  }
  return undefined;
}
