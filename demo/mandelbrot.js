// The Mandelbrot part: the view, its tiles, the number of workers, the figures.

import { button, byId, count, duration, press, showBars } from './dom.js';
import { addLanes } from './lanes.js';
import { openTilePool } from './mandelbrot-pool.js';
import { Tiles } from './mandelbrot-tiles.js';
import { View } from './mandelbrot-view.js';
import { namesOf } from './pool-view.js';
import { watchEventLoop } from './ticker.js';

const ALL = navigator.hardwareConcurrency || 4;
const CHOICES = [...new Set([1, 2, 4, ALL])].sort((a, b) => a - b);
const IS_INLINE = document.body.dataset.tier === 'inline';
/** At first, one processor is left to the page. */
const DEFAULT = IS_INLINE ? 1 : Math.max(2, ...CHOICES.filter((workers) => workers < ALL));

export async function startMandelbrot() {
  const part = new Mandelbrot();
  await part.useWorkers(DEFAULT);
  watchEventLoop((longest, frames) => {
    byId('longest-block').textContent = duration(Math.max(0.1, longest));
    byId('frames').textContent = frames.toFixed(0);
  });
}

class Mandelbrot {
  canvas = byId('fractal');
  context2d = this.canvas.getContext('2d', { alpha: false });
  status = byId('render-status');
  lanes = addLanes(byId('mandelbrot-lanes'), { window: 4000, windows: [4000, 1000, 100] });
  view = new View(this.canvas);
  tiles = new Tiles();
  /** Milliseconds that the view took, by the number of workers. */
  times = new Map();
  began = 0;
  lastFrame = 0;

  constructor() {
    this.tiles.onComplete = () => this.completed();
    this.choices = new Map();
    for (const workers of CHOICES) {
      const text = workers === ALL ? `All ${ALL}` : String(workers);
      const node = button(byId('worker-choice'), text, () => this.useWorkers(workers));
      node.setAttribute('aria-label', `${workers} ${workers === 1 ? 'worker' : 'workers'}`);
      node.setAttribute('aria-pressed', 'false');
      this.choices.set(workers, node);
    }
    byId('zoom-in').addEventListener('click', () => this.view.zoomBy(1));
    byId('zoom-out').addEventListener('click', () => this.view.zoomBy(-1));
    byId('zoom-home').addEventListener('click', () => this.view.home());
    byId('compare').addEventListener('click', () => this.compare());
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    setInterval(() => this.showCounts(), 200);
    requestAnimationFrame((time) => this.frame(time));
  }

  resize() {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (width === 0) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.view.resize(width, height);
    this.view.moved = true;
  }

  // ---- workers

  /** Closes the pool and opens one of another size, which renders the view. */
  async useWorkers(workers) {
    if (this.isSwitching) return;
    this.isSwitching = true;
    this.enable(false);
    press(byId('worker-choice'), this.choices.get(workers));
    this.status.textContent = 'Starting workers…';
    this.tiles.pool = undefined;
    this.lanes.show(undefined);
    await this.pool?.close();
    const size = (window.devicePixelRatio || 1) > 1.5 ? 256 : 128;
    this.pool = await openTilePool(workers, size);
    this.lanes.show(this.pool.context);
    this.resize();
    this.isSwitching = false;
    if (!this.isComparing) this.enable(true);
    await this.measure();
  }

  /** Renders the view from nothing, and notes how long it takes. */
  measure() {
    this.isMeasuring = true;
    this.tiles.usePool(this.pool);
    this.tiles.needed = [];
    return new Promise((resolve) => {
      this.measured = resolve;
      this.began = performance.now();
      this.tiles.aim(this.view.target);
    });
  }

  async compare() {
    this.isComparing = true;
    const before = this.pool.context.workers;
    for (const workers of this.choices.keys()) {
      await this.useWorkers(workers);
      if (!this.isComparing) break; // the view has moved
    }
    this.isComparing = false;
    await this.useWorkers(before);
  }

  enable(isEnabled) {
    for (const node of [...this.choices.values(), byId('compare')]) node.disabled = !isEnabled;
  }

  // ---- frames

  frame(time) {
    requestAnimationFrame((next) => this.frame(next));
    const ms = Math.min(100, time - this.lastFrame);
    this.lastFrame = time;
    const hasMoved = this.view.advance(ms);
    if (!this.tiles.pool) {
      if (hasMoved && this.tiles.tiles.size) this.tiles.draw(this.context2d, this.view);
      return;
    }
    if (hasMoved) this.aim();
    const hasNews = this.tiles.collect();
    if (hasMoved || hasNews) {
      this.tiles.draw(this.context2d, this.view);
      this.showStatus();
    }
  }

  /** The view has moved: other tiles are needed now. */
  aim() {
    this.showPlace();
    if (!this.tiles.aim(this.view.target)) return;
    this.began = performance.now();
    if (this.times.size > 0) {
      this.times.clear();
      this.showTimes();
    }
    this.isComparing = false;
    this.stopMeasuring();
    if (this.tiles.isComplete) this.took = 0;
  }

  stopMeasuring() {
    this.isMeasuring = false;
    this.measured?.();
    this.measured = undefined;
  }

  completed() {
    this.took = performance.now() - this.began;
    if (!this.isMeasuring) return;
    this.times.set(this.pool.context.workers, this.took);
    this.showTimes();
    this.stopMeasuring();
  }

  // ---- figures

  showStatus() {
    const { needed, missing } = this.tiles;
    const all = needed.length;
    if (missing > 0) this.status.textContent = `${all - missing} of ${all} tiles…`;
    else this.status.textContent = `${all} tiles in ${duration(this.took || 0.1)}`;
  }

  showPlace() {
    const { x, y, zoom } = this.view;
    const digits = Math.max(3, Math.ceil(zoom * 0.30103) + 1);
    const times = 2 ** (zoom - 8);
    const size = times < 1e4 ? times.toFixed(times < 10 ? 1 : 0) : times.toExponential(1);
    byId('place').textContent = `${x.toFixed(digits)}, ${(-y).toFixed(digits)} · ${size}×`;
  }

  showTimes() {
    const entries = [...this.times].sort(([a], [b]) => a - b);
    const most = Math.max(...this.times.values());
    const rows = entries.map(([workers, ms]) => [
      IS_INLINE ? 'this page' : `${workers} ${workers === 1 ? 'worker' : 'workers'}`,
      ms / most,
      duration(ms),
    ]);
    showBars(byId('render-times'), rows.length ? rows : [['Press Compare', 0, '']]);
  }

  showCounts() {
    if (!this.tiles.pool) return;
    const { counts, cancelled, total, context } = this.pool;
    const most = Math.max(1, cancelled, ...counts);
    const rows = namesOf(context).map((name, i) => [name, counts[i] / most, count(counts[i])]);
    rows.push(['cancelled', cancelled / most, count(cancelled)]);
    showBars(byId('tile-counts'), rows);
    byId('tile-counts').dataset.total = String(total);
  }
}
