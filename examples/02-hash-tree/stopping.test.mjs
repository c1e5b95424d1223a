/**
 * What hash-tree does when it cannot go on. Part of examples.test.mjs.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { root, run } from '../helpers.mjs';
import { quote } from './format.js';
import { render } from './progress.js';
import { hashFiles } from './tasks.js';

const main = path.join(root, 'examples/02-hash-tree/main.js');
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'hash-tree-'));
after(() => fs.rmSync(base, { recursive: true, force: true }));

const hashTree = (args, options) => run('node', [main, ...args], { cwd: base, ...options });
const SHOW_CURSOR = '\x1b[?25h';

// A small file, and one that takes minutes but no room on the disk.
fs.mkdirSync(`${base}/long`);
fs.writeFileSync(`${base}/long/a`, 'a');
fs.writeFileSync(`${base}/long/b`, '');
fs.truncateSync(`${base}/long/b`, 60e9);

for (const [name, status] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  test(`hash-tree: ${name} in the middle of a file`, async () => {
    let sent;
    const result = await hashTree(['long'], {
      started: (child) =>
        child.stdout.once('data', () => {
          setTimeout(() => {
            sent = performance.now();
            child.kill(name);
          }, 200);
        }),
    });
    assert.ok(performance.now() - sent < 2000, 'it takes a chunk, not the whole file');
    assert.equal(result.status, status);
    assert.match(result.stdout, /^[0-9a-f]{64} {2}long\/a\n$/);
    assert.match(result.stderr, /^hash-tree: stopped after [\d.]+ MB in 1 file\n$/);
  });
}

test('hash-tree: the output is closed', async () => {
  const { status, stderr } = await hashTree([`${root}/node_modules`], {
    started: (child) => child.stdout.once('data', () => child.stdout.destroy()),
  });
  assert.equal(stderr, '');
  assert.equal(status, 141);
});

const hasScript = spawnSync('script', ['--version']).status === 0;
const onTerminal = (args, options) =>
  run('script', ['-qefc', `stty cols 100; node ${main} ${args}`, '/dev/null'], {
    cwd: base,
    ...options,
  });

test('hash-tree: Ctrl-C on a terminal', { skip: !hasScript && 'needs script' }, async () => {
  const result = await onTerminal('long', {
    started: (child) => setTimeout(() => child.stdin.write('\x03'), 1500),
  });
  const { status, ms } = result;
  assert.equal(status, 130);
  const stdout = result.stdout.replaceAll('\x1b', 'ESC');
  const frames = stdout.match(/\rESC\[K\[[#-]+\] +\d+% .*? ETA [\d:-]+/g);
  assert.ok(frames?.length > 3, `there is a progress bar: ${JSON.stringify(stdout)}`);
  assert.ok(frames.length <= ms / 50 + 1, `${frames.length} frames in ${ms} ms`);
  assert.match(frames.at(-1), /[01]\/2 files {2}[\d.]+\/60000\.0 MB {2}[\d.]+ MB\/s/);
  const last = stdout.lastIndexOf(frames.at(-1));
  assert.match(stdout.slice(last), /\rESC\[KESC\[\?25hhash-tree: stopped after .*\r\n$/);
});

test(
  'hash-tree: no progress bar with --quiet',
  { skip: !hasScript && 'needs script' },
  async () => {
    fs.mkdirSync(`${base}/short`);
    fs.writeFileSync(`${base}/short/a`, 'a');
    const { stdout, status } = await onTerminal('--quiet short');
    assert.match(stdout, /^[0-9a-f]{64} {2}short\/a\r\n$/);
    assert.equal(status, 0);
    const drawn = await onTerminal('short');
    assert.ok(drawn.stdout.endsWith(SHOW_CURSOR));
  },
);

/** Permissions do not apply to root: then the program runs as somebody else. */
function somebody() {
  if (process.getuid() !== 0) return { options: {} };
  const options = { uid: 65534, gid: 65534 };
  const { status } = spawnSync('node', [main, '--help'], options);
  return status === 0 ? { options } : { skip: 'runs as root, and others cannot run node here' };
}

