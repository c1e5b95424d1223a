// One pool for several pages, in browsers with real tabs: who is host, where jobs
// run, and what becomes of them when a page is closed, crashes or is frozen.
//
//   node tests/tabs/tabs.test.mjs [--engine chromium,firefox,webkit] [--only TEXT]
//
// The exit code is 0 only if everything was as it should be in each engine.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '../../tools/serve.mjs';
import { engines, launch } from '../browser/drivers.mjs';
import { NoAnswer } from '../browser/limit.mjs';
import { ledgerRoute } from './ledger.mjs';
import { World } from './world.mjs';
import { situations } from './situations.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A situation that takes longer hangs. */
const TIMEOUT = 60_000;

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: engines.join(',') },
    only: { type: 'string', default: '' },
  },
});

/** A situation is not over in time: its browser may hang, and is not used again. */
class Late extends Error {}

/** Runs a situation, which has to end in time. */
async function run(world, { test, timeout = TIMEOUT }) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Late(`not over within ${timeout / 1000} s`)), timeout);
  });
  try {
    await Promise.race([test(world), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The page without the headers that isolate it. */
async function plain(req, res) {
  for (const name of ['Cross-Origin-Opener-Policy', 'Cross-Origin-Embedder-Policy'])
    res.removeHeader(name);
  res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  res.end(await readFile(`${ROOT}tests/tabs/page.html`));
}

let passed = 0;
let failed = 0;
let skipped = 0;
for (const engine of values.engine.split(',')) {
  let browser = await launch(engine);
  const server = await startServer({
    root: ROOT,
    cache: true, // else pages are not kept to be shown again
    routes: { '/tests/tabs/plain.html': plain, '/tests/tabs/ledger': ledgerRoute },
  });
  try {
    for (const situation of situations) {
      if (!situation.name.includes(values.only)) continue;
      if (situation.engines && !situation.engines.includes(engine)) {
        skipped++;
        console.log(`${engine} SKIP ${situation.name}: ${situation.reason}`);
        continue;
      }
      const world = new World(engine, browser, server.url);
      const began = performance.now();
      try {
        await run(world, situation);
        passed++;
        console.log(`${engine} ok ${situation.name} (${Math.round(performance.now() - began)} ms)`);
      } catch (error) {
        failed++;
        console.log(`${engine} FAIL ${situation.name}\n    ${error.stack}`);
        console.log(await world.describe());
        if (error instanceof Late || error instanceof NoAnswer) {
          await browser.close();
          browser = await launch(engine);
        }
      } finally {
        await world.end();
      }
    }
  } finally {
    await server.close();
    await browser.close();
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
