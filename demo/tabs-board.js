// Draws the tabs as rows, and their jobs as they go from there to the workers of
// the tab that is host, and back.

import { count, element } from './dom.js';

const JOB = 9;
const STEP = JOB + 3;
/** A worker's place. */
const PLACE = 24;
const WORKERS = 3;
/** Milliseconds after which a job is most of its way along. */
const PACE = 70;
/** Pixels from its goal, and it is there. */
const NEAR = 0.5;

const scheme = matchMedia('(prefers-color-scheme: dark)');
const still = matchMedia('(prefers-reduced-motion: reduce)');

/** The colour of a tab, the same one in all of them. */
export const colourOf = (number) => `--kind-${((number - 1) % 6) + 1}`;

export class Board {
  /** Rows by tab. */
  rows = new Map();
  /** Where jobs are drawn, by the jobs' keys: { x, y, alpha }. */
  spots = new Map();
  isDrawing = false;
  last = 0;

  constructor(host, company) {
    this.company = company;
    this.list = element('ul', 'tab-rows');
    this.list.id = 'tab-rows';
    this.canvas = element('canvas');
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', 'Jobs on their way between tabs and the pool');
    this.context2d = this.canvas.getContext('2d');
    host.append(this.list, this.canvas);
    new ResizeObserver(() => this.resize()).observe(host);
    scheme.addEventListener('change', () => this.draw());
    company.addEventListener('change', () => this.update());
    this.update();
  }

  // ---- rows

