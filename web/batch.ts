/**
 * What goes from one core to another in one message: a number, and entries of
 * three numbers with the bytes that belong to them. All of it is one array, since
 * that is what engines clone fastest.
 *
 * @module
 */

/** More is moved instead of copied. */
const COPIED = 4096;
/** Words in front: the number, and how many entries there are. */
const HEAD = 2;
/** Words of an entry: whom it is for, what it is, how many bytes belong to it. */
const ENTRY = 3;

/** Collects entries. */
export class Batch {
  private words: number[] = [];
  private bytes = new Uint8Array(256);
  private used = 0;

  get isEmpty(): boolean {
    return this.words.length === 0;
  }

  /** Adds an entry with bytes of a memory. */
  add(id: number, what: number, from?: Uint8Array, at = 0, length = 0): void {
    this.words.push(id, what, length);
    if (length === 0) return;
    const needed = this.used + length;
    if (needed > this.bytes.length) {
      const more = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      more.set(this.bytes.subarray(0, this.used));
      this.bytes = more;
    }
    this.bytes.set(from!.subarray(at, at + length), this.used);
    this.used = needed;
  }

  /** All of it; the batch is empty afterwards. If it is large it is to be transferred. */
  take(number: number, transfer: Transferable[]): Int32Array {
    const { words, used } = this;
    const packed = new Int32Array(HEAD + words.length + ((used + 3) >> 2));
    packed[0] = number;
    packed[1] = words.length / ENTRY;
    packed.set(words, HEAD);
    const from = (HEAD + words.length) * 4;
    new Uint8Array(packed.buffer).set(this.bytes.subarray(0, used), from);
    this.words = [];
    this.used = 0;
    if (used > COPIED) {
      transfer.push(packed.buffer);
      this.bytes = new Uint8Array(256);
    }
    return packed;
  }
}

/** Calls back with each entry and its bytes; gives the number. */
export function unpack(
  packed: Int32Array,
  each: (id: number, what: number, bytes: Uint8Array) => void,
): number {
  const end = HEAD + packed[1]! * ENTRY;
  const bytes = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = end * 4;
  for (let i = HEAD; i < end; i += ENTRY) {
    const length = packed[i + 2]!;
    each(packed[i]!, packed[i + 1]!, bytes.subarray(at, at + length));
    at += length;
  }
  return packed[0]!;
}
