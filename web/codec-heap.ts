/** The memory to encode into and decode from, with views of all of it. */
export interface Heap {
  /** The memory's bytes. */
  readonly u8: Uint8Array;
  /** The memory as signed words. */
  readonly i32: Int32Array;
  /** The buffer that both are views of. */
  readonly buffer: ArrayBufferLike;
}

/** What both ends of the codec are made of: the memory that they work on. */
export class HeapUser {
  // Private by TypeScript only: `#fields` cost a check at each access until
  // the engine has optimized the code.
  protected u8: Uint8Array;
  protected i32: Int32Array;
  protected buffer: ArrayBufferLike;
  private readonly heap: () => Heap;

  /**
   * @param heap - returns views of the whole memory as it is. It is called when
   * something lies outside of the views in use: memory never shrinks, and what
   * is shared stays where it is when it grows, so older views stay good.
   */
  constructor(heap: () => Heap) {
    this.heap = heap;
    const { u8, i32, buffer } = heap();
    this.u8 = u8;
    this.i32 = i32;
    this.buffer = buffer;
  }

  /** Takes up the memory's present views. */
  protected refresh(): void {
    const { u8, i32, buffer } = this.heap();
    this.u8 = u8;
    this.i32 = i32;
    this.buffer = buffer;
  }
}

/** False for the kinds of buffers that came later than ES2022. */
export function isFixed(buffer: ArrayBufferLike): boolean {
  const { resizable, growable, immutable } = buffer as {
    resizable?: boolean;
    growable?: boolean;
    immutable?: boolean;
  };
  return resizable !== true && growable !== true && immutable !== true;
}