const { options: unprivileged, skip } = somebody();
test('hash-tree: what may not be read', { skip }, async () => {
  fs.chmodSync(base, 0o755);
  fs.mkdirSync(`${base}/locked/b`, { recursive: true });
  for (const name of ['a', 'c d', 'z', 'b/b']) fs.writeFileSync(`${base}/locked/${name}`, name);
  fs.chmodSync(`${base}/locked/c d`, 0);
  fs.chmodSync(`${base}/locked/b`, 0);
  const { stdout, stderr, status } = await hashTree(['locked'], unprivileged);
  assert.equal(status, 1);
  assert.deepEqual(stdout.match(/ {2}.*/g), ['  locked/a', '  locked/z']);
  assert.deepEqual(stderr.trimEnd().split('\n').sort(), [
    "hash-tree: 'locked/c d': Permission denied",
    'hash-tree: locked/b: Permission denied',
  ]);
  fs.chmodSync(`${base}/locked/b`, 0o755);
});

test('hash-tree: a file that cannot be read to its end', async () => {
  const file = `/proc/${process.pid}/mem`; // a regular file by its mode
  const { stdout, stderr, status } = await hashTree([file]);
  const theirs = await run('sha256sum', [file]);
  assert.equal(stdout, '');
  assert.equal(stderr, theirs.stderr.replace('sha256sum', 'hash-tree'));
  assert.equal(status, 1);
});

test('hash-tree: files that have vanished, or become something else', async () => {
  fs.symlinkSync('a', `${base}/link`);
  const scope = { ensureActive() {}, async: () => assert.fail('there is nothing to hash') };
  const memory = new Uint8Array(new SharedArrayBuffer(65536));
  const paths = ['no such', 'link'].map((name) => `${base}/${name}`);
  const { lines, problems } = await hashFiles(scope, memory, paths);
  assert.equal(lines, '');
  assert.deepEqual(problems, [
    `'${base}/no such': No such file or directory`,
    `${base}/link: Too many levels of symbolic links`,
  ]);
});

const wrong = {
  '': 'DIR is missing',
  'a b': 'one DIR is enough, got 2',
  '--workers 0 a': "--workers takes a number from 1 to 256, not '0'",
  '--workers 1.5 a': "--workers takes a number from 1 to 256, not '1.5'",
  '--workers=many a': "--workers takes a number from 1 to 256, not 'many'",
  '--fast a': "Unknown option '--fast'",
};
for (const [args, message] of Object.entries(wrong)) {
  test(`hash-tree: wrong usage: hash-tree ${args}`, async () => {
    const result = await hashTree(args.split(' ').filter(Boolean));
    assert.equal(result.stdout, '');
    assert.equal(result.stderr, `hash-tree: ${message}\nTry 'node main.js --help'.\n`);
    assert.equal(result.status, 2);
  });
}

test('hash-tree: --help, and a folder that is not there', async () => {
  const help = await hashTree(['--help']);
  assert.match(help.stdout, /^Usage: /);
  assert.equal(help.status, 0);
  const none = await hashTree(['nowhere']);
  assert.equal(none.stderr, 'hash-tree: nowhere: No such file or directory\n');
  assert.equal(none.status, 1);
});

test('hash-tree: quotes names in messages as sha256sum does', () => {
  const names = [
    'x y',
    'a\nb',
    'a:b',
    "it's",
    'ö',
    'tab\t',
    '~a',
    '#a',
    'a~',
    'a=b',
    'a]b',
    'a\\b',
  ];
  names.push("it's $x", "a'b\nc", 'a"b', 'a!b', '\x01', '€ 𝄞', 'a`b', 'a*b', 'a;b', '-a');
  const { stderr } = spawnSync('sha256sum', ['--', ...names], { cwd: base, encoding: 'latin1' });
  const theirs = stderr.replaceAll(/^sha256sum: |: No such file or directory$/gm, '');
  const ours = names.map((name) => quote(Buffer.from(name).toString('latin1')));
  assert.deepEqual(ours, theirs.trimEnd().split('\n'));
});

test('hash-tree: the progress bar fits the terminal', () => {
  const state = { files: 5, bytes: 25e6, speed: 10e6, total: { files: 20, bytes: 100e6 } };
  assert.equal(render({ ...state, total: undefined }, 80), '5 files  25.0 MB  10.0 MB/s');
  assert.equal(
    render(state, 79),
    '[######------------------]  25%  5/20 files  25.0/100.0 MB  10.0 MB/s  ETA 0:08',
  );
  for (let columns = 0; columns < 120; columns++) {
    assert.ok(render(state, columns).length <= columns);
  }
  assert.match(render({ ...state, speed: 1e3 }, 100), /ETA 20:50:00$/);
  assert.match(render({ ...state, speed: 0 }, 100), /ETA -:--$/);
  assert.match(render({ ...state, bytes: 0, total: { files: 0, bytes: 0 } }, 100), / 100% /);
});
