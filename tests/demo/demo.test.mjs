// Uses the demo page as a person would, in browsers:
//
//   node tests/demo/demo.test.mjs [--engine chromium,firefox,webkit] [--tier shared,isolated,inline]
//
// The exit code is 0 only if everything went as it should in each engine.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '../../tools/serve.mjs';
import { engines, launch } from '../browser/drivers.mjs';
import { checkExample, checkLosses, checkMandelbrot, checkPool } from './parts.mjs';
import { checkSwitch, checkSwitchWithoutHeaders } from './switch.mjs';
import { checkTabs } from './tabs.mjs';
import { Visit, total } from './visit.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TIERS = ['shared', 'isolated', 'inline'];

/** All parts in one tier: `shared` with the headers that it needs, the others without any. */
async function visitTier(engine, browser, tier) {
  const headers = tier === 'shared' ? 'isolated' : 'none';
  const server = await startServer({ root: ROOT, headers });
  const page = await browser.newPage();
  const visit = new Visit(`${engine} ${tier}`, page);
  const errors = [];
  page.on('error', (error) => errors.push(String(error.stack ?? error)));
  if (tier === 'shared') await checkSwitch(visit, server.url);
  if (tier === 'isolated') await checkSwitchWithoutHeaders(visit, server.url);
  await visit.check('starts', async () => {
    await visit.open(`${server.url}/demo/${tier === 'inline' ? '?tier=inline' : ''}`);
    assert.equal(await page.evaluate('document.body.dataset.tier'), tier);
  });
  await checkExample(visit);
  await checkPool(visit, tier);
  await checkLosses(visit, tier);
  await checkMandelbrot(visit, tier);
  await visit.check('nothing was left uncaught', () => assert.deepEqual(errors, []));
  await page.close();
  await checkTabs(engine, browser, server.url, tier);
  await server.close();
}

async function runEngine(engine, tiers) {
  const started = performance.now();
  const before = { ...total };
  const browser = await launch(engine);
  try {
    for (const tier of tiers) await visitTier(engine, browser, tier);
  } finally {
    await browser.close();
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const [passed, failed] = [total.passed - before.passed, total.failed - before.failed];
  console.log(`${engine} ${browser.version}: ${passed} passed, ${failed} failed (${seconds} s)`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      engine: { type: 'string', default: engines.join(',') },
      tier: { type: 'string', default: TIERS.join(',') },
    },
  });
  for (const engine of values.engine.split(',')) {
    try {
      await runEngine(engine, values.tier.split(','));
    } catch (error) {
      total.failed++;
      console.log(`${engine} FAIL ${error.message}`);
    }
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

main().catch((error) => {
  console.error(`tests/demo: ${error.message}`);
  process.exit(1);
});
