// Hosts that go at random, while all pages launch jobs. COWORKER_HOSTS says how many
// go (4), COWORKER_SEED in which ways.

import assert from 'node:assert/strict';
import { waitFor } from '../browser/drivers.mjs';

const HOSTS = Number(process.env.COWORKER_HOSTS ?? 4);
const SEED = Number(process.env.COWORKER_SEED ?? Date.now() % 1e6);
const PAGES = 5;
/** Jobs of each page between two losses. */
const JOBS = HOSTS > 20 ? 15 : 40;

/** Numbers from 0 up to 1. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The page that is host, once there is one. */
async function hostOf(pages) {
  for (;;) {
    for (const page of pages)
      if ((await page.evaluate('tabs.context.role')) === 'host') return page;
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** In the page: launches jobs of all kinds, and notes which workers ran under which epoch. */
function volley(count) {
  const { tabs } = globalThis;
  tabs.total ??= 0;
  tabs.workers ??= {};
  for (let i = 0; i < count; i++) {
    const id = tabs.total++;
    const how = { idempotent: id % 2 === 0 };
    if (id % 5 === 0) tabs.launch(id, how, 'work', id, 5);
    else if (id % 5 === 1) tabs.launch(id, how, 'wait', id, 10);
    else tabs.launch(id, how, 'echo', id);
  }
  const { context } = tabs;
  const { epoch } = context.stats();
  const note = (worker) => {
    if (context.stats().epoch === epoch) (tabs.workers[epoch] ??= []).push(worker);
  };
  const asked = Array.from({ length: 4 }, () => context.async({ idempotent: true }, 'where'));
  return Promise.all(asked.map((job) => job.then(note))).then(() => {});
}

/** In the page: what is wrong with its jobs, all of which have settled. */
function judge() {
  const wrong = [];
  for (const [id, { outcome, times }] of globalThis.tabs.jobs) {
    const isLost = outcome?.error === 'HostLostError' && id % 2 === 1;
    if (times !== 1 || (!isLost && outcome.value !== id)) wrong.push({ id, times, ...outcome });
  }
  const lost = [...globalThis.tabs.jobs.values()].filter(({ outcome }) => outcome.error).length;
  return { wrong, lost, total: globalThis.tabs.total, workers: globalThis.tabs.workers };
}

export const chaos = {
  name: `${HOSTS} hosts that go at random, seed ${SEED}`,
  timeout: 30_000 + HOSTS * 15_000,
  async test(world) {
    const next = random(SEED);
    const ways =
      world.engine === 'chromium' ? ['close', 'crash', 'navigate'] : ['close', 'navigate'];
    const pages = [];
    const byEpoch = new Map();
    const note = (found) => {
      for (const [epoch, workers] of Object.entries(found)) {
        if (!byEpoch.has(epoch)) byEpoch.set(epoch, new Set());
        for (const worker of workers) byEpoch.get(epoch).add(worker);
      }
    };
    for (let i = 0; i < PAGES; i++) pages.push(await world.open());
    for (let lost = 0; lost < HOSTS; lost++) {
      // One of them is waited for, so that each host has run something.
      const [first, ...others] = pages;
      await first.evaluate(volley, JOBS);
      note(await first.evaluate('tabs.workers')); // it may be the one that goes
      for (const page of others) page.evaluate(volley, JOBS).catch(() => {});
      const host = await hostOf(pages);
      pages.splice(pages.indexOf(host), 1);
      const way = ways[Math.floor(next() * ways.length)];
      if (way === 'navigate') await host.goto('about:blank');
      await world.close(host, way === 'crash' ? 'crash' : 'close');
      pages.push(await world.open({}, { ready: false }));
    }
    let total = 0;
    let ended = 0;
    for (const page of pages) {
      await page.evaluate(volley, 1);
      await waitFor(page, '[...tabs.jobs.values()].every(({ outcome }) => outcome)', {
        timeout: 60_000,
      });
      const found = await page.evaluate(judge);
      assert.deepEqual(found.wrong, []);
      total += found.total;
      ended += found.lost;
      note(found.workers);
    }
    for (const [epoch, workers] of byEpoch) {
      assert.ok(workers.size <= 2, `epoch ${epoch} had ${workers.size} workers`);
    }
    assert.ok(byEpoch.size > 1, 'there was more than one host');
    console.log(`  ${total} jobs of pages that are left; ${ended} ended with their host`);
  },
};
