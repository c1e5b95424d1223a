/**
 * How a realm reads values from the core, and writes what it hands over.
 *
 * @module
 */
import { DECLINED, DOES_NOT_FIT, Reader, Writer } from './codec.js';
import { StartError } from './errors.js';
import type { Memory } from './memory.js';
import type { CoreModule, Pointer } from './module.js';
import { Tokens } from './tokens.js';

/** A realm with the core's scratch buffer. */
export abstract class Scratch extends Tokens {
  module!: CoreModule;
  memory!: Memory;
  reader!: Reader;
  /** What the values that were encoded last refer to. */
  readonly references: number[] = [];

  private writer!: Writer;
  private scratch: Pointer = 0;
  private scratchBytes = 0;

  /** Once module and memory are there. */
  protected openScratch(): void {
    const heap = () => this.memory.refresh();
    this.reader = new Reader(heap);
    this.writer = new Writer(heap);
    this.writer.owner = this;
    if (!this.growScratch(0)) {
      throw new StartError('out-of-memory', 'coworker: no shared memory left; raise `memory`');
    }
  }

  /** Room in the scratch buffer for at least so many bytes. */
  private growScratch(bytes: number): boolean {
    const size = Math.max(bytes, 16 * 1024);
    const at = this.module._cwb_scratch(size);
    if (at === 0) return false;
    this.scratch = at;
    this.scratchBytes = size;
    return true;
  }

  /**
   * Encodes an argument list into the scratch buffer. What it refers to is in
   * {@link references}.
   * @returns the number of bytes, or -1 if it takes structured clone
   */
  encodeList(values: readonly unknown[]): number {
    const { references, writer } = this;
    let length = writer.write(values, this.scratch, this.scratchBytes, references);
    if (length === DOES_NOT_FIT) {
      if (!this.growScratch(writer.needed)) return -1;
      length = writer.write(values, this.scratch, this.scratchBytes, references);
    }
    return length === DECLINED ? -1 : length;
  }

  /**
   * The same for a single value; `offset` bytes before it are left alone. Without
   * `references` it must not refer to anything.
   */
  encodeOne(value: unknown, offset = 0, references?: number[]): number {
    for (;;) {
      const { scratch, scratchBytes, writer } = this;
      const length = writer.writeOne(value, scratch + offset, scratchBytes - offset, references);
      if (length === DECLINED) return -1;
      if (length !== DOES_NOT_FIT) return length;
      if (!this.growScratch(offset + writer.needed)) return -1;
    }
  }

  /** Puts raw bytes into the scratch buffer, where a zero behind them has room, too. */
  writeBytes(bytes: Uint8Array): void {
    const room = bytes.length + 1;
    if (room > this.scratchBytes && !this.growScratch(room)) {
      throw new RangeError('coworker: out of shared memory; raise the `memory` option');
    }
    this.memory.refresh().u8.set(bytes, this.scratch);
  }

  /** The same with bytes that are elsewhere in memory. */
  writeFrom(at: Pointer, length: number): void {
    if (length >= this.scratchBytes && !this.growScratch(length + 1)) {
      throw new RangeError('coworker: out of shared memory; raise the `memory` option');
    }
    this.memory.refresh().u8.copyWithin(this.scratch, at, at + length);
  }

  /** The same with `length` bytes, a multiple of 4, that begin at a word of `from`. */
  writeWords(from: Int32Array, at: number, length: number): void {
    if (length >= this.scratchBytes) {
      this.writeBytes(new Uint8Array(from.buffer, from.byteOffset + at * 4, length));
      return;
    }
    const { i32 } = this.memory.refresh();
    const end = at + (length >>> 2);
    for (let to = this.scratch >>> 2; at < end; at++) i32[to++] = from[at]!;
  }

  /** Where the scratch buffer is, for reading what a call left there: it may have grown. */
  get scratchAt(): Pointer {
    return (this.scratch = this.module._cwb_scratch(0));
  }

  /** Puts an address at the beginning of the scratch buffer. */
  writePointer(at: Pointer): void {
    this.memory.refresh().u32[this.scratch >>> 2] = at;
  }
}
