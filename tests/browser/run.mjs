// Runs the suites of tests/suite/ in browsers:
//
//   node tests/browser/run.mjs [--engine chromium,firefox,webkit]
//     [--suite PATTERN] [--grep REGEXP] [--timeout MS] [--watchdog S]
//     [--verbose] [--tier shared|isolated|inline]
//
// PATTERN is a part of the file's name, `*` stands for anything; or several of
// them with commas between. The exit code
// is 0 only if each engine ran at least one test, and none failed.

import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '../../tools/serve.mjs';
import { engines, launch } from './drivers.mjs';
import { Session } from './session.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function readOptions() {
  const { values } = parseArgs({
    options: {
      tier: { type: 'string', default: 'shared' },
      engine: { type: 'string', default: engines.join(',') },
      suite: { type: 'string', default: '' },
      grep: { type: 'string' },
      // Less than the watchdog's, so that a test that never settles fails alone.
      timeout: { type: 'string', default: '60000' },
      watchdog: { type: 'string', default: '90' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const chosen = values.engine.split(',');
  if (!tiers.includes(values.tier)) throw new Error(`no tier ${values.tier}`);
  for (const engine of chosen) {
    if (!engines.includes(engine)) throw new Error(`no engine ${engine}`);
  }
  return {
    ...values,
    engines: chosen,
    timeout: Number(values.timeout),
    watchdog: Number(values.watchdog) * 1000,
  };
}

const tiers = ['shared', 'isolated', 'inline'];

/** Runs in a page without the isolation headers; everything else needs them. */
const UNISOLATED = '/tests/browser/unisolated.test.js';

async function findSuites(pattern) {
  const parts = pattern.split(',').map((part) =>
    part
      .split('*')
      .map((text) => text.replace(/[^\w/-]/g, '\\$&'))
      .join('.*'),
  );
  const regexp = new RegExp(parts.join('|'));
  const names = await readdir(`${ROOT}tests/suite`);
  const files = names
    .filter((name) => name.endsWith('.test.js') && regexp.test(name))
    .sort()
    .map((name) => `/tests/suite/${name}`);
  if (regexp.test(UNISOLATED.replace(/.*\//, ''))) files.push(UNISOLATED);
  return files;
}

async function readBody(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Runs the files in one browser after another, until all have run. */
async function runFiles(engine, files, options, sessions) {
  let browser = await launch(engine, { limit: Infinity });
  const session = new Session(browser, options);
  sessions.current = session;
  try {
    for (let left = files; ;) {
      left = await session.run(left);
      if (left.length === 0) break;
      await browser.close();
      browser = await launch(engine, { limit: Infinity });
      session.use(browser);
    }
  } finally {
    sessions.current = undefined;
    await browser.close();
  }
  return { ...session, version: browser.version };
}

async function runEngine(engine, files, options, sessions) {
  const started = performance.now();
  const sum = { passed: 0, failed: 0, skipped: 0 };
  let version;
  try {
    for (const isolated of [true, false]) {
      const url = isolated ? options.url : options.plainUrl;
      const chosen = files.filter((file) => (file !== UNISOLATED) === isolated);
      if (chosen.length === 0) continue;
      const result = await runFiles(engine, chosen, { ...options, url }, sessions);
      for (const key of Object.keys(sum)) sum[key] += result[key];
      ({ version } = result);
    }
  } catch (error) {
    sum.failed++;
    console.log(`${engine} FAIL launch: ${error.message}`);
  }
  if (sum.passed + sum.failed === 0) {
    sum.failed++;
    console.log(`${engine} FAIL no test was executed`);
  }
  const { passed, failed, skipped } = sum;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${engine} ${version}: ${passed} passed, ${failed} failed, ` +
      `${skipped} skipped (${seconds} s)`,
  );
  return sum;
}

async function main() {
  const options = readOptions();
  const files = await findSuites(options.suite);
  if (files.length === 0) throw new Error('no suite with such a name');

  const sessions = { current: undefined };
  const routes = {
    // Workers that isolated pages may not load. Exact paths, so that the files
    // that they import are served as ever.
    '/tests/suite/helpers/broken/no-policy.js': (req, res) => {
      res.removeHeader('Cross-Origin-Embedder-Policy');
      res.setHeader('Content-Type', 'text/javascript');
      res.end("import '../worker.js';\n");
    },
    '/tests/suite/helpers/broken/wrong-type.js': (req, res) => {
      res.setHeader('Content-Type', 'image/png');
      res.end("import '../worker.js';\n");
    },
    '/progress': async (req, res) => {
      const message = JSON.parse(await readBody(req));
      sessions.current?.receive(message);
      res.writeHead(204).end();
    },
  };
  // Each context loads its workers' modules anew.
  const server = await startServer({ root: ROOT, routes, cache: true });
  const plain = await startServer({ root: ROOT, routes, cache: true, headers: 'none' });
  const total = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const engine of options.engines) {
      const result = await runEngine(
        engine,
        files,
        { ...options, url: server.url, plainUrl: plain.url },
        sessions,
      );
      for (const key of Object.keys(total)) total[key] += result[key];
    }
  } finally {
    await Promise.all([server.close(), plain.close()]);
  }
  const { passed, failed, skipped } = total;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main().catch((error) => {
  console.error(`tests/browser/run.mjs: ${error.message}`);
  process.exit(1);
});
