/**
 * What the workers run: reading in JavaScript, hashing in C.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Batch } from './batch.js';
import { line, quote, reason } from './format.js';

// Neither follow what has become a link, nor wait for what has become a pipe.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Hashes some files.
 *
 * @param scope - the job's: what is started with it ends with it
 * @param {Uint8Array} memory - a batch, for this job alone meanwhile
 * @param {string[]} paths - as strings of bytes
 * @returns `lines` for the output, and the `problems` of files that have none
 */
export async function hashFiles(scope, memory, paths) {
  const batch = new Batch(memory);
  const lines = [];
  const problems = [];
  let ended = []; // paths by the piece that is their last
  const hash = async () => {
    // In C, on whichever worker is free: most likely this one.
    await scope.async('hash_pieces', memory);
    ended.forEach((path, piece) => lines.push(line(batch.digest(piece), path)));
    ended = [];
    batch.clear();
  };
  for (const path of paths) {
    try {
      for (const last of pieces(scope, batch, path)) {
        if (last !== undefined) ended[last] = path;
        if (batch.isFull) await hash();
      }
    } catch (error) {
      if (error.syscall === undefined) throw error; // cancelled, or a bug
      problems.push(`${quote(path)}: ${reason(error)}`);
    }
  }
  if (batch.count > 0) await hash();
  return { lines: lines.join(''), problems };
}

/**
 * Reads a file into the batch: as much as there is room, and more after each
 * turn of the loop around this, which makes room.
 *
 * @yields the number of the last piece, once it is there
 */
function* pieces(scope, batch, path) {
  const file = openSync(Buffer.from(path, 'latin1'), FLAGS);
  try {
    let isFirst = true;
    for (;;) {
      scope.ensureActive();
      const length = fill(file, batch);
      const isLast = length < batch.room;
      const piece = batch.add(length, isFirst, isLast);
      if (isLast) {
        yield piece;
        return;
      }
      isFirst = false;
      yield undefined;
    }
  } finally {
    closeSync(file);
  }
}

/** Reads to the end of the file or of the room, with no copy in between. */
function fill(file, batch) {
  const { position, room } = batch;
  let length = 0;
  while (length < room) {
    const got = readSync(file, batch.memory, position + length, room - length, null);
    if (got === 0) break;
    length += got;
  }
  return length;
}
