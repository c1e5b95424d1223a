// The packed package, installed into an empty project, in the hands of each
// tool that its users have: node tests/package/run.mjs

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, createLogger, createServer } from 'vite';
import webpack from 'webpack';
import { pack } from '../../tools/pack.mjs';
import { headerSets, startServer } from '../../tools/serve.mjs';
import { launch } from '../browser/drivers.mjs';
import { temporaryFolder } from '../browser/processes.mjs';
import { failedResponses } from './responses.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ENGINES = ['chromium', 'firefox'];

/** The strictest policy that the package works under. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src data:";

const EXPECTED = {
  sum: 5,
  inverted: [1, 'one'],
  nested: [2, 3, 4],
  cancelled: true,
  launched: 7,
  completed: 7,
  workers: [2, 1],
};

const exec = promisify(execFile);
const scratch = temporaryFolder('package');
const installed = join(scratch.path, 'node_modules/coworker');

/** Runs a program in the project and gives what it printed. */
async function run(command, ...args) {
  try {
    const { stdout } = await exec(command, args, {
      cwd: scratch.path,
      env: { ...process.env, COWORKER_EXTRA_MOUNT: scratch.path },
      timeout: 100_000,
    });
    return stdout.trim();
  } catch (error) {
    const output = `${error.stdout}${error.stderr}`;
    throw new Error(`${command} ${args.join(' ')}:\n${output}`, { cause: error });
  }
}

