// The packed package, installed into an empty project, in the hands of each
// tool that its users have but bundlers, which have tests of their own:
// node tests/package/run.mjs

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXPECTED, moduleOf } from '../bundlers/app.mjs';
import { install } from './install.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let project;

before(async () => {
  project = await install();
});

after(() => project.remove());

describe('Node', () => {
  it('runs the same files as pages', async () => {
    const print = 'console.log(JSON.stringify(await globalThis.results));';
    const folder = project.copy('node', 'bundlers/app', {
      files: moduleOf('.node'),
      changes: { 'main.js': (text) => text + print },
    });
    const printed = await project.run(folder, 'node', 'main.js');
    assert.deepEqual(JSON.parse(printed), { ...EXPECTED, tier: 'shared' });
  });

  it('runs tests in virtual time', async () => {
    const test = `import { runTest } from 'coworker/test';
console.log(await runTest((scope) => scope.delay(1e6).then(() => scope.currentTime)));
`;
    writeFileSync(join(project.path, 'virtual.js'), test);
    assert.equal(await project.run(project.path, 'node', 'virtual.js'), '1000000');
  });
});

describe('TypeScript', () => {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  for (const [moduleResolution, module] of [
    ['bundler', 'esnext'],
    ['nodenext', 'nodenext'],
  ]) {
    it(`compiles typed calls with moduleResolution ${moduleResolution}`, async () => {
      const folder = project.copy(`types-${moduleResolution}`, 'package/types');
      const lib = ['es2023', 'dom'];
      const compilerOptions = { moduleResolution, module, lib, strict: true, types: [] };
      const text = JSON.stringify({ compilerOptions: { ...compilerOptions, noEmit: true } });
      writeFileSync(join(folder, 'tsconfig.json'), text);
      await project.run(folder, 'node', tsc, '-p', '.');
    });
  }
});

describe('Emscripten', () => {
  const emcc = join(ROOT, 'tools/emcc');
  const warn = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror'];
  let include;
  let lib;
  before(() => {
    lib = join(project.installed, 'lib');
    include = ['-I', join(project.installed, 'include'), '-L', lib];
  });

  it('links a program in C alone', async () => {
    const folder = project.copy('native', 'package/native');
    const flags = ['-pthread', '-sPROXY_TO_PTHREAD', '-sEXIT_RUNTIME', '-sENVIRONMENT=node'];
    const output = ['-o', 'app.cjs'];
    await project.run(
      folder,
      emcc,
      ...warn,
      'app.c',
      ...include,
      '-lcoworker',
      ...flags,
      ...output,
    );
    assert.equal(await project.run(folder, 'node', 'app.cjs'), 'status 0, sum 285');
  });

  it('links a module that JavaScript calls', async () => {
    const folder = project.copy('module', 'package/native');
    const link = [`@${join(lib, 'coworker.link')}`, '--no-entry'];
    const output = ['-sENVIRONMENT=node,worker', '-o', 'module.mjs'];
    await project.run(
      folder,
      emcc,
      ...warn,
      'module.c',
      ...include,
      '-lcoworker',
      ...link,
      ...output,
    );
    assert.equal(await project.run(folder, 'node', 'main.mjs'), '42 3');
  });
});
