/**
 * hash-tree against sha256sum. Part of examples.test.mjs.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { root, run } from '../helpers.mjs';

const main = path.join(root, 'examples/02-hash-tree/main.js');
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'hash-tree-'));
after(() => fs.rmSync(base, { recursive: true, force: true }));

const hashTree = (args, options) => run('node', [main, ...args], { cwd: base, ...options });

function sha256sums(folder, cwd = base) {
  const script = 'find "$0" -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum';
  return run('bash', ['-c', script, folder], { cwd });
}

async function sameAsSha256sum(folder, args = [], cwd = base) {
  const [ours, theirs] = await Promise.all([
    hashTree([...args, folder], { cwd }),
    sha256sums(folder, cwd),
  ]);
  assert.equal(ours.stderr, '');
  assert.equal(ours.status, 0);
  assert.ok(ours.stdout === theirs.stdout, firstDifference(ours.stdout, theirs.stdout));
  return ours.stdout.split('\n').length - 1;
}

function firstDifference(ours, theirs) {
  const wanted = theirs.split('\n');
  const at = ours.split('\n').findIndex((line, i) => line !== wanted[i]);
  return `line ${at + 1} is ${ours.split('\n')[at]}, not ${wanted[at]}`;
}

/** Makes files; contents are given by their length. */
function make(folder, files) {
  for (const [name, length] of files) {
    const at = Buffer.concat([Buffer.from(`${base}/${folder}/`), Buffer.from(name)]);
    fs.mkdirSync(at.subarray(0, at.lastIndexOf('/')), { recursive: true });
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
    fs.writeFileSync(at, bytes);
  }
}

test('sha256.c gives the digests that NIST publishes', async () => {
  const { stdout, status } = await run(`${root}/build/native/examples/sha256_test`, []);
  assert.equal(stdout, 'ok\n');
  assert.equal(status, 0);
});

test('hash-tree: files of all sizes', async () => {
  const chunk = 512 * 1024;
  const sizes = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 4095, 4096, 4097, 65535, 65536, 65537];
  for (const n of [1, 2, 3]) sizes.push(n * chunk - 1, n * chunk, n * chunk + 1);
  sizes.push(5_000_000);
  make(
    'sizes',
    sizes.map((size) => [`${size}`, size]),
  );
  for (const workers of [1, 2, 5]) {
    assert.equal(await sameAsSha256sum('sizes', ['-w', `${workers}`]), sizes.length);
  }
});

test('hash-tree: many small files in many folders', async () => {
  const files = [];
  for (let i = 0; i < 700; i++) files.push([`${i % 7}/${i % 13}/${i}`, i]);
  make('many', files);
  assert.equal(await sameAsSha256sum('many'), 700);
});

test('hash-tree: odd names, in the order of their bytes', async () => {
  const names = [
    'a/b',
    'a/b.c/d',
    'a/b-c',
    'a-b',
    'a.b',
    'a0',
    'a b',
    'a\\b',
    'a\nb',
    'a\rb',
    '\\',
  ];
  names.push('ä', '𝄞', '\uffee', 'Z', '-w', "it's", '*', '\x01', 'e/\n/\\/f', 'n'.repeat(255));
  const files = names.map((name) => [name, name.length]);
  files.push([Buffer.from([0xff, 0x61]), 2], [Buffer.from([0xc3]), 1]);
  make('odd', files);
  for (const folder of ['odd', 'odd/', './odd', `${base}/odd`]) {
    assert.equal(await sameAsSha256sum(folder), files.length);
  }
});

test('hash-tree: skips what is no regular file, follows no link', async () => {
  make('kinds', [
    ['file', 3],
    ['folder/file', 4],
  ]);
  fs.symlinkSync('file', `${base}/kinds/link`);
  fs.symlinkSync('folder', `${base}/kinds/links`);
  fs.symlinkSync('nowhere', `${base}/kinds/dangling`);
  execFileSync('mkfifo', [`${base}/kinds/pipe`]);
  fs.mkdirSync(`${base}/kinds/empty`);
  assert.equal(await sameAsSha256sum('kinds'), 2);
});

test('hash-tree: an empty folder, a single file', async () => {
  fs.mkdirSync(`${base}/nothing`);
  assert.equal(await sameAsSha256sum('nothing'), 0);
  make('single', [['file', 5]]);
  assert.equal(await sameAsSha256sum('single/file'), 1);
});

test("hash-tree: the repository's node_modules", async () => {
  assert.ok((await sameAsSha256sum('node_modules', [], root)) > 1000);
});