  update() {
    const { company, rows } = this;
    const { host } = company;
    for (const [number, row] of rows) {
      if (company.tabs.has(number)) continue;
      row.remove();
      rows.delete(number);
    }
    const numbers = [...company.tabs.keys()].sort((a, b) => a - b);
    for (const [index, number] of numbers.entries()) {
      if (!rows.has(number)) rows.set(number, this.makeRow(number));
      const row = rows.get(number);
      if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index]);
      this.showTab(row, company.tabs.get(number), host);
    }
    this.draw();
  }

  makeRow(number) {
    const row = element('li');
    row.dataset.tab = number;
    row.style.setProperty('--tab', `var(${colourOf(number)})`);
    const isMe = number === this.company.number;
    const name = element('span', 'tab-name', `Tab ${number}`);
    if (isMe) name.append(element('span', 'muted', ' · this one'));
    const words = element('span', 'tab-words');
    words.append(name, element('span', 'tab-role'), element('span', 'tab-counts'));
    row.append(element('span', 'tab-chip', String(number)), words);
    return row;
  }

  showTab(row, tab, host) {
    const { number, done, again, lost, isFrozen } = tab;
    const isHost = tab === host;
    const wasHost = tab.role === 'host' && !isHost;
    let role = isHost ? 'host' : tab.role && 'client';
    if (isFrozen || wasHost) role = isHost ? 'host, frozen' : 'frozen';
    row.dataset.role = role;
    const counts = [`${count(done)} done`];
    const waiting = this.company.jobsOf(number, 'waiting').length;
    if (waiting > 0) counts.unshift(`${count(waiting)} waiting`);
    if (again > 0) counts.push(`${count(again)} again`);
    if (lost > 0) counts.push(`${count(lost)} lost`);
    const [, { children }] = row.children;
    for (const [node, text] of [
      [children[1], role],
      [children[2], counts.join(' · ')],
    ]) {
      if (node.textContent !== text) node.textContent = text;
    }
  }

  // ---- drawing

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.context2d.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.draw();
  }

  /** With the next frame, and as long as anything moves. */
  draw() {
    if (this.isDrawing) return;
    this.isDrawing = true;
    this.last = performance.now();
    requestAnimationFrame((time) => this.frame(time));
  }

  frame(time) {
    this.isDrawing = false;
    const { context2d: c, canvas, company } = this;
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(name).trim();
    c.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    this.drawPool();
    const goals = this.goals();
    for (const key of this.spots.keys()) if (!company.jobs.has(key)) this.spots.delete(key);
    const share = still.matches ? 1 : 1 - Math.exp((this.last - time - 1) / PACE);
    let moves = false;
    for (const [job, goal] of goals) moves = this.drawJob(job, goal, share) || moves;
    c.globalAlpha = 1;
    if (moves) this.draw();
  }

  /** The row of a tab: where jobs come from, and where its workers are. */
  place(number) {
    const row = this.rows.get(number);
    const [, words] = row.children;
    const middle = row.offsetTop + row.offsetHeight / 2;
    const end = this.canvas.clientWidth - 16;
    return { from: words.offsetLeft + words.offsetWidth + 16, middle, end };
  }

  get poolWidth() {
    return WORKERS * (PLACE + 4) - 4;
  }

  drawPool() {
    const { host } = this.company;
    if (!host) return;
    const { context2d: c } = this;
    const { middle, end } = this.place(host.number);
    const left = end - this.poolWidth;
    c.strokeStyle = this.colour('--asleep');
    c.fillStyle = this.colour(host.isFrozen ? '--awake' : '--panel');
    for (let i = 0; i < WORKERS; i++) {
      c.beginPath();
      c.roundRect(left + i * (PLACE + 4) + 0.5, middle - PLACE / 2 - 5.5, PLACE - 1, PLACE - 1, 5);
      c.fill();
      c.stroke();
    }
    c.fillStyle = this.colour('--muted');
    c.font = `10px ${this.colour('--mono')}`;
    c.textAlign = 'center';
    c.fillText(host.tier, left + this.poolWidth / 2, middle + PLACE / 2 + 6);
  }

  /** Where each job is to be: [job, { x, y, alpha }]. */
  goals() {
    const { company } = this;
    const { host } = company;
    const goals = [];
    const inLine = new Map();
    for (const job of company.jobs.values()) {
      if (!this.rows.has(job.tab)) continue;
      const { from, middle, end } = this.place(job.tab);
      const right = end - this.poolWidth - 24;
      if (job.state === 'waiting') {
        const before = inLine.get(job.tab) ?? 0;
        inLine.set(job.tab, before + 1);
        const x = right - JOB - before * STEP;
        goals.push([job, { x, y: middle, alpha: x >= from ? 1 : 0 }]);
      } else if (job.state === 'running' && host) {
        const pool = this.place(host.number);
        const index = (job.worker - 1) % WORKERS;
        const x = pool.end - this.poolWidth + index * (PLACE + 4) + (PLACE - JOB) / 2;
        goals.push([job, { x, y: pool.middle - 6, alpha: 1 }]);
      } else if (this.spots.has(job.key)) {
        goals.push([job, { x: from, y: middle, alpha: 0 }]);
      }
    }
    return goals;
  }

  /** @returns whether it has not arrived yet */
  drawJob({ key, tab, state }, goal, share) {
    const { context2d: c, spots } = this;
    if (!spots.has(key)) spots.set(key, { x: this.place(tab).from, y: goal.y, alpha: 0 });
    const spot = spots.get(key);
    // What goes home is seen until it is almost there.
    const fade = goal.alpha < spot.alpha ? share / 2 : share;
    spot.x += (goal.x - spot.x) * share;
    spot.y += (goal.y - spot.y) * share;
    spot.alpha += (goal.alpha - spot.alpha) * fade;
    const isThere = Math.abs(goal.x - spot.x) < NEAR && Math.abs(goal.y - spot.y) < NEAR;
    if (isThere) Object.assign(spot, goal);
    if (isThere && /done|lost/.test(state)) spots.delete(key);
    c.globalAlpha = spot.alpha;
    c.fillStyle = this.colour(state === 'lost' ? '--bad' : colourOf(tab));
    c.fillRect(spot.x, spot.y - JOB / 2, JOB, JOB);
    return !isThere;
  }
}
