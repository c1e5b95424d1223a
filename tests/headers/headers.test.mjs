// Opens a page in all the ways that servers send it, in browsers: which tier it
// gets, that a task runs there, and what it is told.
//
//   node tests/headers/headers.test.mjs [--engine chromium,firefox,webkit]
//
// The exit code is 0 only if everything was as it should be in each engine.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '../../tools/serve.mjs';
import { engines, launch } from '../browser/drivers.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT = 30_000;

const OPENER = 'Cross-Origin-Opener-Policy';
const EMBEDDER = 'Cross-Origin-Embedder-Policy';
const opener = { [OPENER]: 'same-origin' };
const corp = { 'Cross-Origin-Resource-Policy': 'same-origin' };
const both = { ...opener, [EMBEDDER]: 'require-corp', ...corp };
const strict = {
  'Content-Security-Policy':
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; require-trusted-types-for 'script'",
};

const lacks = (...names) =>
  names.map((name) => ({ code: 'header', text: new RegExp(`without the header ${name}$`) }));

/** Each situation: headers, page, and what has to come of it. */
const situations = [
  { name: 'no header', headers: {}, tier: 'isolated', reasons: lacks(OPENER, EMBEDDER) },
  { name: 'COOP alone', headers: opener, tier: 'isolated', reasons: lacks(EMBEDDER) },
  {
    name: 'COEP alone',
    headers: { [EMBEDDER]: 'require-corp' },
    tier: 'isolated',
    reasons: lacks(OPENER),
  },
  { name: 'COOP and COEP require-corp', headers: both, tier: 'shared', reasons: [] },
  {
    name: 'COOP and COEP credentialless',
    headers: { ...both, [EMBEDDER]: 'credentialless' },
    tier: { chromium: 'shared', firefox: 'shared', webkit: 'isolated' },
    reasons: { webkit: [{ code: 'engine', text: /does not isolate it/ }] },
  },
  {
    name: 'a frame without headers',
    page: 'frame.html',
    headers: {},
    tier: 'isolated',
    reasons: [...lacks(EMBEDDER), ...lacks(OPENER, EMBEDDER)],
  },
  { name: 'a frame with both', page: 'frame.html', headers: both, tier: 'shared', reasons: [] },
  {
    name: 'a strict policy',
    headers: strict,
    tier: 'isolated',
    reasons: lacks(OPENER, EMBEDDER),
  },
  {
    name: 'a strict policy and both headers',
    headers: { ...strict, ...both },
    tier: 'shared',
    reasons: [],
  },
  {
    name: 'a policy that forbids WebAssembly',
    headers: { 'Content-Security-Policy': "script-src 'self'" },
    tier: null,
    reasons: [{ code: 'policy', text: /WebAssembly cannot be compiled/ }],
    error: /StartError/,
  },
];

/** What holds for this engine. */
function own(value, engine, otherwise) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return value[engine] ?? otherwise;
}

async function visit(browser, { page: file = 'page.html', headers }) {
  let tell;
  const found = new Promise((resolve) => (tell = resolve));
  const routes = {
    '/found': async (req, res) => {
      let text = '';
      for await (const chunk of req) text += chunk;
      res.writeHead(204).end();
      tell(JSON.parse(text));
    },
  };
  const server = await startServer({ root: ROOT, headers, routes });
  const page = await browser.newPage();
  const errors = [];
  page.on('error', (error) => errors.push(error.message));
  let timer;
  const late = new Promise((_, reject) => {
    const text = () => `no answer within ${TIMEOUT / 1000} s; errors: ${errors.join('; ')}`;
    timer = setTimeout(() => reject(new Error(text())), TIMEOUT);
  });
  try {
    await page.goto(`${server.url}/tests/headers/${file}`);
    return await Promise.race([found, late]);
  } finally {
    clearTimeout(timer);
    await page.close();
    await server.close();
  }
}

function check(engine, situation, found) {
  const tier = own(situation.tier, engine);
  const reasons = own(situation.reasons, engine, []);
  const seen = JSON.stringify(found, null, 2);
  if (situation.error) {
    assert.match(found.error ?? '', situation.error, seen);
    assert.equal(found.tier, undefined, seen);
  } else {
    assert.equal(found.error, undefined, seen);
    assert.deepEqual([found.tier, found.opened], [tier, tier], seen);
    assert.equal(found.sum, 3, seen);
    assert.match(found.name, /^headers-[12]$/, seen);
  }
  assert.deepEqual(
    found.reasons.map(({ code }) => code),
    reasons.map(({ code }) => code),
    seen,
  );
  for (const [i, { text }] of reasons.entries()) {
    assert.match(found.reasons[i].message, text, seen);
    assert.ok(found.reasons[i].fix, seen);
  }
}

const { values } = parseArgs({
  options: { engine: { type: 'string', default: engines.join(',') } },
});
let passed = 0;
let failed = 0;
for (const engine of values.engine.split(',')) {
  const browser = await launch(engine);
  try {
    for (const situation of situations) {
      try {
        check(engine, situation, await visit(browser, situation));
        passed++;
      } catch (error) {
        failed++;
        console.log(`${engine} FAIL ${situation.name}\n    ${error.message}`);
      }
    }
  } finally {
    await browser.close();
  }
  console.log(`${engine} ${browser.version}: ${situations.length} situations`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
