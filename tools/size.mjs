// Prints what the users of a page download, compressed, and fails if it is more
// than the project wants it to be: node tools/size.mjs

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FOLDER = join(ROOT, 'build/size');

/** Upper limits in bytes, compressed. */
const GOALS = { wasm: 24_000, page: 16_000, broker: 2_000 };

/** Pages: one that does what the first example of the readme does, and one with all there is. */
const PAGES = {
  page: `import { newFixedWorkerContext } from 'coworker';
newFixedWorkerContext(2, 'size', {
  worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
}).then((context) => context.async('task').then(console.log));
`,
  all: `import * as coworker from 'coworker';
console.log(coworker, () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
`,
};

/**
 * What a page loads only in cases that most pages never come to. All else that
 * is not for workers counts.
 */
const LATER = new Map([
  ['progress', 'to listen to progress, unless it has channels'],
  ['start-failure', 'when something did not start'],
  ['browser-diagnosis', 'to find out why'],
  ['native', 'for a module of its own'],
  ['trace', 'for a context that is traced'],
  ['tiers', 'where memory cannot be shared'],
  ['coworker-solo', 'there, the glue'],
]);

const compressed = (data) => gzipSync(data, { level: 9 }).length;

/** Bundles a page; gives the compressed sizes of what it loads, and when. */
async function bundle(name) {
  const folder = join(FOLDER, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><script type="module" src="./main.js"></script>',
  );
  writeFileSync(join(folder, 'main.js'), PAGES[name]);
  writeFileSync(
    join(folder, 'worker.js'),
    "import { serve } from 'coworker/worker';\nserve({});\n",
  );
  const { output } = await build({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    build: { write: false },
  });
  const chunks = new Map(
    output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]),
  );
  const loaded = new Set();
  /** The size of a script with what it imports, as far as that is not loaded. */
  const load = (fileName) => {
    const chunk = chunks.get(fileName);
    if (!chunk || loaded.has(fileName)) return 0;
    loaded.add(fileName);
    return chunk.imports.reduce((sum, other) => sum + load(other), compressed(chunk.code));
  };
  let now = 0;
  for (const { fileName, isEntry, isDynamicEntry, name } of chunks.values()) {
    if (isEntry || (isDynamicEntry && !LATER.has(name))) now += load(fileName);
  }
  const later = new Map();
  for (const { fileName, name } of chunks.values()) {
    if (LATER.has(name)) later.set(name, load(fileName));
  }
  const worker = output.find(({ fileName }) => /^assets\/worker-[\w-]{8}\.js$/.test(fileName));
  return { now, later, worker: compressed(worker.source) };
}

const page = await bundle('page');
const all = await bundle('all');
const wasm = compressed(readFileSync(join(ROOT, 'dist/coworker.wasm')));

const broker = compressed(readFileSync(join(ROOT, 'dist/shared-worker.js')));

const rows = [
  ['coworker.wasm', wasm, GOALS.wasm],
  ['JavaScript of a page that launches, with glue', page.now, GOALS.page],
  ['the same with everything there is', all.now],
  ['a worker without tasks, with glue', page.worker],
  ['the broker of pages that share a pool', broker, GOALS.broker],
];
for (const [name, when] of LATER) rows.push([`loaded later, ${when}`, page.later.get(name)]);
for (const [what, size, goal] of rows) {
  const kilobytes = (size / 1000).toFixed(1).padStart(6);
  const verdict = goal ? `  (at most ${goal / 1000} kB${size > goal ? ': TOO MUCH' : ''})` : '';
  console.log(`${what.padEnd(60)}${kilobytes} kB${verdict}`);
}
process.exitCode = rows.some(([, size, goal]) => size > goal) ? 1 : 0;
