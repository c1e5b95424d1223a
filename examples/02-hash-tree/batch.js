/**
 * A batch: a piece of shared memory that a worker fills with files and that
 * hash_tree.c hashes. The layout is the one of its `struct batch`.
 */
const COUNT = 0; // words
const BYTES = 1;
const HASHED = 1; // a 64-bit word
const PIECES_AT = 120; // bytes
const PIECE_BYTES = 48;
const DIGEST_AT = 16;
const DIGEST_BYTES = 32;
const FIRST = 1;
const LAST = 2;

/** The most pieces, so also the most files, of one batch. */
export const MAX_PIECES = 64;
const DATA_AT = PIECES_AT + MAX_PIECES * PIECE_BYTES;
/** What a batch takes besides its data. */
export const BATCH_HEAD = DATA_AT;

export class Batch {
  /** @param {Uint8Array} memory - in shared memory, made by context.allocate() */
  constructor(memory) {
    this.memory = memory;
    this.words = new Uint32Array(memory.buffer, memory.byteOffset, DATA_AT / 4);
    this.digests = Buffer.from(memory.buffer, memory.byteOffset, DATA_AT);
    this.words[BYTES] = memory.length - DATA_AT;
    this.clear();
  }

  clear() {
    this.words[COUNT] = 0;
    this.used = 0;
  }

  get count() {
    return this.words[COUNT];
  }

  get room() {
    return this.memory.length - DATA_AT - this.used;
  }

  get isFull() {
    return this.room === 0 || this.count === MAX_PIECES;
  }

  /** Where to put the next bytes: an index of `memory`. */
  get position() {
    return DATA_AT + this.used;
  }

  /**
   * Takes note of `length` bytes at `position` that belong to one file.
   * @returns the number of the piece
   */
  add(length, isFirst, isLast) {
    const number = this.words[COUNT]++;
    const word = (PIECES_AT + number * PIECE_BYTES) / 4;
    this.words[word] = this.used;
    this.words[word + 1] = length;
    this.words[word + 2] = (isFirst ? FIRST : 0) | (isLast ? LAST : 0);
    this.used += length;
    return number;
  }

  /** The digest of the file whose last piece this is, in hexadecimal. */
  digest(number) {
    const at = PIECES_AT + number * PIECE_BYTES + DIGEST_AT;
    return this.digests.toString('hex', at, at + DIGEST_BYTES);
  }
}

/** How many bytes of this batch were hashed since it was allocated. */
export function bytesHashed(memory) {
  const view = new BigUint64Array(memory.buffer, memory.byteOffset, HASHED + 1);
  return Number(Atomics.load(view, HASHED));
}
