// What tabs that share a pool go through.

import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../browser/drivers.mjs';
import { chaos } from './chaos.mjs';
import { preferences } from './preferences.mjs';

const again = { idempotent: true };

export const situations = [
  {
    name: 'one pool for two pages',
    async test(world) {
      const [a, b] = [await world.open(), await world.open()];
      assert.deepEqual([await world.role(a), await world.role(b)], ['host', 'client']);
      const workers = new Set();
      for (const page of [a, b, a, b]) workers.add(await world.run(page, 'where'));
      assert.ok(workers.size <= 2, 'no more workers than the pool has');
      assert.equal(await world.run(b, 'add', 1, 2), 3);
      const error = b.evaluate(() => globalThis.tabs.context.async('fail').catch(String));
      assert.equal(await error, 'RangeError: no good');
      assert.equal((await world.stats(a)).clients, 2);
      assert.equal((await world.stats(b)).epoch, 1);
    },
  },
  {
    name: 'values, progress, streams, cancellation and time limits',
    async test(world) {
      await world.open();
      const client = await world.open();
      const found = await client.evaluate(async () => {
        const { context, stream } = globalThis.tabs;
        const told = [];
        const end = await context.async({ onProgress: (i) => told.push(i) }, 'tell', 4);
        const items = [];
        for await (const i of stream(context, { credit: 2 }, 'count', 5)) items.push(i);
        const job = context.async('wait', 'cancelled');
        job.cancel('enough');
        const cancelled = await job.catch((error) => error.message);
        const late = await context.async({ timeout: 20 }, 'wait', 'late').catch((e) => e.name);
        const map = await context.async('echo', new Map([['a', new Date(5)]]));
        const big = await context.async('echo', new Float64Array(1e6).fill(7));
        return {
          told,
          end,
          items,
          cancelled,
          late,
          map: map.get('a').getTime(),
          big: big[999_999],
        };
      });
      assert.deepEqual(found, {
        told: [0, 1, 2, 3],
        end: 'told',
        items: [0, 1, 2, 3, 4],
        cancelled: "the job was cancelled: 'enough'",
        late: 'TimeoutCancellationError',
        map: 5,
        big: 7,
      });
    },
  },
  ...['close', 'navigate', 'reload', 'crash'].map((how) => ({
    name: `a host that is lost: ${how}`,
    ...(how === 'crash' && { engines: ['chromium'], reason: 'its driver cannot crash a page' }),
    async test(world) {
      const host = await world.open();
      const client = await world.open();
      await world.launch(client, 'idempotent', again, 'wait', 'i', 1500);
      await world.launch(client, 'plain', {}, 'wait', 'p', 1500);
      await world.heard(client, 'begun', 'p');
      // Both workers are kept, so these have to stand in line.
      for (const id of ['k1', 'k2']) await world.launch(client, id, again, 'work', id, 1000);
      await world.heard(client, 'begun', 'k2');
      for (let n = 0; n < 20; n++) await world.launch(client, `q${n}`, {}, 'add', n, 1);
      if (how === 'navigate') await host.goto('about:blank');
      else if (how === 'reload')
        await host.goto(`${world.url}/tests/tabs/page.html?name=${world.name}&patience=30000`);
      else await world.close(host, how);
      const out = await world.outcomes(client, 'idempotent', 'plain', 'k1', 'k2', 'q19');
      assert.equal(out.idempotent.value, 'i');
      assert.equal(out.plain.error, 'HostLostError', out.plain.message);
      assert.match(out.plain.message, /while it ran 'wait'/);
      assert.deepEqual([out.k1.value, out.k2.value], ['k1', 'k2']);
      // A worker may be about to begin one each.
      const values = Array.from({ length: 20 }, (_, n) => out[`q${n}`]);
      const lost = values.filter(({ error }) => error === 'HostLostError');
      assert.ok(lost.length <= 2, `${lost.length} that had not begun were lost`);
      for (const [n, { value, error }] of values.entries()) if (!error) assert.equal(value, n + 1);
      assert.ok(Object.values(out).every(({ times }) => times === 1));
      assert.equal(await world.role(client), 'host');
      assert.equal((await world.stats(client)).epoch, 2);
    },
  })),
  ...['close', 'crash'].map((how) => ({
    name: `a client that is lost: ${how}`,
    ...(how === 'crash' && { engines: ['chromium'], reason: 'its driver cannot crash a page' }),
    async test(world) {
      const host = await world.open();
      const client = await world.open();
      const other = await world.open();
      await world.launch(client, 'w', {}, 'wait', 'w');
      await world.launch(other, 'o', {}, 'wait', 'o');
      await world.heard(host, 'begun', 'w');
      await world.heard(host, 'begun', 'o');
      await world.close(client, how);
      await world.heard(host, 'cancelled', 'w');
      assert.equal(await world.run(other, 'add', 2, 2), 4);
      assert.equal((await world.stats(host)).clients, 2);
      const news = await host.evaluate('tabs.news');
      assert.ok(!news.some(({ type, id }) => type !== 'begun' && id === 'o'));
    },
  })),
  {
    name: 'a page that is invited again while it is there',
    async test(world) {
      const host = await world.open();
      const client = await world.open();
      await world.launch(client, 'w', {}, 'wait', 'w', 1000);
      await world.heard(client, 'begun', 'w');
      for (let n = 0; n < 3; n++) await client.evaluate('tabs.context.seat.meeting.seek()');
      assert.equal(await world.run(client, 'add', 2, 2), 4);
      const { w } = await world.outcomes(client, 'w');
      assert.equal(w.value, 'w', w.message);
      assert.equal((await world.stats(host)).clients, 2);
    },
  },
  {
    name: 'a host that is busy for too long',
    engines: ['chromium'],
    reason: 'its driver opens tabs that share a thread',
    async test(world) {
      const host = await world.open({ patience: 1000 });
      const client = await world.open({ patience: 1000 });
      assert.equal(await world.run(client, 'add', 1, 1), 2);
      const busy = host.evaluate(() => {
        setTimeout(() => {
          const end = performance.now() + 8000;
          while (performance.now() < end);
        }, 0);
      });
      await busy;
      const began = Date.now();
      await world.launch(client, 'a', again, 'add', 20, 1);
      const { a } = await world.outcomes(client, 'a');
      assert.equal(a.value, 21);
      assert.ok(Date.now() - began < 7000, 'it was not waited for');
      assert.equal(await world.role(client), 'host');
      // The old one learns it as soon as it is awake.
      await waitFor(host, "tabs.context.role === 'client'");
      assert.equal(await world.run(host, 'add', 1, 1), 2);
      const stats = [await world.stats(host), await world.stats(client)];
      assert.deepEqual(
        stats.map(({ epoch, clients }) => [epoch, clients]),
        [
          [2, 0],
          [2, 2],
        ],
      );
    },
  },
  {
    name: 'a frozen host',
    engines: ['chromium'],
    reason: 'its driver cannot freeze a page',
    async test(world) {
      const host = await world.open({ patience: 500 });
      const client = await world.open({ patience: 500 });
      await host.freeze(true);
      const began = Date.now();
      await world.launch(client, 'a', again, 'add', 20, 1);
      const { a } = await world.outcomes(client, 'a');
      assert.equal(a.value, 21);
      console.log(`  replaced and done after ${Date.now() - began} ms`);
      await host.freeze(false);
      await waitFor(host, "tabs.context.role === 'client'");
      assert.equal(await world.run(host, 'add', 1, 1), 2);
    },
  },
  {
    name: 'a page that is hidden, and shown again',
    async test(world) {
      const host = await world.open();
      const client = await world.open();
      const tell = (type) =>
        host.evaluate((name) => {
          dispatchEvent(new PageTransitionEvent(name, { persisted: true }));
        }, type);
      await tell('pagehide');
      await waitFor(client, "tabs.context.role === 'host'");
      await tell('pageshow');
      assert.equal(await world.run(host, 'add', 1, 1), 2);
      assert.deepEqual([await world.role(host), await world.role(client)], ['client', 'host']);
    },
  },
  {
    name: 'a host that closes its context hands over',
    async test(world) {
      const host = await world.open();
      const client = await world.open();
      await world.launch(client, 'w', {}, 'wait', 'w', 200);
      await world.heard(client, 'begun', 'w');
      await host.evaluate('tabs.context.close()');
      const { w } = await world.outcomes(client, 'w');
      assert.equal(w.value, 'w');
      assert.equal(await world.run(client, 'add', 1, 1), 2);
      assert.equal(await world.role(client), 'host');
      await client.evaluate('tabs.context.close()');
    },
  },
  ...Object.entries({
    broadcast: [{ broker: 'broadcast' }, { broker: 'broadcast' }],
    'without SharedWorker': [{ without: 'SharedWorker' }, { without: 'SharedWorker' }],
    'a broker that hands nothing over': [{ silent: 1 }, { silent: 1 }],
    'the same for the host only': [{ silent: 1 }, {}],
    'the same for the client only': [{}, { silent: 1 }],
  }).map(([how, [ofHost, ofClient]]) => ({
    name: `no ports: ${how}`,
    async test(world) {
      const host = await world.open(ofHost);
      const client = await world.open(ofClient);
      assert.equal(await world.run(client, 'add', 1, 2), 3);
      await world.close(host);
      // The page may still be on its way out, and take the job along.
      assert.equal(await world.run(client, { idempotent: true }, 'add', 1, 2), 3);
      assert.equal(await world.role(client), 'host');
    },
  })),
  {
    name: 'a pool without shared memory',
    async test(world) {
      const host = await world.open({ tier: 'isolated', preferIsolated: 'false' });
      const client = await world.open();
      assert.equal((await world.stats(client)).hostTier, 'isolated');
      assert.equal(await world.run(client, 'add', 1, 2), 3);
      await world.close(host);
      // The page may still be on its way out, and take the job along.
      assert.equal(await world.run(client, { idempotent: true }, 'add', 1, 2), 3);
      assert.equal((await world.stats(client)).hostTier, 'shared');
    },
  },
  {
    name: 'pages of two versions have two pools',
    async test(world) {
      const root = fileURLToPath(new URL('../../', import.meta.url));
      const folder = `${root}build/tabs-skew`;
      await rm(folder, { recursive: true, force: true });
      await mkdir(`${folder}/tests`, { recursive: true });
      await cp(`${root}dist`, `${folder}/dist`, { recursive: true });
      await cp(`${root}tests/tabs`, `${folder}/tests/tabs`, { recursive: true });
      const layout = `${folder}/dist/layout.gen.js`;
      const text = await readFile(layout, 'utf8');
      await writeFile(layout, text.replace(/VERSION = '[^']*'/, "VERSION = '9.9.9'"));
      const old = await world.open();
      const other = await world.open({}, { folder: '/build/tabs-skew/tests/tabs' });
      assert.deepEqual([await world.role(old), await world.role(other)], ['host', 'host']);
      assert.equal(await world.run(other, 'add', 1, 2), 3);
      assert.equal((await world.stats(old)).clients, 1);
      await rm(folder, { recursive: true, force: true });
    },
  },
  ...preferences,
  chaos,
];
