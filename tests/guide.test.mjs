/**
 * Runs the programs of docs/ as they stand there.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assert } from 'chai';
import * as coworker from 'coworker';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}build/guide`;

/** The blocks of a page: what their first line calls them, and what they promise to print. */
async function blocksOf(page) {
  const text = await readFile(`${root}docs/${page}`, 'utf8');
  return [...text.matchAll(/^```js\n(\/\/ ([\w.]+)\n[\s\S]*?)^```$/gm)].map(([, code, name]) => ({
    name,
    code,
    output: [...code.matchAll(/console\.log\(.*?\/\/ (.+)$/gm)].map(([, line]) => line),
  }));
}

/** Scripts of workers, which do not run by themselves. */
const isScript = ({ code }) => code.includes("from 'coworker/worker'");

for (const page of ['guide.md', 'guarantees.md']) {
  const blocks = await blocksOf(page);
  const programs = blocks.filter((block) => !isScript(block));

  describe(`docs/${page}`, () => {
    before(async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(`${folder}/node_modules`, { recursive: true });
      await symlink(root, `${folder}/node_modules/coworker`);
      await writeFile(`${folder}/package.json`, '{ "type": "module" }');
      for (const { name, code } of blocks) await writeFile(`${folder}/${name}`, code);
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it('has programs, and each of them says what it prints', () => {
      assert.isAtLeast(programs.length, 3);
      for (const { name, output } of programs) assert.isNotEmpty(output, name);
    });

    for (const { name, output } of programs) {
      it(`runs ${name}, which prints what it says`, async () => {
        const { stdout, stderr } = await run(process.execPath, [name], {
          cwd: folder,
          timeout: 20_000,
        });
        assert.equal(stderr, '');
        assert.sameMembers(stdout.trimEnd().split('\n'), output);
      });
    }
  });
}

describe('the table of errors', () => {
  it('has every class of the package, with its code', async () => {
    const text = await readFile(`${root}docs/guarantees.md`, 'utf8');
    const rows = [...text.matchAll(/^\| `(\w+Error)` +\| (?:`(\w+)`|.*?) +\|/gm)];
    const table = new Map(rows.map(([, name, code]) => [name, code]));
    const classes = Object.values(coworker).filter(
      (value) => typeof value === 'function' && value.prototype instanceof Error,
    );
    assert.sameMembers(
      [...table.keys()],
      classes.map(({ name }) => name),
    );
    const { StartError, NativeError } = coworker;
    for (const ErrorClass of classes) {
      if (ErrorClass === NativeError) continue; // has whichever C gave it
      const error = ErrorClass === StartError ? new StartError('unknown', '') : new ErrorClass('');
      assert.equal(table.get(ErrorClass.name), error.code, ErrorClass.name);
    }
  });
});
