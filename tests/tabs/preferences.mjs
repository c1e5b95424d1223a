// Which page is host, where one is better than the other, and pages that are shown
// again from the back/forward cache.

import assert from 'node:assert/strict';
import { waitFor } from '../browser/drivers.mjs';

/** The page's changes of role, once it is host. */
async function becomesHost(page) {
  await waitFor(page, "tabs.context.role === 'host'");
  return page.evaluate('tabs.events');
}

export const preferences = [
  {
    name: 'a page that can share memory takes the place of one that cannot',
    async test(world) {
      const plain = await world.open({}, { file: 'plain.html' });
      assert.equal((await world.stats(plain)).hostTier, 'isolated');
      // What may not begin again has to end before.
      await world.launch(plain, 'w', {}, 'wait', 'w', 700);
      await world.launch(plain, 'again', { idempotent: true }, 'wait', 'a', 700);
      await world.heard(plain, 'begun', 'w');
      const isolated = await world.open();
      const other = await world.open({}, { file: 'plain.html' });
      for (let n = 0; n < 20; n++) await world.launch(other, `q${n}`, {}, 'add', n, 1);
      assert.deepEqual(await becomesHost(isolated), [{ role: 'host', epoch: 2 }]);
      const own = await world.outcomes(plain, 'w', 'again');
      assert.deepEqual([own.w.value, own.again.value], ['w', 'a']);
      const out = await world.outcomes(other, ...Array.from({ length: 20 }, (_, n) => `q${n}`));
      for (let n = 0; n < 20; n++) assert.equal(out[`q${n}`].value, n + 1, out[`q${n}`].message);
      // Nobody else wants it, so it stays there.
      await world.open();
      for (const page of [plain, isolated, other]) {
        assert.equal(await world.run(page, 'add', 1, 1), 2);
        const { epoch, hostTier } = await world.stats(page);
        assert.deepEqual([epoch, hostTier], [2, 'shared']);
      }
      assert.deepEqual(await plain.evaluate('tabs.events'), [
        { role: 'host', epoch: 1 },
        { role: 'client', epoch: 1 },
      ]);
    },
  },
  {
    name: 'a page that can share memory leaves the host alone if it is to',
    async test(world) {
      const plain = await world.open({ preferIsolated: 'false' }, { file: 'plain.html' });
      const isolated = await world.open();
      assert.equal(await world.run(isolated, 'add', 1, 1), 2);
      assert.deepEqual([await world.role(plain), await world.role(isolated)], ['host', 'client']);
    },
  },
  {
    name: 'a visible page takes the place of one that was hidden for some time',
    engines: ['chromium', 'firefox'],
    reason: 'its driver cannot show a page',
    async test(world) {
      const options = { preferVisible: 400 };
      const first = await world.open(options);
      await world.launch(first, 'w', {}, 'wait', 'w', 1000);
      await world.heard(first, 'begun', 'w');
      const second = await world.open(options); // which hides the first one
      assert.deepEqual(await becomesHost(second), [{ role: 'host', epoch: 2 }]);
      const { w } = await world.outcomes(first, 'w');
      assert.equal(w.value, 'w', w.message);
      await first.show();
      assert.deepEqual((await becomesHost(first)).slice(2), [{ role: 'host', epoch: 3 }]);
      for (const page of [first, second]) {
        assert.equal(await world.run(page, 'add', 1, 1), 2);
        assert.equal((await world.stats(page)).epoch, 3);
      }
    },
  },
  {
    name: 'a page that comes back, as the browser keeps it',
    async test(world) {
      const page = await world.open();
      assert.equal(await world.role(page), 'host');
      const leave = () => page.goto(`${world.url}/tests/tabs/other.html`);
      const wasKept = async () => (await page.evaluate('tabs.shown')).at(-1);
      await leave();
      await world.back(page);
      assert.equal(await world.run(page, 'add', 1, 1), 2);
      assert.equal(await world.role(page), 'host');
      console.log(`  alone it was ${(await wasKept()) ? 'kept' : 'loaded anew'}`);
      if (world.engine === 'chromium') assert.equal(await wasKept(), true);
      // Another page may have it dropped: browsers keep none for whose locks others wait.
      await leave();
      const other = await world.open();
      assert.equal(await world.role(other), 'host');
      await world.back(page);
      assert.equal(await world.run(page, 'add', 1, 1), 2);
      assert.deepEqual([await world.role(page), await world.role(other)], ['client', 'host']);
      console.log(`  with another one it was ${(await wasKept()) ? 'kept' : 'loaded anew'}`);
    },
  },
];
