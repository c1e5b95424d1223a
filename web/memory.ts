/**
 * Views over the shared memory, and the strings in it.
 *
 * @module
 */
import type { Heap } from './codec.js';
import type { Pointer } from './module.js';

const encoder = new TextEncoder();

/**
 * The memory of one runtime. Growing it does not move what is in it, but older
 * views end where the memory ended then, or, if it is not shared, have nothing in
 * them any more: {@link refresh} makes new ones.
 */
export class Memory implements Heap {
  readonly memory: WebAssembly.Memory;
  buffer!: ArrayBufferLike;
  u8!: Uint8Array;
  i32!: Int32Array;
  u32!: Uint32Array;
  f64!: Float64Array;
  u64!: BigUint64Array;
  /** It is not shared. */
  private isOwn = false;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.refresh();
    this.isOwn = this.buffer instanceof ArrayBuffer;
  }

  /** Makes views of the memory as it is now, if it has grown. */
  refresh(): this {
    // To ask the memory for its buffer takes longer than what it is asked for here.
    if (this.isOwn && this.u8.length > 0) return this;
    const buffer = this.memory.buffer as ArrayBufferLike;
    if (buffer !== this.buffer) {
      this.buffer = buffer;
      this.u8 = new Uint8Array(buffer);
      this.i32 = new Int32Array(buffer);
      this.u32 = new Uint32Array(buffer);
      this.f64 = new Float64Array(buffer);
      this.u64 = new BigUint64Array(buffer);
    }
    return this;
  }

  /** The word at an address. */
  word(at: Pointer): number {
    return this.u32[at >>> 2] ?? this.refresh().u32[at >>> 2]!;
  }

  /** A string that ends with a zero byte. */
  text(at: Pointer): string {
    if (at === 0) return '';
    return this.textOf(at, this.refresh().u8.indexOf(0, at) - at);
  }

  /** A string of so many bytes. */
  textOf(at: Pointer, length: number): string {
    // Decoders refuse shared memory: `slice` makes a private copy.
    return new TextDecoder().decode(this.refresh().u8.slice(at, at + length));
  }

  /** Writes a string as UTF-8, without a final zero; returns its bytes. */
  static encode(text: string): Uint8Array {
    return encoder.encode(text);
  }
}
