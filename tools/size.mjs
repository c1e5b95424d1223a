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
const GOALS = { wasm: 24_000, page: 16_000 };

/** A page that uses the package as its first example does. */
const FILES = {
  'index.html': '<!doctype html><script type="module" src="./main.js"></script>',
  'main.js': `import { newFixedWorkerContext } from 'coworker';
newFixedWorkerContext(2, 'size', {
  worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
});
`,
  'worker.js': "import { serve } from 'coworker/worker';\nserve({});\n",
};

/**
 * What a page loads only in cases that most pages never come to. All else that
 * is not for workers counts.
 */
const LATER = new Map([
  ['start-failure', 'when something did not start'],
  ['browser-diagnosis', 'to find out why'],
  ['native', 'for a module of its own'],
  ['trace', 'for a context that is traced'],
  ['tiers', 'where memory cannot be shared'],
  ['coworker-solo', 'there, the glue'],
]);

const compressed = (data) => gzipSync(data, { level: 9 }).length;

/** Bundles the page; gives each script of it by a name without its hash. */
async function bundle() {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(FOLDER, name), text);
  const { output } = await build({
    root: FOLDER,
    configFile: false,
    logLevel: 'warn',
    build: { write: false },
  });
  const scripts = output.filter(({ fileName }) => fileName.endsWith('.js'));
  return new Map(
    scripts.map(({ fileName, code, source }) => [
      fileName.replace(/^assets\/(.*)-[\w-]{8}\.js$/, '$1'),
      compressed(code ?? source),
    ]),
  );
}

const scripts = await bundle();
const wasm = compressed(readFileSync(join(ROOT, 'dist/coworker.wasm')));
let page = 0;
for (const [name, size] of scripts) {
  if (!/^worker(-default)?$/.test(name) && !LATER.has(name)) page += size;
}

const rows = [
  ['coworker.wasm', wasm, GOALS.wasm],
  ['JavaScript of a page, glue included', page, GOALS.page],
  ['a worker without tasks, glue included', scripts.get('worker')],
];
for (const [name, when] of LATER) rows.push([`loaded later, ${when}`, scripts.get(name)]);
for (const [what, size, goal] of rows) {
  const kilobytes = (size / 1000).toFixed(1).padStart(6);
  const verdict = goal ? `  (at most ${goal / 1000} kB${size > goal ? ': TOO MUCH' : ''})` : '';
  console.log(`${what.padEnd(44)}${kilobytes} kB${verdict}`);
}
process.exitCode = rows.some(([, size, goal]) => size > goal) ? 1 : 0;
