// A small static file server for the demo, the tests and the benchmarks.
//
// Shared memory is only there in pages that are cross-origin isolated, which
// takes two response headers that most static servers do not send; this one
// sends them by default and can leave them out, to test what happens then.

import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HOST = '127.0.0.1';

/** Content types by file name ending. */
export const mimeTypes = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  // Sources are only looked at (source maps), never run.
  '.ts': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** Named sets of headers sent with every response. */
export const headerSets = {
  isolated: {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
  },
  'coop-only': { 'Cross-Origin-Opener-Policy': 'same-origin' },
  'coep-only': { 'Cross-Origin-Embedder-Policy': 'require-corp' },
  none: {},
};

/**
 * The file a request path stands for, or undefined if there is none in `root`.
 * The real path is compared, so that neither `..` nor a link leads outside.
 */
async function findFile(root, pathname) {
  let decoded;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (decoded.includes('\0')) return undefined;
  try {
    const file = await realpath(join(root, decoded));
    if (file !== root && !file.startsWith(root + sep)) return undefined;
    const info = await stat(file);
    if (!info.isDirectory()) return info.isFile() ? { file, info } : undefined;
    // Without the slash at its end a folder's relative links would not work.
    if (!pathname.endsWith('/')) return { redirect: `${pathname}/` };
    return await findFile(root, `${pathname}index.html`);
  } catch {
    return undefined;
  }
}

function sendText(res, status, text) {
  res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  res.end(`${text}\n`);
}

async function respond(root, routes, req, res) {
  // Not resolved against a base: `//name` would be taken for a host.
  const target = `http://${HOST}${req.url}`;
  if (!req.url.startsWith('/') || !URL.canParse(target)) {
    sendText(res, 400, 'bad request');
    return;
  }
  const { pathname, search } = new URL(target);
  if (Object.hasOwn(routes, pathname)) {
    await routes[pathname](req, res);
    return;
  }
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('Allow', 'GET, HEAD');
    sendText(res, 405, 'method not allowed');
    return;
  }
  const found = await findFile(root, pathname);
  if (!found) {
    sendText(res, 404, 'not found');
  } else if (found.redirect) {
    // One leading slash only: `//name` would lead to another host.
    const path = found.redirect.replace(/^\/+/, '/');
    res.writeHead(308, { Location: path + search }).end();
  } else {
    res.writeHead(200, {
      'Content-Length': found.info.size,
      'Content-Type': mimeTypes[extname(found.file).toLowerCase()] ?? 'application/octet-stream',
    });
    if (req.method === 'HEAD') res.end();
    else pipeline(createReadStream(found.file), res, () => {});
  }
}

/**
 * Starts a server on 127.0.0.1 for the files below a folder.
 *
 * @param {object} options
 * @param {string} options.root folder that is served
 * @param {keyof typeof headerSets | Record<string, string>} [options.headers]
 *   name of a header set, or the headers themselves
 * @param {number} [options.port] 0 takes a free one
 * @param {boolean} [options.cache] lets browsers keep what they have loaded, for
 *   files that do not change while the server runs
 * @param {Record<string, (req: import('node:http').IncomingMessage,
 *   res: import('node:http').ServerResponse) => unknown>} [options.routes]
 *   handlers by exact path; they win over files, and may change or remove the
 *   headers that are already set on the response
 * @returns {Promise<{ url: string, port: number, close(): Promise<void> }>}
 *   `url` has no slash at its end
 */
export async function startServer({
  root,
  headers = 'isolated',
  port = 0,
  cache = false,
  routes = {},
}) {
  const base = await realpath(resolve(root));
  const extra = typeof headers === 'string' ? headerSets[headers] : headers;
  if (!extra) throw new Error(`unknown header set: ${headers}`);

  const server = createServer((req, res) => {
    res.setHeader('Cache-Control', cache ? 'max-age=86400' : 'no-store');
    for (const [name, value] of Object.entries(extra)) {
      res.setHeader(name, value);
    }
    respond(base, routes, req, res).catch((error) => {
      if (res.headersSent) res.destroy();
      else sendText(res, 500, String(error?.stack ?? error));
    });
  });
  await new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, HOST, () => {
      server.off('error', fail);
      done();
    });
  });

  const bound = server.address().port;
  return {
    url: `http://${HOST}:${bound}`,
    port: bound,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        // Browsers keep connections open; waiting for them could take minutes.
        server.closeAllConnections();
      }),
  };
}

/** Opens the person's browser, if there is a person and a desktop. */
function openBrowser(url) {
  const { platform, env } = process;
  const desktop = platform !== 'linux' || env.DISPLAY || env.WAYLAND_DISPLAY;
  if (!process.stdout.isTTY || !desktop) return;
  const [command, ...args] = {
    darwin: ['open', url],
    win32: ['cmd', '/c', 'start', '', url],
  }[platform] ?? ['xdg-open', url];
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

async function startOnFreePort(options) {
  for (let port = options.port; ; port++) {
    try {
      return await startServer({ ...options, port });
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || port >= options.port + 100) {
        throw error;
      }
      console.log(`port ${port} is taken, trying ${port + 1}`);
    }
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      root: { type: 'string', default: '.' },
      port: { type: 'string', default: '8080' },
      headers: { type: 'string', default: 'isolated' },
      open: { type: 'string' },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`not a port: ${values.port}`);
  }
  const server = await startOnFreePort({ ...values, port });
  const path = (values.open ?? '').replace(/^\/*/, '/');
  const url = server.url + path;
  console.log(`serving ${values.root} at ${url}`);

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, async () => {
      await server.close();
      process.exit(0);
    });
  }
  if (values.open !== undefined) openBrowser(url);
}

if (process.argv[1] && fileURLToPath(import.meta.url) === resolve(process.argv[1])) {
  main().catch((error) => {
    console.error(`serve: ${error.message}`);
    process.exit(1);
  });
}
