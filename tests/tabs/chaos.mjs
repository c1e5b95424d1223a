// Hosts that go at random, while all pages launch jobs. COWORKER_HOSTS says how many
// go (4), COWORKER_JOBS how many jobs there are at least (400), COWORKER_SEED who goes,
// when and in which way. What happened is in a ledger outside of the browser, which
// knows of each job who has begun it and what has become of it.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../browser/drivers.mjs';
import { Ledger } from './ledger.mjs';

const HOSTS = Number(process.env.COWORKER_HOSTS ?? 4);
const JOBS = Number(process.env.COWORKER_JOBS ?? HOSTS * 100);
const SEED = Number(process.env.COWORKER_SEED ?? Date.now() % 1e6);
const PAGES = 5;
/** Jobs that a page launches between two losses; those of one go with it. */
const VOLLEY = Math.ceil(JOBS / HOSTS / (PAGES - 1));
/** A page goes some time after all have launched jobs, in milliseconds below this. */
const LATEST = 250;
/** Not the host, but any page goes instead, once in so many times. */
const ANY = 8;

/** Numbers from 0 up to below what is asked for. */
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** In which ways pages go; false: it has not. Some come back, for others have taken their place. */
const ways = {
  close: (world, page) => world.close(page),
  navigate: async (world, page) => {
    await page.goto('about:blank');
    await world.close(page);
  },
  shut: async (world, page) => {
    await page.evaluate('tabs.shut()');
    await world.close(page);
  },
  // In the middle of that.
  leave: async (world, page) => {
    await page.evaluate('void tabs.shut()');
    await world.close(page);
  },
  crash: (world, page) => world.close(page, 'crash'),
  usurp: (world, page, other) => other.evaluate('tabs.usurp()'),
  freeze: async (world, page, other) => {
    await page.freeze(true);
    const isOver = await other.evaluate('tabs.usurp()');
    await page.freeze(false);
    return isOver;
  },
};
const STAYS = ['usurp', 'freeze'];
const ONLY_CHROMIUM = ['crash', 'freeze'];

class Chaos {
  ledger;
  #world;
  #pick = random(SEED);
  #ways;
  #pages = [];
  /** Pages that were opened. */
  opened = 0;
  /** Hosts that went, by way. */
  lost = new Map();
  /** Other pages that did. */
  others = 0;
  /** Jobs of pages that are there no longer. */
  #before = 0;

  constructor(world) {
    this.#world = world;
    this.ledger = new Ledger(world.name);
    this.#ways = Object.keys(ways).filter(
      (way) => world.engine === 'chromium' || !ONLY_CHROMIUM.includes(way),
    );
  }

  get hosts() {
    return [...this.lost.values()].reduce((sum, count) => sum + count, 0);
  }

  async open() {
    const name = `p${this.opened++}`;
    const options = { page: name, patience: 10_000 };
    // Some talk over channels instead of ports.
    if (this.#pick(4) === 0) options.broker = 'broadcast';
    const page = await this.#world.open(options, { file: 'chaos.html', ready: false });
    Object.assign(page, { name, launched: 0 });
    this.#pages.push(page);
  }

  /** All pages launch so many jobs. */
  async volley(count) {
    for (const page of this.#pages) page.launched += count;
    await Promise.all(this.#pages.map((page) => page.evaluate(`tabs.volley(${count})`)));
  }

  /** The page that is host, once there is one. */
  async #host() {
    for (;;) {
      const next = this.ledger.nextReign(); // before the look, so that none is missed
      const page = this.#pages.find(({ name }) => name === this.ledger.host);
      if (page && (await page.evaluate('tabs.context.role')) === 'host') return page;
      await next;
    }
  }

  /** Jobs that were launched. */
  get total() {
    return this.#pages.reduce((sum, { launched }) => sum + launched, this.#before);
  }

  /** One page goes, and another one comes. */
  async lose() {
    const pick = this.#pick;
    const way = this.#ways[pick(this.#ways.length)];
    const isAny = !STAYS.includes(way) && pick(ANY) === 0;
    const any = pick(PAGES);
    await sleep(pick(LATEST));
    const host = await this.#host();
    const page = isAny ? this.#pages[any] : host;
    const rest = this.#pages.filter((one) => one !== page);
    if ((await ways[way](this.#world, page, rest[any % rest.length])) === false) return;
    if (page === host) this.lost.set(way, (this.lost.get(way) ?? 0) + 1);
    else this.others++;
    if (STAYS.includes(way)) return;
    this.#before += page.launched;
    this.#pages = rest;
    await this.open();
  }

  /** Waits until every job of the pages that are left has settled. */
  async settle() {
    for (const page of this.#pages) await waitFor(page, 'tabs.isOver()', { timeout: 60_000 });
  }

  /** Jobs of the pages that are left of which nobody has heard. */
  get unheard() {
    const jobs = this.#pages.flatMap(({ name, launched }) =>
      Array.from({ length: launched }, (_, number) => `${name}:${number}`),
    );
    return jobs.filter((job) => !this.ledger.outcomes.has(job));
  }
}

async function run(world) {
  const chaos = new Chaos(world);
  const { ledger } = chaos;
  const began = performance.now();
  for (let i = 0; i < PAGES; i++) await chaos.open();
  while (chaos.hosts < HOSTS) {
    await chaos.volley(VOLLEY);
    await chaos.lose();
    assert.deepEqual(ledger.faults, []);
  }
  await chaos.volley(1);
  await chaos.settle();
  while (ledger.outcomes.size < JOBS) {
    await chaos.volley(VOLLEY);
    await chaos.settle();
  }
  assert.deepEqual(chaos.unheard, []);
  assert.deepEqual(ledger.faults, []);
  for (const [epoch, pages] of ledger.pools) {
    assert.deepEqual([...pages], [ledger.reigns.get(epoch)], `epoch ${epoch}`);
  }
  assert.ok(ledger.reigns.size > HOSTS, `${ledger.reigns.size} hosts`);
  ledger.close(world.name);
  const seconds = Math.round((performance.now() - began) / 1000);
  const runs = [...ledger.runs.values()].map(({ length }) => length);
  const lost = [...chaos.lost].map(([way, count]) => `${way} ${count}`).join(', ');
  console.log(
    [
      `  ${chaos.total} jobs of ${chaos.opened} pages in ${seconds} s`,
      `hosts that went: ${chaos.hosts} (${lost}), and ${chaos.others} other pages`,
      `epochs: ${ledger.reigns.size}, of which ${ledger.pools.size} ran jobs, each in one pool`,
      `jobs settled: ${ledger.outcomes.size}, once each: ${ledger.count('value')} values, ` +
        `${ledger.count('CancellationError')} cancelled, ${ledger.count('HostLostError')} ended with their host`,
      `jobs begun: ${runs.length}, of which ${runs.filter((length) => length > 1).length} more than once, ` +
        `${Math.max(...runs)} times at most; ${ledger.late} results taken by the next host`,
    ].join('\n  '),
  );
}

export const chaos = {
  name: `hosts that go at random: COWORKER_HOSTS=${HOSTS} COWORKER_JOBS=${JOBS} COWORKER_SEED=${SEED}`,
  timeout: 30_000 + HOSTS * 15_000,
  test: run,
};