/** Copies files of this folder into a new folder of the project. */
function project(name, from, changes = {}) {
  const folder = join(scratch.path, name);
  mkdirSync(folder);
  cpSync(join(HERE, from), folder, { recursive: true });
  for (const [file, change] of Object.entries(changes)) {
    const path = join(folder, file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }
  return folder;
}

/** Collects what a tool warns of. */
function warnings() {
  const list = [];
  const logger = createLogger('silent');
  for (const level of ['warn', 'warnOnce', 'error']) logger[level] = (text) => list.push(text);
  return { list, logger };
}

before(async () => {
  const { path } = pack(scratch.path);
  writeFileSync(join(scratch.path, 'package.json'), '{ "private": true, "type": "module" }\n');
  await run('npm', 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', path);
});

after(() => scratch.remove());

describe('Node', () => {
  it('runs the same files', async () => {
    const print = 'console.log(JSON.stringify(await globalThis.results));';
    const folder = project('node', 'app', { 'main.js': (text) => text + print });
    assert.deepEqual(JSON.parse(await run('node', join(folder, 'main.js'))), EXPECTED);
  });

  it('runs tests in virtual time', async () => {
    const test = `import { runTest } from 'coworker/test';
console.log(await runTest((scope) => scope.delay(1e6).then(() => scope.currentTime)));
`;
    const folder = project('node-test', 'app', { 'main.js': () => test });
    assert.equal((await run('node', join(folder, 'main.js'))).trim(), '1000000');
  });
});

describe('browsers', () => {
  const browsers = {};

  before(async () => {
    await Promise.all(
      ENGINES.map(async (engine) => {
        browsers[engine] = await launch(engine);
      }),
    );
  });

  after(() => Promise.all(Object.values(browsers).map((browser) => browser.close())));

  /** Opens the page and checks what it did, what it said and what it loaded. */
  async function check(engine, url) {
    const problems = [];
    const responses = failedResponses();
    const page = await browsers[engine].newPage();
    page.on('console', ({ type, text }) => {
      if (type === 'error' || type.startsWith('warn')) problems.push(`${type}: ${text}`);
    });
    page.on('error', (error) => problems.push(String(error)));
    try {
      await page.goto(url);
      assert.deepEqual(await page.evaluate(() => globalThis.results), EXPECTED);
    } catch (error) {
      error.message += `\n${[...problems, ...responses.list].join('\n')}`;
      throw error;
    } finally {
      await page.close();
      responses.stop();
    }
    assert.deepEqual([...problems, ...responses.list], []);
  }

  /** The tests of one way to serve the files. */
  function served(name, start) {
    describe(name, () => {
      let server;
      before(async () => {
        server = await start();
      });
      after(() => server?.close());
      for (const engine of ENGINES) {
        it(`runs in ${engine}`, { timeout: 30_000 }, () => check(engine, server.url));
      }
    });
  }

  served('Vite, built', async () => {
    const root = project('vite', 'app');
    const { list, logger } = warnings();
    await build({ root, configFile: false, logLevel: 'warn', customLogger: logger });
    assert.deepEqual(list, []);
    return startServer({
      root: join(root, 'dist'),
      headers: { ...headerSets.isolated, 'Content-Security-Policy': POLICY },
    });
  });

  served('Vite, development server', async () => {
    const root = project('vite-dev', 'app');
    const { list, logger } = warnings();
    const server = await createServer({
      root,
      configFile: false,
      customLogger: logger,
      // What users have to set, too; see the README.
      optimizeDeps: { exclude: ['coworker'] },
      server: { host: '127.0.0.1', port: 0, headers: headerSets.isolated },
    });
    await server.listen();
    return {
      url: `http://127.0.0.1:${server.httpServer.address().port}/`,
      close: async () => {
        await server.close();
        assert.deepEqual(list, []);
      },
    };
  });

  served('webpack', async () => {
    const context = project('webpack', 'app');
    const compiler = webpack({
      context,
      mode: 'production',
      entry: './main.js',
      output: { path: join(context, 'dist'), publicPath: '' },
    });
    const stats = await promisify(compiler.run.bind(compiler))();
    await promisify(compiler.close.bind(compiler))();
    assert.equal(stats.toString({ all: false, errors: true, warnings: true }), '');
    const html = readFileSync(join(context, 'index.html'), 'utf8');
    writeFileSync(
      join(context, 'dist/index.html'),
      html.replace('type="module" src="./main.js"', 'defer src="main.js"'),
    );
    return startServer({
      root: join(context, 'dist'),
      headers: { ...headerSets.isolated, 'Content-Security-Policy': POLICY },
    });
  });

  served('no bundler', async () => {
    const imports = { coworker: '/node_modules/coworker/dist/index.js' };
    project('plain', 'app', {
      'index.html': (text) =>
        text.replace(
          '<script',
          `<script type="importmap">${JSON.stringify({ imports })}</script>\n<script`,
        ),
      // Import maps are for pages only.
      'worker.js': (text) =>
        text.replace("'coworker/worker'", "'/node_modules/coworker/dist/worker.js'"),
    });
    const server = await startServer({ root: scratch.path });
    return { url: `${server.url}/plain/`, close: server.close };
  });
});

describe('TypeScript', () => {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  for (const [moduleResolution, module] of [
    ['bundler', 'esnext'],
    ['nodenext', 'nodenext'],
  ]) {
    it(`compiles typed calls with moduleResolution ${moduleResolution}`, async () => {
      const folder = project(`types-${moduleResolution}`, 'types');
      const lib = ['es2023', 'dom'];
      const compilerOptions = { moduleResolution, module, lib, strict: true, types: [] };
      const text = JSON.stringify({ compilerOptions: { ...compilerOptions, noEmit: true } });
      writeFileSync(join(folder, 'tsconfig.json'), text);
      await run('node', tsc, '-p', folder);
    });
  }
});

describe('Emscripten', () => {
  const emcc = join(ROOT, 'tools/emcc');
  const include = ['-I', join(installed, 'include'), '-L', join(installed, 'lib')];
  const warn = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror'];

  it('links a program in C alone', async () => {
    const folder = project('native', 'native');
    const flags = ['-pthread', '-sPROXY_TO_PTHREAD', '-sEXIT_RUNTIME', '-sENVIRONMENT=node'];
    const output = join(folder, 'app.cjs');
    const from = join(folder, 'app.c');
    await run(emcc, ...warn, from, ...include, '-lcoworker', ...flags, '-o', output);
    assert.equal(await run('node', output), 'status 0, sum 285');
  });

  it('links a module that JavaScript calls', async () => {
    const folder = project('module', 'native');
    const link = [`@${join(installed, 'lib/coworker.link')}`, '--no-entry'];
    const output = ['-sENVIRONMENT=node,worker', '-o', join(folder, 'module.mjs')];
    const from = join(folder, 'module.c');
    await run(emcc, ...warn, from, ...include, '-lcoworker', ...link, ...output);
    assert.equal(await run('node', join(folder, 'main.mjs')), '42 3');
  });
});
