import {
  MAX_DEPTH,
  type View,
  type ViewConstructor,
  viewConstructors,
  viewElementSizes,
} from './codec-format.js';
import { HeapUser } from './codec-heap.js';
import { readAscii, readLatin1, readUtf16 } from './codec-text.js';

// Names of up to this many words are looked up instead of decoded.
const NAME_WORDS = 8;
const NAME_SLOTS = 256;

const objectPrototype = Object.prototype;

// Doubles and 64-bit integers are put together from two words through these.
const double = new Float64Array(1);
const int64 = new BigInt64Array(double.buffer);
const halves = new Int32Array(double.buffer);

/** Decodes what a `Writer` has encoded, possibly on another thread. */
export class Reader extends HeapUser {
  /** Makes a handle, see references.ts. */
  refer: ((kind: number, at: number) => unknown) | undefined;

  /** What it reads was written elsewhere: nothing in it may refer to this memory. */
  isForeign = false;

  /** The word to read next, and the one that must not be read any more. */
  private p = 0;
  private end = 0;

  // Property names met lately, by a hash of their bytes: to make a string and
  // to find the engine's own copy of it would take most of the time that it
  // takes to read a small object.
  private readonly names: string[] = new Array<string>(NAME_SLOTS).fill('');
  private readonly nameHeads = new Int32Array(NAME_SLOTS);
  private readonly nameWords = new Int32Array(NAME_SLOTS * NAME_WORDS);
  /** True if the name that was read last is one of Object.prototype's too. */
  private inherited = false;

  /**
   * Decodes a list of values, encoded by `Writer.write`.
   *
   * @param at - the offset in bytes that it was written to
   * @param length - the number of bytes that `write` returned
   * @returns the values, in a new array
   * @throws Error if this is not what a writer wrote
   */
  read(at: number, length: number): unknown[] {
    this.begin(at, length);
    const head = this.word();
    if ((head & 31) !== 11) throw corrupt('no list');
    const values = this.array(head >>> 5, 0);
    if (this.p !== this.end) throw corrupt('too long');
    return values;
  }

  /** Decodes one value, encoded by `Writer.writeOne`; else as {@link read}. */
  readOne(at: number, length: number): unknown {
    this.begin(at, length);
    const value = this.value(0);
    if (this.p !== this.end) throw corrupt('too long');
    return value;
  }

  private begin(at: number, length: number): void {
    this.p = at >>> 2;
    this.end = this.p + (length >>> 2);
    if (this.end <= this.i32.length) return;
    this.refresh();
    if (this.end > this.i32.length) throw corrupt('outside of the memory');
  }

  private word(): number {
    const p = this.p;
    if (p >= this.end) throw corrupt('cut off');
    this.p = p + 1;
    return this.i32[p] as number;
  }

  /** Steps over a number of words and returns where they begin. */
  private skip(words: number): number {
    const p = this.p;
    if (words > this.end - p) throw corrupt('cut off');
    this.p = p + words;
    return p;
  }

  private value(depth: number): unknown {
    const head = this.word();
    switch (head & 31) {
      case 1:
        return head >> 5;
      case 2:
        return this.word();
      case 3:
        return this.double();
      case 4:
        return this.ascii(head >>> 5);
      case 5:
        return this.latin1(head >>> 5);
      case 6:
        return this.utf16(head >>> 5);
      case 7:
        return undefined;
      case 8:
        return null;
      case 9:
        return false;
      case 10:
        return true;
      case 11:
        return this.array(head >>> 5, depth + 1);
      case 12:
        return this.record(head >>> 5, depth + 1);
      case 13:
        this.double();
        return int64[0];
      case 14:
        return this.bigint();
      case 15:
        return new Date(this.double());
      case 16:
        return this.buffered(2).buffer;
      case 17:
        return this.buffered(head >>> 5);
      case 18:
        if (this.isForeign) throw corrupt('a place in the memory of another page');
        return this.heapView(head >>> 5);
      case 19:
        return this.map(head >>> 5, depth + 1);
      case 20:
        return this.set(head >>> 5, depth + 1);
      case 21:
        if (this.isForeign) throw corrupt('a handle of another page');
        return this.handle(head >>> 5);
      default:
        throw corrupt('no such tag');
    }
  }

  private handle(kind: number): unknown {
    const at = this.word() >>> 0;
    if (!this.refer) throw corrupt('no handles here');
    return this.refer(kind, at);
  }

  private double(): number {
    const p = this.skip(2);
    halves[0] = this.i32[p] as number;
    halves[1] = this.i32[p + 1] as number;
    return double[0] as number;
  }

  private bigint(): bigint {
    const digits = this.text(this.word());
    try {
      const size = BigInt(`0x${digits.replace('-', '')}`);
      return digits[0] === '-' ? -size : size;
    } catch {
      throw corrupt('no bigint');
    }
  }

  private text(head: number): string {
    const length = head >>> 5;
    if ((head & 31) === 4) return this.ascii(length);
    if ((head & 31) === 5) return this.latin1(length);
    if ((head & 31) === 6) return this.utf16(length);
    throw corrupt('no text');
  }

  private ascii(length: number): string {
    return readAscii(this.u8, this.skip((length + 3) >>> 2) * 4, length);
  }

