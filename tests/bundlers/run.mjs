// The packed package in an application that each bundler builds, in browsers:
// node tests/bundlers/run.mjs

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { headerSets, startServer } from '../../tools/serve.mjs';
import { launch } from '../browser/drivers.mjs';
import { install } from '../package/install.mjs';
import { EXPECTED, moduleOf } from './app.mjs';
import { failedResponses } from './responses.mjs';
import { MANIFEST, serveByVite, tools } from './tools.mjs';

const ENGINES = ['chromium', 'firefox'];

/** The strictest policy that the package works under. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src data:";
const strict = { ...headerSets.isolated, 'Content-Security-Policy': POLICY };

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
    await page.goto(url);
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
});
