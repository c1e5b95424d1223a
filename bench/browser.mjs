// The rows of browsers. A browser is started for each group, a page for each
// measurement; its numbers come from the page itself.

import { setTimeout as sleep } from 'node:timers/promises';
import { withPages } from './pages.mjs';
import { place, placements } from './placement.mjs';
import { threads } from './processes.mjs';
import { row } from './report.mjs';
import { median } from './rounds.js';

const engines = {
  chromium: { title: 'Chromium', workers: /^DedicatedWorker/, toBest: 15, startAtMost: 120 },
  firefox: { title: 'Firefox', workers: /^DOM Worker/, toBest: 3, startAtMost: undefined },
};

async function tasks(engine, turns) {
  const { title, workers, toBest } = engines[engine];
  return withPages(engine, 'page', async (open) => {
    const page = await open();
    await page.evaluate('bench.open()');
    const call = (code) => page.evaluate(code);
    const options = JSON.stringify(turns);
    const where = JSON.stringify(title);
    const rows = [
      await call(`bench.many(${where}, ${JSON.stringify({ toBest })}, ${options})`),
      await call(`bench.shared(${where}, ${options})`),
    ];
    // Last, since what is placed stays there.
    for (const placement of placements()) {
      for (const pid of new Set(threads(workers).map((thread) => thread.pid))) {
        place(placement, pid, (name) => workers.test(name));
      }
      const name = JSON.stringify(`${title}, ${placement}`);
      rows.unshift(await call(`bench.one(${name}, ${options})`));
    }
    return rows;
  });
}

async function start(engine, { quick }) {
  const { title, startAtMost } = engines[engine];
  return withPages(engine, 'page', async (open) => {
    const first = [];
    const later = [];
    const bare = [];
    await open(); // the browser's own first page
    for (let i = 0; i < (quick ? 3 : 7); i++) {
      const page = await open();
      first.push(await page.evaluate('bench.start()'));
      for (let n = 0; n < 3; n++) {
        later.push(await page.evaluate('bench.start()'));
        bare.push(await page.evaluate('bench.bare()'));
      }
      await page.close();
    }
    const goal = { atMost: startAtMost, peers: { '3 bare workers': median(bare) } };
    return [
      row(`${title}: 3 workers ready, first context`, 'ms', median(first), goal),
      row(`${title}: 3 workers ready, later context`, 'ms', median(later), goal),
    ];
  });
}

async function idle(engine, { quick }) {
  const { title, workers } = engines[engine];
  const seconds = quick ? 2 : 5;
  return withPages(engine, 'page', async (open) => {
    const page = await open();
    await page.evaluate('bench.idle()');
    await sleep(1000); // until engines have done what they do after work
    const ticks = () => threads(workers).reduce((sum, thread) => sum + thread.ticks, 0);
    const before = ticks();
    await sleep(seconds * 1000);
    // A clock tick is 10 ms on all Linux systems.
    const percent = (ticks() - before) / seconds;
    return [row(`${title}: processor use of idle workers`, '%', percent, { atMost: 0.2 })];
  });
}

/** Groups of rows by name. */
export function browserGroups({ quick, turns }) {
  const groups = {};
  for (const [engine, { title }] of Object.entries(engines)) {
    groups[`${title}: tasks`] = () => tasks(engine, turns);
    groups[`${title}: 3 workers ready`] = () => start(engine, { quick });
    if (process.platform === 'linux') {
      groups[`${title}: processor use of idle workers`] = () => idle(engine, { quick });
    }
  }
  return groups;
}
