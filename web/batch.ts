/**
 * What goes from one core to another in one message: a number, and entries of
 * three numbers with the words that belong to them. All of it is one piece, since
 * that is what engines clone fastest: a string if it is short, as an array of words
 * takes a block of memory of its own. The string alone is the message, unless
 * something goes with it that is not in the batch.
 *
 * @module
 */

/** Longer ones are moved instead of copied: so many words. */
const COPIED = 1024;
/** What strings begin with, so that those of others pass by; in two words. */
const MARK = '\u0003cw\u0001';
const MARK_FIRST = 0x630003;
const MARK_SECOND = 0x10077;
/** Words in front: the mark, and the number. */
const HEAD = 3;
/** Words of an entry: whom it is for, what it is, how many bytes belong to it. */
const ENTRY = 3;
/** So many words go as a string, of two characters for each. */
const SHORT = 64;
/** Up to here a loop is faster than what engines have for copying. */
const FEW = 32;

/** Those of a string that came, which may be answered meanwhile. */
const incoming = new Int32Array(SHORT);

/** What {@link Batch.take} gives. */
export type Packed = Int32Array | string;

/** True for a message that is a batch and nothing else. */
export function isBatch(message: unknown): message is string {
  return typeof message === 'string' && message.startsWith(MARK);
}

/** Collects entries. */
export class Batch {
  private words = new Int32Array(SHORT);
  private used = HEAD;

  get isEmpty(): boolean {
    return this.used === HEAD;
  }

  /** Adds an entry with `length` bytes, a multiple of 4, that begin at a word of `from`. */
  add(id: number, what: number, from?: Int32Array, at = 0, length = 0): void {
    const count = length >>> 2;
    let to = this.used + ENTRY;
    if (to + count > this.words.length) this.grow(to + count);
    const { words } = this;
    words[to - 3] = id;
    words[to - 2] = what;
    words[to - 1] = length;
    this.used = to + count;
    if (count > FEW) words.set(from!.subarray(at, at + count), to);
    else for (const end = at + count; at < end; at++) words[to++] = from![at]!;
  }

  private grow(needed: number): void {
    const more = new Int32Array(Math.max(needed, this.words.length * 2));
    more.set(this.words.subarray(0, this.used));
    this.words = more;
  }

  /** All of it; the batch is empty afterwards. If it is large it is to be transferred. */
  take(number: number, transfer: Transferable[]): Packed {
    const { words, used } = this;
    words[0] = MARK_FIRST;
    words[1] = MARK_SECOND;
    words[2] = number;
    this.used = HEAD;
    if (used <= SHORT) return toText(words, used);
    const packed = words.slice(0, used);
    if (used > COPIED) {
      transfer.push(packed.buffer);
      this.words = new Int32Array(SHORT);
    }
    return packed;
  }
}

/** What strings are made of, by their lengths in words: the same list each time. */
const lists: (number[] | undefined)[] = [];

/** A list is taken apart faster for the call than an array of numbers. */
function toText(words: Int32Array, count: number): string {
  const units = (lists[count] ??= Array.from({ length: count * 2 }, () => 0));
  for (let i = 0; i < count; i++) {
    const word = words[i]!;
    units[i * 2] = word & 0xffff;
    units[i * 2 + 1] = word >>> 16;
  }
  return String.fromCharCode.apply(null, units);
}

function fromText(text: string): number {
  const count = text.length >>> 1;
  for (let i = 0; i < count; i++) {
    incoming[i] = text.charCodeAt(i * 2) | (text.charCodeAt(i * 2 + 1) << 16);
  }
  return count;
}

/** What came in one message, until the next one is unpacked. */
export interface Unpacked {
  readonly number: number;
  readonly words: Int32Array;
  /** Where the entries end among the words. */
  readonly end: number;
}

export function unpack(packed: Packed): Unpacked {
  const isText = typeof packed === 'string';
  const words = isText ? incoming : packed;
  const end = isText ? fromText(packed) : packed.length;
  return { number: words[2]!, words, end };
}

/** Calls back with each entry, and where its bytes begin among the words. */
export function forEach(
  { words, end }: Unpacked,
  each: (id: number, what: number, words: Int32Array, at: number, length: number) => void,
): void {
  for (let i = HEAD; i < end;) {
    const length = words[i + 2]!;
    const at = i + ENTRY;
    i = at + (length >>> 2);
    each(words[at - 3]!, words[at - 2]!, words, at, length);
  }
}
