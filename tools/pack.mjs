// Makes the npm tarball, build/coworker-VERSION.tgz, and checks it: nothing is
// missing, nothing is in it by accident, and publint and attw find no fault.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));

/** What may be in the tarball. */
const ALLOWED = [
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
  /^dist\/[\w.-]+\.(js|js\.map|d\.ts|d\.ts\.map|mjs|d\.mts)$/,
  /^dist\/coworker(-solo)?\.wasm$/,
  /^include\/coworker(_test|\/\w+)?\.h$/,
  /^lib\/(coworker(-solo)?\.link|libcoworker(-solo)?\.a)$/,
  /^src\/[\w./-]+\.[ch]$/,
  /^wasm\/[\w.-]+\.(c|h|js|mk|txt)$/,
  /^web\/[\w.-]+\.ts$/,
];

/** What has to be, besides all that `exports` names. */
const REQUIRED = [
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'dist/coworker.node.mjs',
  'dist/coworker-solo.node.mjs',
  'dist/worker-default.node.js',
  'lib/coworker.link',
  'lib/libcoworker.a',
  'lib/coworker-solo.link',
  'lib/libcoworker-solo.a',
  'src/coworker.h',
  'include/coworker/base.h',
  'include/coworker_test.h',
  'wasm/bridge.c',
];

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    ...options,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${basename(command)} failed:\n${stdout}${stderr}`);
  return stdout;
}

/**
 * Packs what is built, without building it.
 *
 * @param {string} [folder] where the tarball goes
 * @returns {{ path: string, size: number, files: { path: string, size: number }[] }}
 */
export function pack(folder = join(ROOT, 'build')) {
  mkdirSync(folder, { recursive: true });
  const report = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]);
  const parsed = JSON.parse(report);
  // An array until npm 10, an object by name since.
  const [{ filename, size, files }] = Object.values(parsed);
  return { path: join(folder, filename), size, files };
}

/** Every path that a part of `exports` leads to. */
function targets(entry) {
  return typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(targets);
}

/** Faults of the list of files. */
function checkFiles(files) {
  const names = new Set(files.map(({ path }) => path));
  const { exports, main, module, types, sideEffects } = manifest;
  const wanted = [...targets(exports), main, module, types, ...sideEffects]
    .filter((path) => !path.includes('*'))
    .map((path) => posix.normalize(path));
  return [
    ...[...REQUIRED, ...wanted]
      .filter((path) => !names.has(path))
      .map((path) => `missing: ${path}`),
    ...[...names]
      .filter((path) => !ALLOWED.some((pattern) => pattern.test(path)))
      .map((path) => `should not be in it: ${path}`),
    ...[...names].filter((path) => path.endsWith('.map')).flatMap((path) => checkMap(path, names)),
  ];
}

/** Faults of a source map: its sources have to be in the tarball. */
function checkMap(path, names) {
  const { sources } = JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
  return sources
    .map((source) => posix.join(posix.dirname(path), source))
    .filter((source) => !names.has(source))
    .map((source) => `${path} refers to ${source}, which is missing`);
}

async function main() {
  const { path, size, files } = pack();
  const faults = checkFiles(files);
  const { messages } = await publint({
    pack: { tarball: new Uint8Array(readFileSync(path)).buffer },
    strict: true,
  });
  faults.push(...messages.map((message) => `publint: ${formatMessage(message, manifest)}`));
  try {
    // These are no modules.
    const skip = ['--exclude-entrypoints', 'coworker.wasm', 'coworker.h', 'coworker_test.h'];
    const how = ['--profile', 'esm-only', '--no-emoji', '--no-color', '--format', 'ascii'];
    run('node_modules/.bin/attw', [path, ...how, ...skip]);
  } catch (error) {
    faults.push(error.message);
  }
  for (const fault of faults) console.error(fault);
  console.log(`${path}: ${files.length} files, ${(size / 1000).toFixed(0)} kB`);
  process.exitCode = faults.length ? 1 : 0;
}

if (process.argv[1] && fileURLToPath(import.meta.url) === resolve(process.argv[1])) await main();
