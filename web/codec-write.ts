import { MAX_DEPTH, viewElementSizes, viewPrototypes } from './codec-format.js';
import { HeapUser, isFixed } from './codec-heap.js';
import { writeText } from './codec-text.js';
import { refer, type Referable } from './references.js';

/** What {@link Writer.write} returns if the values take more room. */
export const DOES_NOT_FIT = -1;
/** What {@link Writer.write} returns if only structured clone will do. */
export const DECLINED = -2;

// The largest length or count that a tag word can hold.
const MAX_COUNT = 0x7ffffff;
// The first few objects are compared one by one, more go into a Set.
const LINEAR = 16;
// From this length on Object.values() is faster than Object.keys().
const VALUES_MIN = 5;

const objectPrototype: unknown = Object.prototype;
const arrayPrototype: unknown = Array.prototype;
const mapPrototype: unknown = Map.prototype;
const setPrototype: unknown = Set.prototype;
const datePrototype: unknown = Date.prototype;
const bufferPrototype: unknown = ArrayBuffer.prototype;

// Doubles and 64-bit integers are taken apart into two words through these.
const double = new Float64Array(1);
const int64 = new BigInt64Array(double.buffer);
const halves = new Int32Array(double.buffer);

/**
 * Encodes values into shared memory if they can be delivered there exactly as
 * structured clone would deliver them, and else tells so.
 *
 * Like structured clone it reads properties by calling their accessors. They
 * are called again if the values did not fit or were declined and the caller
 * sends them in another way. A proxy cannot be told from its target, so it is
 * carried as what it shows, where structured clone refuses it.
 */
export class Writer extends HeapUser {
  /** After {@link DOES_NOT_FIT}: the number of bytes that would do. */
  needed = 0;

  /** Whose handles it writes. */
  owner: unknown;

  /** What the values refer to: pairs of a kind and an address. */
  private references: number[] | undefined;
  /** Buffers of the same memory from before it grew: views of them go too. */
  private readonly outgrown = new WeakSet<ArrayBufferLike>();
  /** The word that must not be written any more. */
  private end = 0;
  /** True while values are walked: an accessor may come back here. */
  private busy = false;
  /** The objects met so far. That two are one cannot be told to the reader. */
  private readonly met: unknown[] = new Array<unknown>(LINEAR).fill(null);
  private metCount = 0;
  private metMore: Set<unknown> | null = null;

  /**
   * Encodes a list of values, to be read with `Reader.read`. Never throws.
   *
   * @param values - the values; the list itself counts as no object
   * @param at - the offset in bytes to write to, a multiple of 8
   * @param capacity - how many bytes may be written there
   * @returns the number of bytes written, a multiple of 4; or
   * {@link DOES_NOT_FIT}, and the size is in {@link needed}; or
   * {@link DECLINED}. The memory's content is undefined after the last two.
   * @param references - is filled with what handles among the values refer to.
   * If there are any, the list stands behind the values. Without it handles are
   * declined
   */
  write(values: readonly unknown[], at: number, capacity: number, references?: number[]): number {
    const count = values.length;
    if (this.busy || count > MAX_COUNT) return DECLINED;
    const start = this.begin(at, capacity, references);
    let p: number;
    try {
      p = this.word((count << 5) | 11, start);
      for (let i = 0; i < count && p >= 0; i++) p = this.put(values[i], p, 0);
      p = this.putList(p);
    } catch {
      p = DECLINED;
    }
    return this.finish(start, p);
  }

  /**
   * Encodes one value, to be read with `Reader.readOne`; in all else the same
   * as {@link write}.
   */
  writeOne(value: unknown, at: number, capacity: number, references?: number[]): number {
    if (this.busy) return DECLINED;
    const start = this.begin(at, capacity, references);
    let p: number;
    try {
      p = this.putList(this.put(value, start, 0));
    } catch {
      // An accessor or a proxy threw, or a buffer is detached. Structured
      // clone meets the same and throws what there is to throw.
      p = DECLINED;
    }
    return this.finish(start, p);
  }

  protected override refresh(): void {
    const { buffer } = this;
    super.refresh();
    // One that is not shared is detached when the memory grows.
    if (buffer !== this.buffer && !(buffer instanceof ArrayBuffer)) this.outgrown.add(buffer);
  }

