// Child processes and temporary folders that are gone when this process is,
// however it ends.

import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const groups = new Set();
const folders = new Set();

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false; // The whole group has ended already.
  }
}

function removeFolder(path) {
  folders.delete(path);
  // A process that is just ending may still write a last file.
  rmSync(path, {
    recursive: true,
    force: true,
    maxRetries: 10,
    retryDelay: 50,
  });
}

let installed = false;

function installExitHandlers() {
  if (installed) return;
  installed = true;
  process.on('exit', () => {
    let waiting = false;
    for (const pid of groups) waiting = signalGroup(pid, 'SIGTERM') || waiting;
    // An exit handler cannot wait for events, only stop the thread.
    if (waiting) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    for (const pid of groups) signalGroup(pid, 'SIGKILL');
    for (const path of folders) {
      try {
        removeFolder(path);
      } catch {
        // Nothing is left that could be done about it.
      }
    }
  });
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ]) {
    process.on(signal, () => process.exit(128 + number));
  }
}

/**
 * The first of the names that is a program on the PATH, or a path of one.
 *
 * @param {(string | undefined)[]} names
 * @returns {string | undefined} its path
 */
export function findProgram(...names) {
  for (const name of names.filter(Boolean)) {
    const candidates = name.includes('/')
      ? [name]
      : process.env.PATH.split(delimiter).map((folder) => join(folder, name));
    for (const candidate of candidates) {
      try {
        accessSync(candidate, constants.X_OK);
        return candidate;
      } catch {
        // Try the next one.
      }
    }
  }
  return undefined;
}

/**
 * Makes a folder that is removed by `remove()`, or else when this process ends.
 *
 * @param {string} name
 * @returns {{ path: string, remove(): void }}
 */
export function temporaryFolder(name) {
  installExitHandlers();
  const path = mkdtempSync(join(tmpdir(), `coworker-${name}-`));
  folders.add(path);
  return { path, remove: () => removeFolder(path) };
}

/**
 * Has a process group ended with this process, or at `end()`.
 *
 * @param {number} pid id of the group, which is that of its first process
 * @returns {{ end(): Promise<void> }}
 */
export function ownGroup(pid) {
  installExitHandlers();
  groups.add(pid);
  return {
    async end() {
      signalGroup(pid, 'SIGTERM');
      // Not for long: a process that has ended counts until its parent, which
      // may be any, has seen that.
      for (let left = 20; left > 0 && signalGroup(pid, 0); left--) {
        await new Promise((done) => setTimeout(done, 50));
      }
      signalGroup(pid, 'SIGKILL');
      groups.delete(pid);
    },
  };
}

/**
 * Starts a program as the head of a process group of its own.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 */
export function startGroup(program, args, options) {
  const child = spawn(program, args, { ...options, detached: true });
  child.on('error', () => {}); // Seen as an exit without an id, below.
  if (child.pid === undefined) throw new Error(`cannot start ${program}`);
  return { child, ...ownGroup(child.pid) };
}
