// The packed package in an application that each bundler builds, in browsers:
// node tests/bundlers/run.mjs

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { headerSets, startServer } from '../../tools/serve.mjs';
import { launch, waitFor } from '../browser/drivers.mjs';
import { install } from '../package/install.mjs';
import { EXPECTED } from './app.mjs';
import { failedResponses } from './responses.mjs';
import { MANIFEST, serveByVite, tools, withoutBundler } from './tools.mjs';

const ENGINES = ['chromium', 'firefox', 'webkit'];

/** The strictest policy that the package works under. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src data:";
const strict = { ...headerSets.isolated, 'Content-Security-Policy': POLICY };

/** What a server for pages of other origins sends. */
const FAR = {
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const browsers = {};
let project;
/** By tool, promises of the folders that have what they built. */
const built = {};

before(async () => {
  const launched = ENGINES.map(async (engine) => {
    browsers[engine] = await launch(engine);
  });
  project = await install(MANIFEST);
  for (const [name, build] of Object.entries(tools)) {
    built[name] = build(project);
    built[name].catch(() => {}); // its tests tell
  }
  await Promise.all(launched);
});

after(async () => {
  await Promise.allSettled(Object.values(built));
  await Promise.all(Object.values(browsers).map((browser) => browser.close()));
  project.remove();
});

/** Loads the page until the application runs: WebKit's driver does not wait for modules. */
async function open(page, url) {
  await page.goto(url);
  await waitFor(page, () => globalThis.results !== undefined);
}

/** Opens the page and checks what it did, what it said and what it loaded. */
async function check(engine, url, tier) {
  const problems = [];
  const responses = failedResponses();
  const page = await browsers[engine].newPage();
  page.on('console', ({ type, text }) => {
    if (type === 'error' || type.startsWith('warn')) problems.push(`${type}: ${text}`);
  });
  page.on('error', (error) => problems.push(String(error)));
  try {
    await open(page, url);
    assert.deepEqual(await page.evaluate(() => globalThis.results), { tier, ...EXPECTED });
  } catch (error) {
    error.message += `\n${[...problems, ...responses.list].join('\n')}`;
    throw error;
  } finally {
    await page.close();
    responses.stop();
  }
  assert.deepEqual([...problems, ...responses.list], []);
}

/** A test of what a tool has built, as a server with these headers sends it. */
function works(name, { engine = 'chromium', tier = 'shared', headers = strict }) {
  it(`${name}: tier ${tier} in ${engine}`, { timeout: 60_000 }, async () => {
    const server = await startServer({ root: await built[name], headers });
    try {
      await check(engine, `${server.url}/`, tier);
    } finally {
      await server.close();
    }
  });
}

describe('what is built by', () => {
  works('Vite', {});
  works('Vite', { engine: 'firefox' });
  works('Vite', { headers: {}, tier: 'isolated' });
  works('webpack', {});
  works('esbuild', {});
  works('Rollup', {});
  // It writes an import map into the page, which this policy forbids.
  works('Parcel', { headers: 'isolated' });
});

describe('what is not built:', () => {
  it("Vite's development server", { timeout: 60_000 }, async () => {
    const server = await serveByVite(project);
    try {
      await check('chromium', `${server.url}/`, 'shared');
    } finally {
      await server.close();
    }
  });

  it('modules as they are', { timeout: 60_000 }, async () => {
    withoutBundler(project);
    const server = await startServer({ root: project.path });
    try {
      await check('chromium', `${server.url}/plain/`, 'shared');
    } finally {
      await server.close();
    }
  });
});

describe('everything but the page from another origin:', () => {
  /** The server of everything else, and by tool, promises of its pages. */
  let far;
  const pages = {};

  before(async () => {
    far = await startServer({ root: project.path, headers: FAR });
    const read = async (folder) => readFileSync(join(await folder, 'index.html'), 'utf8');
    const page = async (folder, at) =>
      (await read(folder)).replace(/src="[./]*main\.js"/, `src="${far.url}/${at}/main.js"`);
    const base = `${far.url}/vite-far/dist/`;
    const publicPath = `${far.url}/webpack-far/dist/`;
    pages['modules as they are'] = page(withoutBundler(project, far.url), 'plain-far');
    pages.esbuild = page(built.esbuild, 'esbuild/dist');
    pages.Vite = read(tools.Vite(project, { name: 'vite-far', base }));
    const packed = tools.webpack(project, { name: 'webpack-far', publicPath });
    pages.webpack = page(packed, 'webpack-far/dist');
    for (const promise of Object.values(pages)) promise.catch(() => {}); // the tests tell
  });

  after(async () => {
    await Promise.allSettled(Object.values(pages));
    await far.close();
  });

  /** A server of the page alone; under the policy, if there is one. */
  async function serve(html, headers, policy) {
    const set = { ...headers, ...(policy && { 'Content-Security-Policy': policy }) };
    const send = (_req, res) => res.setHeader('Content-Type', 'text/html').end(html);
    return startServer({ root: project.path, headers: set, routes: { '/': send } });
  }

  const policy = (workers) =>
    `default-src 'none'; script-src ${far.url} 'wasm-unsafe-eval'; connect-src 'self' ${far.url}; ` +
    `worker-src ${workers}; img-src data:`;

  function comes(name, { engine = 'chromium', tier = 'shared', headers = headerSets.isolated }) {
    it(`${name}: tier ${tier} in ${engine}`, { timeout: 60_000 }, async () => {
      const html = await pages[name];
      // An import map in the page would need more.
      const allowed = html.includes('importmap') ? undefined : policy(`blob: ${far.url}`);
      const server = await serve(html, headers, allowed);
      try {
        await check(engine, `${server.url}/`, tier);
      } finally {
        await server.close();
      }
    });
  }

  comes('modules as they are', {});
  comes('modules as they are', { engine: 'firefox' });
  comes('esbuild', { headers: {}, tier: 'isolated' });
  comes('esbuild', { engine: 'firefox', headers: {}, tier: 'isolated' });
  comes('esbuild', { engine: 'webkit' });
  comes('Vite', {});
  comes('webpack', {});
  comes('webpack', { engine: 'firefox' });

  /** What a page is told that cannot start its workers. */
  async function failure(engine, html, forbids) {
    const server = await serve(html, headerSets.isolated, forbids);
    const page = await browsers[engine].newPage();
    try {
      await open(page, `${server.url}/`);
      return await page.evaluate(() =>
        globalThis.results.then(
          () => undefined,
          ({ name, reason, message }) => ({ name, reason, message }),
        ),
      );
    } finally {
      await page.close();
      await server.close();
    }
  }

  for (const engine of ENGINES) {
    it(`tells of a policy in ${engine}`, { timeout: 60_000 }, async () => {
      const told = await failure(engine, await pages.esbuild, policy("'self'"));
      assert.equal(told.name, 'StartError', told.message);
      assert.equal(told.reason, 'content-security-policy', told.message);
      assert.ok(told.message.includes(`worker-src blob: ${far.url}`), told.message);
    });

    it(`tells of a server that does not allow it in ${engine}`, { timeout: 60_000 }, async () => {
      const refuse = (_req, res) => {
        res.removeHeader('Access-Control-Allow-Origin');
        res.setHeader('Content-Type', 'text/javascript').end();
      };
      const root = await built.esbuild;
      const other = await startServer({ root, headers: FAR, routes: { '/worker.js': refuse } });
      try {
        const html = (await pages.esbuild).replace(/src=".*main/, `src="${other.url}/main`);
        const told = await failure(engine, html);
        assert.equal(told.name, 'StartError', told.message);
        assert.equal(told.reason, 'cross-origin', told.message);
        assert.ok(told.message.includes(`${other.url}/worker.js`), told.message);
        assert.match(told.message, /Access-Control-Allow-Origin: \*/);
      } finally {
        await other.close();
      }
    });
  }
});
