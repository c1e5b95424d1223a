// Runs tiles on workers: what a tile is as a job, and the memory it is drawn in.

import { openPool } from './pool.js';

/** Bytes of memory for the pixels of tiles that are under way. */
const PIXEL_BYTES = 20 * 1024 * 1024;
/** As in mandelbrot.c: from blocks of 8 pixels down to 1. */
export const PASSES = 4;
/** sizeof(place) and sizeof(tile) in mandelbrot.c. */
const PLACE_BYTES = 32;
const TILE_BYTES = 48;
/** PICTURE_SIZE there. */
const PICTURE_SIZE = 128;
/** Pictures that are on their way, or wait for it. */
const PICTURES = 64;
/** Lines of a tile for which coroutines keep the page from everything else. */
const LINES_PER_TURN = 2;

/**
 * Opens a context of so many workers, for tiles of about `size` pixels squared.
 *
 * @returns {Promise<TilePool>}
 */
export async function openTilePool(workers, size) {
  const context = await openPool(workers, 'mandelbrot');
  return context.tier === 'isolated' ? new PicturePool(context) : new MemoryPool(context, size);
}

/** What both kinds have in common: tiles have a slot each while they are under way. */
class TilePool {
  constructor(context, size, slots) {
    this.context = context;
    this.size = size;
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
  start(place, onEnd) {
    const slot = this.free.pop();
    const job = this.launch(place, slot);
    const end = (isDone) => {
      onEnd(slot, isDone);
      this.free.push(slot);
    };
    job.then(
      (result) => {
        this.counts[this.workerOf(result, slot)]++;
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

  /** A place as C wants it, with room for more. */
  bytesOf({ left, top, step, limit }, length) {
    const bytes = new DataView(new ArrayBuffer(length));
    bytes.setFloat64(0, left, true);
    bytes.setFloat64(8, top, true);
    bytes.setFloat64(16, step, true);
    bytes.setUint32(24, this.size, true);
    bytes.setUint32(28, limit, true);
    return bytes;
  }

  async close() {
    await this.context.close({ cancel: true });
  }
}

/** Tiles in memory that this page sees: it shows each pass as it comes. */
class MemoryPool extends TilePool {
  constructor(context, size) {
    const bytes = size * size * 4;
    const slots = Math.min(320, Math.floor(PIXEL_BYTES / bytes));
    super(context, size, slots);
    this.bytes = bytes;
    this.lines = context.tier === 'inline' ? LINES_PER_TURN : size;
    this.pixels = context.allocate(Uint8ClampedArray, slots * bytes);
    this.passes = context.allocate(Uint32Array, slots);
  }

  launch(place, slot) {
    this.passes[slot] = 0;
    const bytes = this.bytesOf(place, TILE_BYTES);
    bytes.setUint32(32, this.pixels.byteOffset + slot * this.bytes, true);
    bytes.setUint32(36, this.passes.byteOffset + slot * 4, true);
    bytes.setUint32(40, this.lines, true);
    return this.context.async('mandelbrot_tile', bytes.buffer);
  }

  workerOf(worker) {
    return worker;
  }

  /** The number of finished passes of a slot. */
  passesOf(slot) {
    return Atomics.load(this.passes, slot);
  }

  pixelsOf(slot) {
    return this.pixels.subarray(slot * this.bytes, (slot + 1) * this.bytes);
  }

  async close() {
    await super.close();
    for (const array of [this.pixels, this.passes]) this.context.free(array);
  }
}

/** Tiles that come as messages, whole. */
class PicturePool extends TilePool {
  pictures = [];

  constructor(context) {
    super(context, PICTURE_SIZE, PICTURES);
  }

  launch(place) {
    return this.context.async('mandelbrot_picture', this.bytesOf(place, PLACE_BYTES).buffer);
  }

  /** Behind the pixels stands who has computed them. */
  workerOf({ buffer }, slot) {
    const length = this.size * this.size * 4;
    this.pictures[slot] = new Uint8ClampedArray(buffer, 0, length);
    return new DataView(buffer).getInt32(length, true);
  }

  passesOf() {
    return 0;
  }

  pixelsOf(slot) {
    return this.pictures[slot];
  }
}
