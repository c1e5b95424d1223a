// Which tiles a view needs, which of them are under way, and drawing them.
//
// A view's pixel is 2 ** -zoom wide. Tiles come in levels of half a power of
// two, and are drawn a little smaller than they are, never larger.

import { PASSES } from './mandelbrot-pool.js';

/** Milliseconds per frame for copying pixels. */
const COPY_BUDGET = 5;
const MOST_TILES = 900;
/** Levels that stand in for tiles that are not there yet. */
const COARSER = 12;
const FINER = 4;

const levelOf = (zoom) => Math.ceil(zoom * 2 - 1e-6);
const stepOf = (level) => 2 ** (-level / 2);

/** More iterations the deeper the view is. */
const limitOf = (level) => Math.round(220 + 70 * Math.max(0, level / 2 - 7));

export class Tiles {
  /** All tiles that there are, by level and place; the oldest first. */
  tiles = new Map();
  /** The keys of those that the view needs, the most urgent first. */
  needed = [];
  level = 0;
  /** Called when all that is needed is there. */
  onComplete = () => {};

  /** Goes on with other workers; everything is computed again. */
  usePool(pool) {
    this.pool = pool;
    this.size = pool.size;
    this.tiles.clear();
    this.image = new ImageData(this.size, this.size);
  }

  /** Cancels what a view does not need any more, and starts what it does. */
  aim(view) {
    const before = this.needed.join();
    this.level = levelOf(view.zoom);
    this.needed = this.keysFor(view);
    if (this.needed.join() === before) return false;
    const wanted = new Set(this.needed);
    for (const [key, tile] of this.tiles) {
      if (tile.job && !wanted.has(key)) tile.job.cancel();
    }
    this.fill();
    return true;
  }

  /** The tiles of a view, from its centre outwards. */
  keysFor({ x, y, zoom, width, height }) {
    const side = this.size * stepOf(this.level);
    const [halfX, halfY] = [width / 2, height / 2].map((pixels) => pixels * 2 ** -zoom);
    const found = [];
    for (let j = Math.floor((y - halfY) / side); j * side < y + halfY; j++) {
      for (let i = Math.floor((x - halfX) / side); i * side < x + halfX; i++) {
        const far = Math.hypot((i + 0.5) * side - x, (j + 0.5) * side - y);
        found.push([far, `${this.level}/${i}/${j}`]);
      }
    }
    return found.sort((a, b) => a[0] - b[0]).map(([, key]) => key);
  }

  /** Starts tiles as long as there is room for their pixels. */
  fill() {
    if (!this.pool) return;
    for (const key of this.needed) {
      if (this.pool.isFull) return;
      const tile = this.tiles.get(key) ?? this.makeTile(key);
      if (!tile.job && tile.passes < PASSES) this.startTile(tile);
    }
  }

  makeTile(key) {
    const [level, i, j] = key.split('/').map(Number);
    const step = stepOf(level);
    const side = step * this.size;
    const canvas = document.createElement('canvas');
    canvas.width = this.size;
    canvas.height = this.size;
    const tile = { key, level, step, side, left: i * side, top: j * side, passes: 0, canvas };
    this.tiles.set(key, tile);
    if (this.tiles.size > MOST_TILES) this.forgetOld();
    return tile;
  }

  forgetOld() {
    const wanted = new Set(this.needed);
    for (const [key, tile] of this.tiles) {
      if (this.tiles.size <= MOST_TILES * 0.8) return;
      if (!tile.job && !wanted.has(key)) this.tiles.delete(key);
    }
  }

  startTile(tile) {
    const { pool } = this;
    tile.job = pool.start({ ...tile, limit: limitOf(tile.level) }, (slot, isDone) => {
      if (pool !== this.pool) return;
      if (isDone) this.copy(tile, slot, PASSES);
      tile.job = undefined;
      this.hasNews = true;
      this.fill();
      if (this.isComplete) this.onComplete();
    });
  }

  get missing() {
    return this.needed.filter((key) => !(this.tiles.get(key)?.passes === PASSES)).length;
  }

  get isComplete() {
    return this.missing === 0;
  }

  // ---- drawing

  /** Takes over the pixels that workers have written since the last frame. */
  collect() {
    const end = performance.now() + COPY_BUDGET;
    for (const tile of this.tiles.values()) {
      if (!tile.job) continue;
      const passes = this.pool.passesOf(tile.job.slot);
      if (passes > tile.passes) this.copy(tile, tile.job.slot, passes);
      if (performance.now() > end) break;
    }
    const { hasNews } = this;
    this.hasNews = false;
    return hasNews;
  }

  /** ImageData takes no shared memory, so the pixels are copied once. */
  copy(tile, slot, passes) {
    if (passes <= tile.passes) return;
    tile.passes = passes;
    this.image.data.set(this.pool.pixelsOf(slot));
    tile.canvas.getContext('2d').putImageData(this.image, 0, 0);
    this.hasNews = true;
  }

  /** Draws what there is for a view: the coarse below, the fine above. */
  draw(context, view) {
    const { width, height } = view;
    const scale = 2 ** view.zoom;
    // Rounded, since edges between pixels would leave gaps between tiles.
    const place = ({ left, top, side }) => {
      const x = Math.round((left - view.x) * scale + width / 2);
      const y = Math.round((top - view.y) * scale + height / 2);
      const right = Math.round((left + side - view.x) * scale + width / 2);
      const bottom = Math.round((top + side - view.y) * scale + height / 2);
      return { x, y, right, bottom };
    };
    context.fillStyle = '#10111a';
    context.fillRect(0, 0, width, height);
    const isSettled = view.zoom === view.aim;
    const holes = isSettled
      ? this.incomplete().map(place)
      : [{ x: 0, y: 0, right: width, bottom: height }];
    for (const tile of this.drawable(holes.length === 0)) {
      const box = place(tile);
      const { x, y, right, bottom } = box;
      if (right <= 0 || bottom <= 0 || x >= width || y >= height || right <= x) continue;
      const isExact = tile.level === this.level && tile.passes === PASSES;
      if (!isExact && !holes.some((hole) => overlap(hole, box))) continue;
      context.drawImage(tile.canvas, x, y, right - x, bottom - y);
    }
  }

  /** The needed tiles below which others have to show. */
  incomplete() {
    return this.needed
      .map((key) => this.tiles.get(key) ?? this.makeTile(key))
      .filter(({ passes }) => passes < PASSES);
  }

  /** All tiles that may show, the coarse first. */
  drawable(isComplete) {
    if (isComplete) return this.needed.map((key) => this.tiles.get(key));
    const fineness = ({ step, passes }) => step * 2 ** (PASSES - passes);
    return [...this.tiles.values()]
      .filter(({ passes, level }) => {
        return passes > 0 && level > this.level - COARSER && level < this.level + FINER;
      })
      .sort((a, b) => fineness(b) - fineness(a));
  }
}

function overlap(a, b) {
  return a.x < b.right && b.x < a.right && a.y < b.bottom && b.y < a.bottom;
}
