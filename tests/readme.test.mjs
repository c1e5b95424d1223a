/**
 * Runs the README's examples as they stand there.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assert } from 'chai';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}build/readme`;

/** The fenced blocks, by the file name in their first line. */
async function blocks() {
  const text = await readFile(`${root}README.md`, 'utf8');
  const found = new Map();
  for (const [, code] of text.matchAll(/^```(?:js|c)\n([\s\S]*?)^```$/gm)) {
    const name = /^(?:\/\/|\/\*) ([\w.]+)/.exec(code)?.[1];
    if (name) found.set(name, code);
  }
  return found;
}

/** What the comments behind calls of console.log promise. */
function promised(code) {
  return [...code.matchAll(/console\.log\(.*\)\)?; \/\/ (.+)$/gm)].map(([, output]) => output);
}

describe('README', () => {
  let files;
  before(async () => {
    files = await blocks();
    await rm(folder, { recursive: true, force: true });
    await mkdir(`${folder}/node_modules`, { recursive: true });
    await symlink(root, `${folder}/node_modules/coworker`);
    await writeFile(`${folder}/package.json`, '{ "type": "module" }');
    for (const [name, code] of files) await writeFile(`${folder}/${name}`, code);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('runs the opening example', async () => {
    const { stdout, stderr } = await run(process.execPath, ['main.js'], { cwd: folder });
    assert.equal(stderr, '');
    assert.match(stdout, /^Ada, I'm executing in worker-context-[123]\n3\n$/);
  });

  it('runs the tour of the API, with the outputs that it names', async () => {
    const { stdout, stderr } = await run(process.execPath, ['api.js'], { cwd: folder });
    assert.equal(stderr, '');
    const lines = stdout.split('\n');
    const expected = promised(files.get('api.js'));
    assert.lengthOf(expected, 6);
    for (const line of expected) assert.include(lines, line);
  });

  it('runs the tests in virtual time', async () => {
    const { stdout } = await run(
      process.execPath,
      ['--test', '--test-reporter=tap', 'reminder.test.js'],
      {
        cwd: folder,
        env: { ...process.env, NODE_TEST_CONTEXT: undefined },
      },
    );
    assert.match(stdout, /^# pass 2$/m);
    assert.match(stdout, /^# fail 0$/m);
  });

  it('runs the channels, with the outputs that it names', async () => {
    const { stdout, stderr } = await run(process.execPath, ['channels.js'], { cwd: folder });
    assert.equal(stderr, '');
    assert.deepEqual(stdout.trim().split('\n'), promised(files.get('channels.js')));
  });

  it('runs limits, progress and streams, with the outputs that it names', async () => {
    const { stdout, stderr } = await run(process.execPath, ['limits.js'], { cwd: folder });
    assert.equal(stderr, '');
    const expected = promised(files.get('limits.js'));
    assert.lengthOf(expected, 5);
    expected.splice(4, 0, '100 %');
    assert.deepEqual(stdout.trim().split('\n'), expected);
  });

  it('runs what is killed, with the outputs that it names', async () => {
    const { stdout, stderr } = await run(process.execPath, ['killing.js'], { cwd: folder });
    assert.equal(stderr, '');
    const expected = promised(files.get('killing.js'));
    assert.lengthOf(expected, 3);
    assert.deepEqual(stdout.trim().split('\n'), expected);
  });

  it('runs one pool for all tabs, with the outputs that it names', async () => {
    const { stdout, stderr } = await run(process.execPath, ['tabs.js'], { cwd: folder });
    assert.equal(stderr, '');
    const expected = promised(files.get('tabs.js'));
    assert.lengthOf(expected, 4);
    assert.deepEqual(stdout.trim().split('\n'), expected);
  });

  it('runs mutexes, semaphores and select, with the outputs that it names', async () => {
    const { stdout, stderr } = await run(process.execPath, ['sync.js'], { cwd: folder });
    assert.equal(stderr, '');
    const expected = promised(files.get('sync.js'));
    assert.lengthOf(expected, 3);
    assert.equal(stdout, `${expected.join('\n')}\n`);
  });

  /** Compiles one of the C programs and runs it. */
  async function runC(name) {
    const out = `${folder}/${name}`;
    await run('make', ['native'], { cwd: root });
    await run(process.env.CC ?? 'gcc', [
      ...'-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'.split(' '),
      `-I${root}src`,
      `${folder}/${name}.c`,
      `${root}build/native/libcoworker.a`,
      '-o',
      out,
      '-lpthread',
    ]);
    return run(out, []);
  }

  it('compiles and runs the C example', async () => {
    const { stdout } = await runC('hello');
    assert.match(stdout, /^I'm executing in worker-context-[123]\n$/);
  });

  it('compiles and runs channels, select and a time limit', async () => {
    const { stdout } = await runC('squares');
    assert.equal(stdout, '55\n');
  });

  it('compiles and runs the test in virtual time', async () => {
    const { stdout, stderr } = await runC('reminder_test'); // rejects unless it passes
    assert.equal(stdout + stderr, '');
  });

  it('names only targets that the Makefile has', async () => {
    const text = await readFile(`${root}README.md`, 'utf8');
    const makefile = await readFile(`${root}Makefile`, 'utf8');
    for (const [, target] of text.matchAll(/^ +make (\w+)/gm)) {
      assert.match(makefile, new RegExp(`^${target}:`, 'm'));
    }
  });
});