  private begin(at: number, capacity: number, references: number[] | undefined): number {
    this.references = references;
    // Setting it takes V8 20 ns even if it stays the same.
    if (references && references.length > 0) references.length = 0;
    const start = at >>> 2;
    this.end = start + (capacity >>> 2);
    if (this.end > this.i32.length) {
      this.refresh();
      this.end = Math.min(this.end, this.i32.length);
    }
    this.busy = true;
    return start;
  }

  private finish(start: number, p: number): number {
    const count = this.metCount;
    for (let i = 0; i < count && i < LINEAR; i++) this.met[i] = null;
    this.metCount = 0;
    this.metMore = null;
    this.busy = false;
    // If memory that is not shared was grown by an accessor, the views that
    // the values went into are detached.
    if (p < 0 || this.i32.length < this.end) return DECLINED;
    const bytes = (p - start) * 4;
    if (p <= this.end) return bytes;
    this.needed = bytes;
    return DOES_NOT_FIT;
  }

  // All that follow write at word `p` and return the word after what they
  // wrote, or DECLINED. Past the end they only count, so that one walk is
  // enough to learn how much room the values take.

  /** The list that wasm/values.h describes. */
  private putList(p: number): number {
    const list = this.references;
    if (p < 0 || !list?.length) return p;
    for (const word of list) p = this.word(word, p);
    return this.word(list.length >> 1, p);
  }

  private word(word: number, p: number): number {
    if (p < this.end) this.i32[p] = word;
    return p + 1;
  }

  private put(value: unknown, p: number, depth: number): number {
    if (typeof value === 'number') {
      const int = value | 0;
      if (int === value && (int !== 0 || 1 / value > 0)) {
        if ((int << 5) >> 5 === int) return this.word((int << 5) | 1, p);
        if (p + 1 < this.end) {
          this.i32[p] = 2;
          this.i32[p + 1] = int;
        }
        return p + 2;
      }
      return this.putDouble(value, 3, p);
    }
    if (typeof value === 'string') {
      if (value.length > MAX_COUNT) return DECLINED;
      return writeText(value, p, this.end, this.i32, this.u8);
    }
    if (typeof value === 'object') {
      if (value === null) return this.word(8, p);
      return this.putObject(value, p, depth);
    }
    if (value === undefined) return this.word(7, p);
    if (value === false) return this.word(9, p);
    if (value === true) return this.word(10, p);
    if (typeof value === 'bigint') return this.putBigInt(value, p);
    return DECLINED;
  }

  private putDouble(value: number, tag: number, p: number): number {
    if (p + 2 < this.end) {
      double[0] = value;
      this.i32[p] = tag;
      this.i32[p + 1] = halves[0] as number;
      this.i32[p + 2] = halves[1] as number;
    }
    return p + 3;
  }

  private putBigInt(value: bigint, p: number): number {
    if (BigInt.asIntN(64, value) === value) {
      if (p + 2 < this.end) {
        int64[0] = value;
        this.i32[p] = 13;
        this.i32[p + 1] = halves[0] as number;
        this.i32[p + 2] = halves[1] as number;
      }
      return p + 3;
    }
    // Hex text, since it takes time in proportion to the size only.
    return this.put(value.toString(16), this.word(14, p), 0);
  }

  /** Notes an object; true if it was met before. */
  private meet(object: unknown): boolean {
    const met = this.met;
    const count = this.metCount;
    if (count < LINEAR) {
      for (let i = 0; i < count; i++) if (met[i] === object) return true;
      met[count] = object;
      this.metCount = count + 1;
      return false;
    }
    const more = (this.metMore ??= new Set(met));
    const size = more.size;
    return more.add(object).size === size;
  }

