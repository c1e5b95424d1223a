// Draws the lanes of a context: what each worker runs, when it sleeps, and who
// steals from whom. Time runs from the right to the left.

import { element } from './dom.js';
import { Timeline, now } from './timeline.js';

const LANE = 30;
const BAR = 16;
const AXIS = 22;
/** Pixels that keep lanes clear of arrows that would be too many to tell apart. */
const ARROW_GAP = 5;
/** How strong the colour is where there were more steps than the trace holds. */
const DENSE = 0.6;

/** Each coroutine has its colour, the same one in all drawings. */
const colourOf = new Map();

function colourIndex(name) {
  if (!colourOf.has(name)) colourOf.set(name, (colourOf.size % 6) + 1);
  return colourOf.get(name);
}

const schemes = matchMedia('(prefers-color-scheme: dark)');

export class PoolView {
  /**
   * @param {HTMLElement} host is filled with the drawing and its legend
   * @param {{ window?: number, windows?: number[] }} [options] milliseconds
   *   that are seen at first, and what else there is to choose from
   */
  constructor(host, { window = 5000, windows = [] } = {}) {
    this.host = host;
    this.span = window;
    this.canvas = element('canvas');
    this.canvas.setAttribute('role', 'img');
    this.context2d = this.canvas.getContext('2d');
    this.under = element('div', 'under');
    this.legend = element('ul', 'legend');
    this.legend.setAttribute('aria-label', 'Legend');
    this.under.append(this.legend);
    if (windows.length > 0) this.under.append(this.makeControls(windows));
    host.append(this.canvas, this.under);

    new ResizeObserver(() => this.resize()).observe(host);
    new IntersectionObserver(([entry]) => {
      this.isSeen = entry.isIntersecting;
      this.dirty = true;
    }).observe(this.canvas);
    schemes.addEventListener('change', () => this.readColours());
    this.setLaneCount(1);
    this.readColours();
    const frame = () => {
      this.frame();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** Shows another context; `undefined` keeps the lanes but empties them. */
  show(pool) {
    this.pool = pool;
    this.timeline = pool && new Timeline(pool.workers);
    this.names = pool ? namesOf(pool) : [];
    this.seenKinds = -1;
    if (pool) this.setLaneCount(pool.workers);
  }

  /** A worker was lost. */
  lose(index) {
    this.timeline.update(this.pool);
    this.timeline.lanes[index].lose(now());
  }

  setLaneCount(count) {
    this.count = count;
    this.canvas.style.height = `${count * LANE + AXIS + 8}px`;
    this.canvas.setAttribute('aria-label', `What ${count} workers do, as lanes over time`);
    this.resize();
  }

  makeControls(windows) {
    const group = element('div', 'segments small');
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', 'Time shown');
    for (const ms of windows) {
      const button = element('button', '', ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`);
      button.type = 'button';
      button.setAttribute('aria-pressed', String(ms === this.span));
      button.addEventListener('click', () => {
        this.span = ms;
        this.dirty = true;
        for (const other of group.children) {
          other.setAttribute('aria-pressed', String(other === button));
        }
      });
      group.append(button);
    }
    const freeze = element('button', '', 'Freeze');
    freeze.type = 'button';
    freeze.setAttribute('aria-pressed', 'false');
    freeze.addEventListener('click', () => {
      this.frozenAt = this.frozenAt === undefined ? now() : undefined;
      this.dirty = true; // the moment of the click is what is looked at
      freeze.setAttribute('aria-pressed', String(this.frozenAt !== undefined));
    });
    const both = element('div', 'segments small');
    both.append(freeze);
    const all = element('div', 'view-controls');
    all.append(group, both);
    return all;
  }

  // ---- drawing

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context2d.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.dirty = true;
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colours = {
      ink: read('ink'),
      muted: read('muted'),
      line: read('line'),
      awake: read('awake'),
      asleep: read('asleep'),
      steal: read('steal'),
      kinds: [1, 2, 3, 4, 5, 6].map((n) => read(`kind-${n}`)),
      sans: read('mono'),
    };
    this.dirty = true;
  }

  frame() {
    if (!this.timeline) return;
    // Read also while out of sight: else the trace would have gaps.
    if (this.frozenAt === undefined) this.timeline.update(this.pool);
    if (!this.isSeen) return;
    const isStill = this.frozenAt !== undefined || this.timeline.isQuiet(this.span + 100);
    if (isStill && !this.dirty) return;
    this.dirty = false;
    this.draw(this.frozenAt ?? now());
    const { names, hasDense } = this.timeline;
    const kinds = names.size + (hasDense ? 0.5 : 0);
    if (kinds !== this.seenKinds) this.drawLegend();
    this.seenKinds = kinds;
  }

  draw(end) {
    const { context2d: c, colours, width } = this;
    c.clearRect(0, 0, width, this.height);
    const label = this.labelWidth();
    const left = 16 + label;
    const right = width - 16;
    const scale = (right - left) / this.span;
    const x = (time) => right - (end - time) * scale;
    c.save();
    c.beginPath();
    c.rect(left, 0, right - left, this.height);
    c.clip();
    this.drawAxis(end, x, left, right);
    for (const [index, lane] of this.timeline.lanes.entries()) {
      this.drawLane(lane, index, end, x, left);
    }
    this.drawSteals(x, left);
    c.restore();
    c.font = `11px ${colours.sans}`;
    c.textBaseline = 'middle';
    c.textAlign = 'left';
    c.fillStyle = colours.muted;
    for (let i = 0; i < this.count; i++) c.fillText(this.shortName(i), 16, this.laneY(i));
  }

  laneY(index) {
    return 8 + index * LANE + LANE / 2;
  }

  labelWidth() {
    return this.width < 500 ? 20 : Math.max(...this.names.map((name) => name.length)) * 6.7 + 12;
  }

  shortName(index) {
    return this.width < 500 ? String(index + 1) : this.names[index];
  }

  /** Seconds, moving with the drawing. */
  drawAxis(end, x, left, right) {
    const { context2d: c, colours } = this;
    const tick = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].find(
      (ms) => (ms / this.span) * (right - left) > 70,
    );
    const bottom = 8 + this.count * LANE;
    c.font = `10.5px ${colours.sans}`;
    c.textBaseline = 'top';
    c.textAlign = 'center';
    for (let time = Math.ceil((end - this.span) / tick) * tick; time <= end + tick; time += tick) {
      const at = Math.round(x(time)) + 0.5;
      if (at < left) continue;
      c.fillStyle = colours.line;
      c.fillRect(at - 0.5, 8, 1, bottom - 4);
      c.fillStyle = colours.muted;
      const clock = time % 60_000;
      const digits = tick < 1000 ? 2 : 0;
      c.fillText(`${(clock / 1000).toFixed(digits)} s`, at, bottom + 6);
    }
  }

  /** From the newest back: sleep as a line, what is between as a band. */
  drawLane(lane, index, end, x, left) {
    const { context2d: c, colours } = this;
    const y = this.laneY(index);
    const top = y - BAR / 2;
    let awakeTo = end;
    const awake = (from) => {
      const a = Math.max(left, x(from));
      c.fillStyle = colours.awake;
      if (x(awakeTo) > a) c.fillRect(a, top, x(awakeTo) - a, BAR);
    };
    const sleep = (from, to) => {
      const a = Math.max(left, x(from));
      const b = x(Math.min(to, end));
      if (b - a < 0.75) return;
      awake(to);
      c.fillStyle = colours.asleep;
      c.fillRect(a, y - 0.75, b - a, 1.5);
      awakeTo = from;
    };
    if (lane.asleep !== undefined) sleep(lane.asleep, end);
    for (let i = lane.sleeps.length - 1; i >= 0; i--) {
      if (x(lane.sleeps[i].to) < left) break;
      sleep(lane.sleeps[i].from, lane.sleeps[i].to);
    }
    // Before its first event nothing is known of it: it had nothing to do.
    const firsts = [lane.steps[0]?.from, lane.sleeps[0]?.from, lane.asleep, lane.running?.from];
    const born = Math.min(end, ...firsts.filter((time) => time !== undefined));
    if (x(born) > left) sleep(0, born);
    else awake(end - this.span);
    this.drawSteps(lane, top, end, x, left);
  }

  /** From the newest back; steps that share a pixel are drawn once. */
  drawSteps(lane, top, end, x, left) {
    const { context2d: c } = this;
    let drawnTo = Infinity;
    const step = (from, to, name, isDense) => {
      const a = x(from);
      const b = Math.max(x(to), a + 1.5);
      if (a >= drawnTo) return;
      drawnTo = a;
      c.fillStyle = this.colours.kinds[colourIndex(name) - 1];
      c.globalAlpha = isDense ? DENSE : 1;
      c.fillRect(a, top, b - a, BAR);
      c.globalAlpha = 1;
    };
    if (lane.running) step(lane.running.from, end, lane.running.name);
    for (let i = lane.steps.length - 1; i >= 0; i--) {
      const { from, to, name, isDense } = lane.steps[i];
      if (from > end) continue;
      if (x(to) < left) break;
      step(from, to, name, isDense);
    }
  }

  drawSteals(x, left) {
    const { context2d: c } = this;
    c.strokeStyle = this.colours.steal;
    c.fillStyle = this.colours.steal;
    c.lineWidth = 1.5;
    for (const [thief, lane] of this.timeline.lanes.entries()) {
      let last = Infinity;
      for (let i = lane.steals.length - 1; i >= 0; i--) {
        const { at, victim } = lane.steals[i];
        const a = x(at);
        if (a < left) break;
        if (last - a < ARROW_GAP || victim >= this.count) continue;
        last = a;
        const down = thief > victim ? 1 : -1;
        const tip = this.laneY(thief) - down * (BAR / 2 - 1);
        c.beginPath();
        c.moveTo(a, this.laneY(victim));
        c.lineTo(a, tip);
        c.stroke();
        c.beginPath();
        c.moveTo(a - 3, tip - down * 5);
        c.lineTo(a + 3, tip - down * 5);
        c.lineTo(a, tip + down);
        c.fill();
      }
    }
  }

  drawLegend() {
    const items = [];
    for (const name of this.timeline.names) {
      const mark = element('span', 'mark');
      mark.style.background = `var(--kind-${colourIndex(name)})`;
      items.push(legendItem(mark, element('span', 'name', name)));
    }
    if (this.timeline.hasDense) {
      const dense = element('span', 'mark');
      dense.style.background = 'var(--kind-1)';
      dense.style.opacity = String(DENSE);
      items.push(legendItem(dense, 'too many steps to record'));
    }
    const awake = element('span', 'mark');
    awake.style.background = 'var(--awake)';
    const asleep = element('span', 'mark line');
    asleep.style.background = 'var(--asleep)';
    const arrow = element('span', 'arrow', '↕');
    items.push(legendItem(awake, 'awake'), legendItem(asleep, 'asleep'));
    items.push(legendItem(arrow, 'steals'));
    this.legend.replaceChildren(...items);
  }
}

/** The workers' names, as the library gives them. */
export function namesOf({ name, workers }) {
  if (workers === 1) return [name];
  return Array.from({ length: workers }, (_, i) => `${name}-${i + 1}`);
}

function legendItem(...content) {
  const item = element('li');
  item.append(...content);
  return item;
}
