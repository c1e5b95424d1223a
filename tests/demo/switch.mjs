// The tier switch, and what the page says of its tier.

import assert from 'node:assert/strict';

/** What the switch shows. */
const look = (page) =>
  page.evaluate(() => {
    const { tier } = document.body.dataset;
    const all = [...document.querySelectorAll('#tier-choice button')];
    const having = (name, value) =>
      all.filter((node) => node.getAttribute(name) === value).map(({ textContent }) => textContent);
    return { tier, pressed: having('aria-pressed', 'true'), not: having('aria-disabled', 'true') };
  });

/** In a page that can have all of them. */
export async function checkSwitch(visit, url) {
  const { page } = visit;
  await visit.check('the switch shows the tier', async () => {
    await visit.open(`${url}/demo/`);
    assert.deepEqual(await look(page), { tier: 'shared', pressed: ['shared'], not: [] });
    assert.ok(!(await visit.isVisible('#notice')));
  });
  for (const tier of ['isolated', 'inline', 'shared']) {
    await visit.check(`it switches to ${tier}`, async () => {
      await visit.follow(`#tier-${tier}`);
      assert.deepEqual(await look(page), { tier, pressed: [tier], not: [] });
      const links = await page.evaluate(() =>
        [...document.querySelectorAll('nav a')].map(({ search }) => search),
      );
      assert.deepEqual([...new Set(links)], [`?tier=${tier}`]);
      assert.equal(await visit.isVisible('#notice'), tier !== 'shared');
      if (tier === 'shared') return;
      assert.match(
        await visit.text('#notice'),
        new RegExp(`tier “${tier}” The address asks for it. The best .* is “shared”\\.`),
      );
    });
  }
  await visit.check('a tier that is none is told', async () => {
    await visit.open(`${url}/demo/?tier=best`);
    assert.equal((await look(page)).tier, 'shared');
    assert.match(await visit.text('#notice'), /“best”, which is no tier/);
  });
}

/** In a page without the headers. */
export async function checkSwitchWithoutHeaders(visit, url) {
  const { page } = visit;
  const isolated = { tier: 'isolated', pressed: ['isolated'], not: ['shared'] };
  await visit.check('without headers it says what is missing, and the fix', async () => {
    await visit.open(`${url}/demo/`);
    assert.deepEqual(await look(page), isolated);
    const text = await visit.text('#notice');
    assert.match(
      text,
      /tier “isolated” Why not “shared”: .*Cross-Origin-Opener-Policy.*; serve it/,
    );
    assert.match(text, /Cross-Origin-Embedder-Policy: require-corp.*make demo/);
  });
  await visit.check('a tier that cannot be is no choice, and says why', async () => {
    const [isFocused, why] = await page.evaluate(() => {
      const node = document.querySelector('#tier-shared');
      node.focus();
      node.click();
      const { textContent } = document.getElementById(node.getAttribute('aria-describedby'));
      return [document.activeElement === node, textContent];
    });
    assert.ok(isFocused);
    assert.match(why, /^Not in this page: .*Cross-Origin-Opener-Policy/);
    assert.deepEqual(await look(page), isolated);
    assert.equal(await page.evaluate('location.search'), '');
  });
  await visit.check('the address cannot force it', async () => {
    await visit.open(`${url}/demo/?tier=shared`);
    assert.deepEqual(await look(page), isolated);
    assert.match(await visit.text('#notice'), /asks for “shared”, which cannot be here\./);
  });
}