  private latin1(length: number): string {
    return readLatin1(this.u8, this.skip((length + 3) >>> 2) * 4, length);
  }

  private utf16(length: number): string {
    return readUtf16(this.i32, this.skip((length + 1) >>> 1), length);
  }

  private enter(count: number, depth: number): void {
    // Every value takes a word at least, so a wrong count is found out before
    // it makes anything large.
    if (count > this.end - this.p) throw corrupt('cut off');
    if (depth > MAX_DEPTH) throw corrupt('too deep');
  }

  private array(count: number, depth: number): unknown[] {
    this.enter(count, depth);
    const { i32, end } = this;
    const head = i32[this.p] as number;
    const array: unknown[] = (head & 31) === 3 ? this.doubles(count) : [];
    for (let i = array.length; i < count; i++) {
      // Small integers without a detour: arrays of them are common and long.
      const p = this.p;
      const head = i32[p] as number;
      if ((head & 31) === 1 && p < end) {
        this.p = p + 1;
        array.push(head >> 5);
      } else {
        array.push(this.value(depth));
      }
    }
    return array;
  }

  /** The doubles that an array begins with, in one that holds them unboxed. */
  private doubles(count: number): number[] {
    const { i32, end } = this;
    const array: number[] = [];
    let p = this.p;
    while (p + 2 < end && i32[p] === 3 && array.length < count) {
      halves[0] = i32[p + 1] as number;
      halves[1] = i32[p + 2] as number;
      array.push(double[0] as number);
      p += 3;
    }
    this.p = p;
    return array;
  }

  private record(count: number, depth: number): Record<string, unknown> {
    this.enter(count, depth);
    const object: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const name = this.name();
      if (this.inherited) {
        this.inherited = false;
        define(object, name, this.value(depth));
      } else {
        object[name] = this.value(depth);
      }
    }
    return object;
  }

  private map(count: number, depth: number): Map<unknown, unknown> {
    this.enter(count, depth);
    const map = new Map<unknown, unknown>();
    for (let i = 0; i < count; i++) {
      const key = this.value(depth);
      map.set(key, this.value(depth));
    }
    return map;
  }

  private set(count: number, depth: number): Set<unknown> {
    this.enter(count, depth);
    const set = new Set<unknown>();
    for (let i = 0; i < count; i++) set.add(this.value(depth));
    return set;
  }

  private name(): string {
    const head = this.word();
    const length = head >>> 5;
    if ((head & 31) === 4 && length !== 0 && length <= NAME_WORDS * 4) {
      return this.knownName(head, length);
    }
    const name = this.text(head);
    this.inherited = name in objectPrototype;
    return name;
  }

  private knownName(head: number, length: number): string {
    const i32 = this.i32;
    const words = (length + 3) >>> 2;
    const p = this.skip(words);
    const first = i32[p] as number;
    const last = i32[p + words - 1] as number;
    const hash = Math.imul(first, 0x2c1b3c6d) ^ last ^ head;
    const slot = Math.imul(hash, 0x297a2d39) >>> 24;
    const nameWords = this.nameWords;
    const at = slot * NAME_WORDS;
    if (this.nameHeads[slot] === head && nameWords[at] === first) {
      let i = 1;
      while (i < words && nameWords[at + i] === i32[p + i]) i++;
      if (i === words) return this.names[slot] as string;
    }
    const name = readAscii(this.u8, p * 4, length);
    if (name in objectPrototype) {
      this.inherited = true;
      return name;
    }
    this.nameHeads[slot] = head;
    for (let i = 0; i < words; i++) nameWords[at + i] = i32[p + i] as number;
    // The engine's own copy, which it finds properties by without a look-up.
    return (this.names[slot] = Object.keys({ [name]: 0 })[0] as string);
  }

  /** A view of a new buffer with a copy of the bytes that come next. */
  private buffered(kind: number): View {
    const Constructor = viewConstructor(kind);
    const size = this.word() >>> 0;
    this.skip(this.p & 1);
    const at = this.skip((size + 3) >>> 2) * 4;
    const count = size / (viewElementSizes[kind] as number);
    if (!Number.isInteger(count)) throw corrupt('half an element');
    const view = new Constructor(this.buffer, at, count);
    // A typed array copies itself without making its buffer an object of its
    // own, which is the greater part of making a small one.
    if (view.slice !== undefined) return view.slice();
    return new Constructor(this.u8.slice(at, at + size).buffer);
  }

  private heapView(kind: number): View {
    const Constructor = viewConstructor(kind);
    const at = this.word() >>> 0;
    const length = this.word() >>> 0;
    const size = viewElementSizes[kind] as number;
    // Others may compare the buffer, so it should be the present one.
    this.refresh();
    if (at % size !== 0 || at + length * size > this.buffer.byteLength) {
      throw corrupt('no such part of the memory');
    }
    return new Constructor(this.buffer, at, length);
  }
}

function viewConstructor(kind: number): ViewConstructor {
  const constructor = viewConstructors[kind];
  if (constructor === undefined) throw corrupt('no such view');
  return constructor;
}

/**
 * Sets a property that Object.prototype has, too. To assign it could call a
 * setter, `__proto__` above all, or be forbidden because that one is frozen.
 */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function corrupt(what: string): Error {
  return new Error(`coworker: internal error: bad message (${what})`);
}
