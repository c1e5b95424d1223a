// Runs tiles on workers: what a tile is as a job, and the memory it is drawn in.

import { openPool } from './pool.js';

/** Bytes of shared memory for the pixels of tiles that are under way. */
const PIXEL_BYTES = 20 * 1024 * 1024;
/** As in mandelbrot.c: from blocks of 8 pixels down to 1. */
export const PASSES = 4;
/** sizeof(tile) in mandelbrot.c. */
const TILE_BYTES = 48;
const COLOURS = 1024;

/** The palette is a cycle through these, as [red, green, blue]. */
const STOPS = [
  [12, 16, 58],
  [32, 78, 168],
  [92, 178, 214],
  [238, 244, 226],
  [250, 190, 92],
  [206, 84, 68],
  [86, 26, 78],
];

export class TilePool {
  /** Opens a context of so many workers, for tiles of `size` pixels squared. */
  static async open(workers, size) {
    return new TilePool(await openPool(workers, 'mandelbrot'), size);
  }

  constructor(context, size) {
    this.context = context;
    this.size = size;
    this.bytes = size * size * 4;
    const slots = Math.min(320, Math.floor(PIXEL_BYTES / this.bytes));
    this.pixels = context.allocate(Uint8ClampedArray, slots * this.bytes);
    this.passes = context.allocate(Uint32Array, slots);
    this.palette = context.allocate(Uint32Array, COLOURS);
    fillPalette(this.palette);
    this.free = Array.from({ length: slots }, (_, slot) => slot);
    /** How many tiles each worker has finished. */
    this.counts = new Array(context.workers).fill(0);
    this.cancelled = 0;
    this.total = 0;
  }

  get isFull() {
    return this.free.length === 0;
  }

  /**
   * Starts a tile.
   *
   * @param {{ left: number, top: number, step: number, limit: number }} place
   * @param {(slot: number, isDone: boolean) => void} onEnd is called when the
   *   job is over, also if it was cancelled; the slot is free afterwards
   * @returns {{ slot: number, cancel: () => void }}
   */
  start({ left, top, step, limit }, onEnd) {
    const slot = this.free.pop();
    this.passes[slot] = 0;
    const bytes = new DataView(new ArrayBuffer(TILE_BYTES));
    bytes.setFloat64(0, left, true);
    bytes.setFloat64(8, top, true);
    bytes.setFloat64(16, step, true);
    bytes.setUint32(24, this.pixels.byteOffset + slot * this.bytes, true);
    bytes.setUint32(28, this.palette.byteOffset, true);
    bytes.setUint32(32, this.passes.byteOffset + slot * 4, true);
    bytes.setUint32(36, this.size, true);
    bytes.setUint32(40, limit, true);
    bytes.setUint32(44, COLOURS, true);
    const job = this.context.async('mandelbrot_tile', bytes.buffer);
    const end = (isDone) => {
      onEnd(slot, isDone);
      this.free.push(slot);
    };
    job.then(
      (worker) => {
        this.counts[worker]++;
        this.total++;
        end(true);
      },
      () => {
        this.cancelled++;
        end(false);
      },
    );
    return { slot, cancel: () => job.cancel() };
  }

  /** The number of finished passes of a slot. */
  passesOf(slot) {
    return Atomics.load(this.passes, slot);
  }

  /** A slot's pixels, in shared memory. */
  pixelsOf(slot) {
    return this.pixels.subarray(slot * this.bytes, (slot + 1) * this.bytes);
  }

  async close() {
    await this.context.close({ cancel: true });
    for (const array of [this.pixels, this.passes, this.palette]) this.context.free(array);
  }
}

function fillPalette(palette) {
  for (let i = 0; i < COLOURS; i++) {
    const at = (i / COLOURS) * STOPS.length;
    const from = STOPS[Math.floor(at)];
    const to = STOPS[(Math.floor(at) + 1) % STOPS.length];
    const part = at % 1;
    const ease = part * part * (3 - 2 * part);
    const [r, g, b] = from.map((value, channel) =>
      Math.round(value + (to[channel] - value) * ease),
    );
    palette[i] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
}
