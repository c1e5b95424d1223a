// What stays behind of contexts that are closed, and of workers that are killed:
// nothing, so both lines are flat. `make memory` measures and draws them.
//
//   node bench/memory.mjs [contexts] [kills] [file.svg]

import { writeFileSync } from 'node:fs';
import { newFixedWorkerContext } from '../dist/index.node.js';

const [contexts = '10000', kills = '1000', file] = process.argv.slice(2);
const POINTS = 200;
const MiB = 2 ** 20;
const worker = () => new Worker(new URL('./tasks/worker.node.js', import.meta.url));
/** Begins small, so that what is not given back makes it grow. */
const memory = { memory: 2, maximumMemory: 512 };
const open = (workers, more) =>
  newFixedWorkerContext(workers, 'memory', { worker, ...memory, ...more });

/** Repeats `step`, and measures from time to time. */
async function line(name, count, shared, step) {
  const points = [];
  const every = Math.max(1, Math.floor(count / POINTS));
  for (let i = 1; i <= count; i++) {
    await step();
    if (i % every === 0) {
      points.push({ at: i, rss: process.memoryUsage.rss() / MiB, shared: shared() / MiB });
    }
  }
  const warm = points.slice(Math.floor(points.length / 4));
  const change = (key) => warm.at(-1)[key] - warm[0][key];
  console.log(
    `${count} ${name}: RSS ${points[0].rss.toFixed(0)} MiB at first, ` +
      `${warm[0].rss.toFixed(0)} MiB after a quarter, ${warm.at(-1).rss.toFixed(0)} MiB at the end; ` +
      `shared memory ${points[0].shared.toFixed(1)} MiB at first, ` +
      `${change('shared').toFixed(1)} MiB more from a quarter on`,
  );
  return { name: `${count} ${name}`, points };
}

/** The size of the memory that all contexts share. */
let buffer;
const sharedSize = () => buffer.byteLength;

async function openAndClose() {
  const context = await open(1);
  const array = context.allocate(Int32Array, 1);
  await context.async('add', 1, 2);
  buffer = array.buffer;
  context.free(array);
  await context.close();
}

async function measureKills(count) {
  const context = await open(1, { losses: { count: 1e9, period: 0 } });
  const cells = context.allocate(Int32Array, 1);
  const lines = await line('kills', count, sharedSize, async () => {
    Atomics.store(cells, 0, 0);
    const job = context.async({ killable: { grace: 0 } }, 'loop', cells);
    job.catch(() => {});
    await context.ready;
    while (Atomics.load(cells, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    job.cancel();
    await job.join();
    const probe = context.allocate(Int32Array, 1);
    buffer = probe.buffer;
    context.free(probe);
  });
  console.log(`lost and proved to be dead: ${JSON.stringify(context.stats())}`);
  await context.close();
  return lines;
}

/** How long it takes to close a context that has nothing to do: the median. */
async function measureClose(rounds = 15) {
  const times = [];
  for (let i = 0; i < rounds; i++) {
    const context = await open(8);
    await context.ready;
    const began = performance.now();
    await context.close();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  console.log(
    `close() of an idle context of 8 workers: ${times[rounds >> 1].toFixed(1)} ms in the middle, ` +
      `${times.at(-1).toFixed(1)} ms at most (goal: 50 ms)`,
  );
}

// ---- drawing

const WIDTH = 640;
const HEIGHT = 180;
const LEFT = 60;

function chart({ name, points }, top) {
  const most = Math.max(...points.map(({ rss }) => rss)) * 1.15;
  const last = points.at(-1).at;
  const path = (key) =>
    points
      .map(({ at, [key]: value }) => {
        const x = LEFT + (at / last) * WIDTH;
        const y = top + HEIGHT - (value / most) * HEIGHT;
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      })
      .join(' ');
  const label = (x, y, text, anchor = 'start', color = '#333') =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${color}">${text}</text>`;
  const end = points.at(-1);
  return [
    label(LEFT, top - 8, name),
    `<path d="M${LEFT} ${top}v${HEIGHT}h${WIDTH}" fill="none" stroke="#999"/>`,
    label(LEFT - 6, top + 10, `${most.toFixed(0)} MiB`, 'end'),
    label(LEFT - 6, top + HEIGHT, '0', 'end'),
    label(LEFT + WIDTH, top + HEIGHT + 16, String(last), 'end'),
    `<polyline points="${path('rss')}" fill="none" stroke="#0969da" stroke-width="1.5"/>`,
    `<polyline points="${path('shared')}" fill="none" stroke="#bc4c00" stroke-width="1.5"/>`,
    label(
      LEFT + 10,
      top + 14,
      `resident memory, ${end.rss.toFixed(0)} MiB at the end`,
      'start',
      '#0969da',
    ),
    label(
      LEFT + 10,
      top + 30,
      `shared memory, ${end.shared.toFixed(1)} MiB at the end`,
      'start',
      '#bc4c00',
    ),
  ].join('\n');
}

function draw(lines) {
  const step = HEIGHT + 60;
  const height = lines.length * step + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 20} ${height}"`,
    ' font-family="sans-serif" font-size="12">',
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...lines.map((each, index) => chart(each, index * step + 34)),
    '</svg>\n',
  ].join('\n');
}

await openAndClose();
await measureClose();
const lines = [
  await line('contexts opened and closed', Number(contexts), sharedSize, openAndClose),
  await measureKills(Number(kills)),
];
if (file) writeFileSync(file, draw(lines));