  private putObject(value: object, p: number, depth: number): number {
    if (depth >= MAX_DEPTH || this.meet(value)) return DECLINED;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === objectPrototype || prototype === null) {
      return this.putRecord(value as Record<string, unknown>, p, depth + 1);
    }
    if (prototype === arrayPrototype) {
      if (!Array.isArray(value)) return DECLINED;
      return this.putArray(value, p, depth + 1);
    }
    if (ArrayBuffer.isView(value)) return this.putView(value, prototype, p);
    if (prototype === bufferPrototype) {
      return this.putBytes(value as ArrayBuffer, 16, p);
    }
    // What only looks like a Date, a Map or a Set makes these calls throw.
    if (prototype === datePrototype) {
      return this.putDouble(Date.prototype.getTime.call(value), 15, p);
    }
    if (prototype === mapPrototype) {
      return this.putMap(value as Map<unknown, unknown>, p, depth + 1);
    }
    if (prototype === setPrototype) {
      return this.putSet(value as Set<unknown>, p, depth + 1);
    }
    const list = this.references;
    const reference = list && (value as Referable)[refer]?.(this.owner);
    if (!reference) return DECLINED;
    const { kind, at } = reference;
    list.push(kind, at);
    return this.word(at, this.word((kind << 5) | 21, p));
  }

  private putRecord(value: Record<string, unknown>, head: number, depth: number): number {
    // Not an `arguments` object and the like, which structured clone refuses.
    if (Object.prototype.toString.call(value) !== '[object Object]') return DECLINED;
    let p = head + 1;
    let count = 0;
    for (const key in value) {
      if (!Object.prototype.hasOwnProperty.call(value, key)) continue;
      if (key.length > MAX_COUNT) return DECLINED;
      p = writeText(key, p, this.end, this.i32, this.u8);
      p = this.put(value[key], p, depth);
      if (p < 0) return p;
      count++;
    }
    this.word((count << 5) | 12, head);
    return p;
  }

  private putArray(value: unknown[], head: number, depth: number): number {
    const length = value.length;
    if (length > MAX_COUNT) return DECLINED;
    // There is no cheaper way to see that it has no other properties.
    const own = length < VALUES_MIN ? Object.keys(value) : Object.values(value);
    if (own.length !== length) return DECLINED;
    let p = this.word((length << 5) | 11, head);
    for (let i = 0; i < length; i++) {
      const item = value[i];
      if (item === undefined && !Object.prototype.hasOwnProperty.call(value, i)) return DECLINED;
      p = this.put(item, p, depth);
      if (p < 0) return p;
    }
    return p;
  }

  private putMap(value: Map<unknown, unknown>, head: number, depth: number): number {
    let p = head + 1;
    let count = 0;
    for (const [key, item] of value) {
      p = this.put(key, p, depth);
      if (p >= 0) p = this.put(item, p, depth);
      if (p < 0) return p;
      count++;
    }
    this.word((count << 5) | 19, head);
    return p;
  }

  private putSet(value: Set<unknown>, head: number, depth: number): number {
    let p = head + 1;
    let count = 0;
    for (const item of value) {
      p = this.put(item, p, depth);
      if (p < 0) return p;
      count++;
    }
    this.word((count << 5) | 20, head);
    return p;
  }

  private putView(view: ArrayBufferView, prototype: unknown, p: number): number {
    const kind = viewPrototypes.indexOf(prototype);
    if (kind < 0) return DECLINED;
    const buffer = view.buffer;
    const shared = !(buffer instanceof ArrayBuffer);
    if (shared && !this.isHeap(buffer)) this.refresh();
    if (this.isHeap(buffer)) {
      // Among views of a growable buffer some grow with it.
      if (!isFixed(buffer)) return DECLINED;
      if (p + 2 < this.end) {
        const size = viewElementSizes[kind] as number;
        this.i32[p] = (kind << 5) | 18;
        this.i32[p + 1] = view.byteOffset;
        this.i32[p + 2] = view.byteLength / size;
      }
      return p + 3;
    }
    // Structured clone would copy the whole buffer behind the view, once for
    // all its views; and would share a SharedArrayBuffer.
    if (shared || this.meet(buffer)) return DECLINED;
    if (view.byteLength !== buffer.byteLength) return DECLINED;
    return this.putBytes(buffer, (kind << 5) | 17, p);
  }

  private isHeap(buffer: ArrayBufferLike): boolean {
    return buffer === this.buffer || this.outgrown.has(buffer);
  }

  private putBytes(buffer: ArrayBuffer, head: number, p: number): number {
    // Throws for a detached buffer, which is not the same as an empty one.
    const bytes = new Uint8Array(buffer);
    if (!isFixed(buffer)) return DECLINED;
    const size = bytes.length;
    const start = p + 2 + (p & 1);
    const next = start + ((size + 3) >>> 2);
    if (next <= this.end) {
      this.i32[p] = head;
      this.i32[p + 1] = size;
      this.u8.set(bytes, start * 4);
    }
    return next;
  }
}
