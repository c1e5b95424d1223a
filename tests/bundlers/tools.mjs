// Each tool builds the application as the README says.

import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, createLogger, createServer } from 'vite';
import webpack from 'webpack';
import { headerSets } from '../../tools/serve.mjs';
import { moduleOf } from './app.mjs';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const [SECTION] = /^## Bundlers\n[\s\S]*?(?=^## )/m.exec(README);

/** What the README wants in a package.json. */
export const MANIFEST = JSON.parse(/^```json\n([\s\S]*?)^```$/m.exec(SECTION)[1]);

/** The README's command of this program. */
function command(name) {
  const found = new RegExp(`^ {4}(${name} (?:.*\\\\\\n)*.*)$`, 'm').exec(SECTION);
  if (!found) throw new Error(`the README has no command of ${name}`);
  return found[1];
}

/** What the README wants where there is no bundler: an import map, and this address of the worker's side. */
const IMPORTS = JSON.parse(/`(\{ "imports": .*? \} \})`/.exec(SECTION)[1]);
const SERVE = /import \{ serve \} from '(.*?)worker\.js'/.exec(SECTION)[1];

/** What its contexts without a worker's function, and for all tabs, need there. */
const ENTRIES = [...SECTION.matchAll(/`([a-z-]+=coworker\/[a-z-]+\.js)`/g)].map(([, one]) => one);

/** What goes beyond the README's application: these, and a module in C. */
const MORE = `${ENTRIES.join(' ')} native-worker.js`;

/** Collects what Vite warns of. */
function silent() {
  const list = [];
  const logger = createLogger('silent');
  const note = (text) => {
    // How long a build takes says nothing here, where others are under way.
    if (!text.includes('PLUGIN_TIMINGS')) list.push(text);
  };
  for (const level of ['warn', 'warnOnce', 'error']) logger[level] = note;
  return { list, options: { configFile: false, logLevel: 'warn', customLogger: logger } };
}

function refuse(warnings) {
  if (warnings.length > 0) throw new Error(warnings.join('\n'));
}

/** Each gives the folder that has the built application. */
export const tools = {
  async Vite(project, { name = 'vite', ...options } = {}) {
    const root = project.copy(name, 'bundlers/app', { files: moduleOf() });
    const { list, options: quiet } = silent();
    await build({ root, ...quiet, ...options });
    refuse(list);
    return join(root, 'dist');
  },

  async webpack(project, { name = 'webpack', ...output } = {}) {
    const context = project.copy(name, 'bundlers/app', { files: moduleOf() });
    const path = join(context, 'dist');
    const compiler = webpack({
      context,
      mode: 'production',
      entry: './main.js',
      output: { path, ...output },
    });
    const stats = await promisify(compiler.run.bind(compiler))();
    await promisify(compiler.close.bind(compiler))();
    refuse([stats.toString({ all: false, errors: true, warnings: true })].filter(Boolean));
    const html = readFileSync(join(context, 'index.html'), 'utf8');
    const script = html.replace('type="module" src="./main.js"', 'defer src="main.js"');
    writeFileSync(join(path, 'index.html'), script);
    return path;
  },

  async Parcel(project) {
    const folder = project.copy('parcel', 'bundlers/app', { files: moduleOf() });
    await project.run(folder, 'parcel', 'build', 'index.html', '--dist-dir', 'dist', '--no-cache');
    return join(folder, 'dist');
  },

  async esbuild(project) {
    const folder = project.copy('esbuild', 'bundlers/app', { files: moduleOf() });
    const modules = 'native=./native.wasm native-solo=./native-solo.wasm';
    await project.run(folder, 'sh', '-c', `${command('esbuild')} ${MORE} ${modules}`);
    cpSync(join(folder, 'index.html'), join(folder, 'dist/index.html'));
    return join(folder, 'dist');
  },

  async Rollup(project) {
    const folder = project.copy('rollup', 'bundlers/app', { files: moduleOf() });
    await project.run(folder, 'sh', '-c', `${command('rollup')} ${MORE} --failAfterWarnings`);
    symlinkSync('../node_modules', join(folder, 'node_modules'));
    await project.run(folder, 'sh', '-c', `${command('cp')} && cp *.wasm dist`);
    cpSync(join(folder, 'index.html'), join(folder, 'dist/index.html'));
    return join(folder, 'dist');
  },
};

/** The application as it is, for a server of the whole project. */
export function withoutBundler(project, origin = '') {
  const imports = Object.entries(IMPORTS.imports).map(([name, path]) => [name, origin + path]);
  const map = JSON.stringify({ imports: Object.fromEntries(imports) });
  const change = (text) => text.replace(/'coworker\/(worker.*)'/, `'${SERVE}$1.js'`);
  return project.copy(origin ? 'plain-far' : 'plain', 'bundlers/app', {
    files: moduleOf(),
    changes: {
      'index.html': (text) =>
        text.replace('<script', `<script type="importmap">${map}</script>\n<script`),
      'worker.js': change,
      'native-worker.js': change,
    },
  });
}

/** Vite's development server. */
export async function serveByVite(project) {
  const root = project.copy('vite-dev', 'bundlers/app', { files: moduleOf() });
  const { list, options } = silent();
  const server = await createServer({
    root,
    ...options,
    optimizeDeps: { exclude: ['coworker'] }, // as the README says
    server: { host: '127.0.0.1', port: 0, headers: headerSets.isolated },
  });
  await server.listen();
  return {
    url: `http://127.0.0.1:${server.httpServer.address().port}`,
    close: async () => {
      await server.close();
      refuse(list);
    },
  };
}
