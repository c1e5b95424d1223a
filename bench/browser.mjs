// The rows of browsers. A browser is started for each group, a page for each
// measurement; its numbers come from the page itself.

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, waitFor } from '../tests/browser/drivers.mjs';
import { startServer } from '../tools/serve.mjs';
import { row } from './report.mjs';
import { median } from './rounds.js';

const engines = {
  chromium: { title: 'Chromium', toBest: 15, startAtMost: 120 },
  firefox: { title: 'Firefox', toBest: 3, startAtMost: undefined },
};

/** Opens the benchmarks' page in a fresh browser and hands it to `use`. */
async function withPage(engine, use) {
  const server = await startServer({ root: '.' });
  try {
    const browser = await launch(engine);
    try {
      const open = async () => {
        const page = await browser.newPage();
        await page.goto(`${server.url}/bench/browser/page.html`);
        await waitFor(page, 'globalThis.bench !== undefined');
        return page;
      };
      return await use(open);
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}

async function tasks(engine, turns) {
  const { title, toBest } = engines[engine];
  return withPage(engine, async (open) => {
    const page = await open();
    await page.evaluate('bench.open()');
    const call = (code) => page.evaluate(code);
    const options = JSON.stringify(turns);
    const where = JSON.stringify(title);
    return [
      await call(`bench.one(${where}, ${options})`),
      await call(`bench.many(${where}, ${JSON.stringify({ toBest })}, ${options})`),
      await call(`bench.shared(${where}, ${options})`),
    ];
  });
}

async function start(engine, { quick }) {
  const { title, startAtMost } = engines[engine];
  return withPage(engine, async (open) => {
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

/** Processor time in clock ticks of this process's descendants with workers. */
function workerTicks(name) {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      for (const id of readdirSync(`/proc/${pid}/task`)) {
        const stat = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8');
        const [, comm, rest] = /^\d+ \((.*)\) (.*)$/s.exec(stat);
        if (!name.test(comm)) continue;
        const fields = rest.split(' ');
        ticks += Number(fields[11]) + Number(fields[12]);
      }
    } catch {
      // The process has ended meanwhile.
    }
  }
  return ticks;
}

async function idle(engine, { quick }) {
  const { title } = engines[engine];
  const seconds = quick ? 2 : 5;
  return withPage(engine, async (open) => {
    const page = await open();
    await page.evaluate('bench.idle()');
    await sleep(1000); // until engines have done what they do after work
    const workers = engine === 'chromium' ? /^DedicatedWorker/ : /^DOM Worker/;
    const before = workerTicks(workers);
    await sleep(seconds * 1000);
    // A clock tick is 10 ms on all Linux systems.
    const percent = (workerTicks(workers) - before) / seconds;
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
