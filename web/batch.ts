/**
 * What goes from one core to another in one message: a number, and entries of
 * three numbers with the bytes that belong to them. All of it is one piece, since
 * that is what engines clone fastest: a string if it is short, as an array of words
 * takes a block of memory of its own.
 *
 * @module
 */

/** More is moved instead of copied. */
const COPIED = 4096;
/** Words in front: the number, and how many entries there are. */
const HEAD = 2;
/** Words of an entry: whom it is for, what it is, how many bytes belong to it. */
const ENTRY = 3;

/** So many words go as a string, a character for each byte, at most. */
const SHORT = 64;
/** Those of a string that goes, and of one that came, which may be answered meanwhile. */
const outgoing = new Int32Array(SHORT);
const outgoingBytes = new Uint8Array(outgoing.buffer);
const incoming = new Int32Array(SHORT);
const incomingBytes = new Uint8Array(incoming.buffer);

/** What {@link Batch.take} gives. */
export type Packed = Int32Array | string;

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
  take(number: number, transfer: Transferable[]): Packed {
    const { words, used } = this;
    const length = HEAD + words.length + ((used + 3) >> 2);
    if (length <= SHORT) return this.takeShort(number, length);
    const packed = new Int32Array(length);
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

  private takeShort(number: number, length: number): string {
    const entries = this.words;
    outgoing[0] = number;
    outgoing[1] = entries.length / ENTRY;
    outgoing.set(entries, HEAD);
    outgoingBytes.set(this.bytes.subarray(0, this.used), (HEAD + entries.length) * 4);
    this.words = [];
    this.used = 0;
    return String.fromCharCode.apply(null, outgoingBytes.subarray(0, length * 4) as never);
  }
}

/** Calls back with each entry and its bytes, which are gone afterwards; gives the number. */
export function unpack(
  packed: Packed,
  each: (id: number, what: number, bytes: Uint8Array) => void,
): number {
  let from: Int32Array = incoming;
  let bytes: Uint8Array = incomingBytes;
  if (typeof packed === 'string') {
    for (let i = 0; i < packed.length; i++) incomingBytes[i] = packed.charCodeAt(i);
  } else {
    from = packed;
    bytes = new Uint8Array(packed.buffer);
  }
  const number = from[0]!;
  const end = HEAD + from[1]! * ENTRY;
  let at = end * 4;
  for (let i = HEAD; i < end; i += ENTRY) {
    const length = from[i + 2]!;
    each(from[i]!, from[i + 1]!, bytes.subarray(at, at + length));
    at += length;
  }
  return number;
}
