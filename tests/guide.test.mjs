/**
 * Runs the programs of docs/guide.md as they stand there.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assert } from 'chai';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}build/guide`;
const text = await readFile(`${root}docs/guide.md`, 'utf8');

/** The programs: what their first line calls them, and what they promise to print. */
const programs = [...text.matchAll(/^```js\n(\/\/ ([\w.]+)\n[\s\S]*?)^```$/gm)].map(
  ([, code, name]) => ({
    name,
    code,
    output: [...code.matchAll(/console\.log\(.*?\/\/ (.+)$/gm)].map(([, line]) => line),
  }),
);

describe('the guide', () => {
  before(async () => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(`${folder}/node_modules`, { recursive: true });
    await symlink(root, `${folder}/node_modules/coworker`);
    await writeFile(`${folder}/package.json`, '{ "type": "module" }');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('has programs, and each of them says what it prints', () => {
    assert.isAtLeast(programs.length, 10);
    for (const { name, output } of programs) assert.isNotEmpty(output, name);
  });

  for (const { name, code, output } of programs) {
    it(`runs ${name}, which prints what it says`, async () => {
      await writeFile(`${folder}/${name}`, code);
      const { stdout, stderr } = await run(process.execPath, [name], {
        cwd: folder,
        timeout: 20_000,
      });
      assert.equal(stderr, '');
      assert.sameMembers(stdout.trimEnd().split('\n'), output);
    });
  }
});
