/**
 * Finds files.
 */
import { lstatSync, readdirSync, statSync } from 'node:fs';
import { quote, reason } from './format.js';

const SLASH = Buffer.from('/');
/** How long the main thread may be busy in one go. */
const SLICE_MS = 8;

/**
 * All regular files below `root`, in the order of their paths' bytes: as
 * `find root -type f | LC_ALL=C sort`. Symbolic links are not followed, save
 * for `root` itself. Keeps in memory only the folders that it is in.
 *
 * @param scope - of the job that this is a part of: it stops with it
 * @param {string} root
 * @yields `{ path, size }`, or a `{ problem }` in words; paths are strings of bytes
 */
export async function* walk(scope, root) {
  let began = performance.now();
  let path = Buffer.from(root);
  const stack = [[{ path, isRoot: true }].values()];
  while (stack.length > 0) {
    const { value: entry, done } = stack.at(-1).next();
    if (done) {
      stack.pop();
      continue;
    }
    if (performance.now() - began > SLICE_MS) {
      await scope.yield(); // throws when the scope is cancelled
      began = performance.now();
    }
    path = entry.path;
    try {
      if (!entry.isFolder) {
        const stat = (entry.isRoot ? statSync : lstatSync)(path);
        if (stat.isFile()) yield { path: path.toString('latin1'), size: stat.size };
        if (!stat.isDirectory()) continue;
      }
      stack.push(list(path).values());
    } catch (error) {
      if (error.syscall === undefined) throw error;
      yield { problem: `${quote(path.toString('latin1'))}: ${reason(error)}` };
    }
  }
}

/** Files and folders in a folder. A folder counts as if its name ended in '/'. */
function list(folder) {
  const prefix = folder.at(-1) === SLASH[0] ? folder : Buffer.concat([folder, SLASH]);
  return readdirSync(folder, { encoding: 'buffer', withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => ({
      path: Buffer.concat([prefix, entry.name]),
      key: entry.isDirectory() ? Buffer.concat([entry.name, SLASH]) : entry.name,
      isFolder: entry.isDirectory(),
    }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
}

/**
 * Puts files together for one job each: few enough that all workers have some,
 * and enough that a job is worth its while.
 *
 * @yields `{ paths, bytes }`; problems pass through
 */
export async function* batches(entries, maxFiles, maxBytes) {
  let paths = [];
  let bytes = 0;
  for await (const { path, size, problem } of entries) {
    if (problem) {
      yield { problem };
      continue;
    }
    if (paths.length === maxFiles || (paths.length > 0 && bytes + size > maxBytes)) {
      yield { paths, bytes };
      paths = [];
      bytes = 0;
    }
    paths.push(path);
    bytes += size;
  }
  if (paths.length > 0) yield { paths, bytes };
}
