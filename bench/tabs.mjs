// The rows of one pool for several tabs: what a job costs on a page that has not
// the pool, and how long all of them are without one when its page is lost.

import { withPages } from './pages.mjs';
import { row } from './report.mjs';
import { median } from './rounds.js';

const engines = {
  chromium: {
    title: 'Chromium',
    atLeast: 100,
    losses: { 'closed tab': 500, 'killed renderer': 3000 },
  },
  // All pages of an origin have one process there.
  firefox: { title: 'Firefox', losses: { 'closed tab': 500 } },
};

const LOSE = {
  'closed tab': (page) => page.close(),
  'killed renderer': async (page) => {
    await page.crash();
    await page.close();
  },
};

let names = 0;

/** Until both pages have translated what they call, as there are so few calls per second. */
const WARM_UP_MS = 1500;

async function jobs(engine, turns) {
  const { title, atLeast } = engines[engine];
  return withPages(engine, 'tabs', async (open) => {
    const name = JSON.stringify(`bench ${names++}`);
    const [host, client] = [await open(), await open()];
    await host.evaluate(`bench.open(${name})`);
    await client.evaluate(`bench.open(${name})`);
    await Promise.all([host.evaluate('bench.answer()'), client.evaluate('bench.ask()')]);
    const options = JSON.stringify({ ...turns, warmUp: WARM_UP_MS });
    const where = JSON.stringify(`${title}, from another tab`);
    const one = await client.evaluate(`bench.one(${where}, ${options})`);
    const { coworker, ...peers } = await client.evaluate(`bench.many(${options})`);
    const goal = atLeast && { goal: `>= ${atLeast}`, met: coworker >= atLeast };
    return [
      one,
      row(`${title}, from another tab: tasks, 1000 in flight`, '1000/s', coworker, {
        peers,
        ...goal,
      }),
    ];
  });
}

/** Milliseconds from the loss of a host on, once. */
async function lose(open, how) {
  const name = JSON.stringify(`bench ${names++}`);
  const lock = JSON.stringify(`alive ${names}`);
  const [host, next, other] = [await open(), await open(), await open()];
  for (const page of [host, next, other]) await page.evaluate(`bench.open(${name})`);
  await host.evaluate(`bench.live(${lock})`);
  await host.evaluate('bench.keep()');
  for (const page of [next, other]) await page.evaluate(`bench.wait(${lock})`);
  const began = Date.now();
  await LOSE[how](host);
  const found = await Promise.all([next, other].map((page) => page.evaluate('bench.outcome()')));
  const done = found.map((one) => one.done);
  const free = Math.min(...found.map((one) => one.free));
  for (const page of [next, other]) await page.close();
  return {
    first: Math.min(...done) - began,
    all: Math.max(...done) - began,
    free: free - began,
    host: found.find((one) => one.host !== undefined)?.host - began,
  };
}

async function failover(engine, { quick }) {
  const { title, losses } = engines[engine];
  return withPages(engine, 'tabs', async (open) => {
    const rows = [];
    for (const [how, atMost] of Object.entries(losses)) {
      const samples = [];
      for (let i = 0; i < (quick ? 3 : 7); i++) samples.push(await lose(open, how));
      const middle = (what) => median(samples.map((sample) => sample[what]));
      rows.push(
        row(`${title}: ${how} to first job of the next host`, 'ms', middle('first'), {
          atMost,
          peers: {
            'its locks free': middle('free'),
            'next host': middle('host'),
            'jobs of all tabs': middle('all'),
          },
        }),
      );
    }
    return rows;
  });
}

/** Groups of rows by name. */
export function tabsGroups({ quick, turns }) {
  const groups = {};
  for (const [engine, { title }] of Object.entries(engines)) {
    groups[`${title}, from another tab`] = () => jobs(engine, turns);
    groups[`${title}: the loss of a host`] = () => failover(engine, { quick });
  }
  return groups;
}
