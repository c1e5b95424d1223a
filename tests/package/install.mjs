// The packed package, installed into an empty project.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pack } from '../../tools/pack.mjs';
import { temporaryFolder } from '../browser/processes.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const exec = promisify(execFile);

/**
 * Makes the project.
 *
 * @param {object} [manifest] what its package.json says besides
 */
export async function install(manifest = {}) {
  const scratch = temporaryFolder('package');
  const { path } = scratch;

  /** Runs a program in a folder of the project and gives what it printed. */
  async function run(folder, command, ...args) {
    try {
      const { stdout } = await exec(command, args, {
        cwd: folder,
        env: {
          ...process.env,
          PATH: `${ROOT}node_modules/.bin:${process.env.PATH}`,
          COWORKER_EXTRA_MOUNT: path,
        },
        timeout: 100_000,
      });
      return stdout.trim();
    } catch (error) {
      const output = `${error.stdout}${error.stderr}`;
      throw new Error(`${command} ${args.join(' ')}:\n${output}`, { cause: error });
    }
  }

  /** Copies a folder of the tests into a new one of the project, and more files. */
  function copy(name, from, { changes = {}, files = {} } = {}) {
    const folder = join(path, name);
    mkdirSync(folder);
    cpSync(join(ROOT, 'tests', from), folder, { recursive: true });
    for (const [file, source] of Object.entries(files))
      cpSync(join(ROOT, source), join(folder, file));
    for (const [file, change] of Object.entries(changes)) {
      const to = join(folder, file);
      writeFileSync(to, change(readFileSync(to, 'utf8')));
    }
    return folder;
  }

  const { path: tarball } = pack(path);
  const about = { private: true, type: 'module', ...manifest };
  writeFileSync(join(path, 'package.json'), JSON.stringify(about));
  const options = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run(path, 'npm', 'install', ...options, tarball);
  return {
    path,
    installed: join(path, 'node_modules/coworker'),
    run,
    copy,
    remove: () => scratch.remove(),
  };
}
