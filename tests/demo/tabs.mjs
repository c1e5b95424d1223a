// One pool for three tabs: who has it, whose jobs run there, and who has it next.

import assert from 'node:assert/strict';
import { Visit } from './visit.mjs';

class Tab extends Visit {
  /** Drivers do not click in tabs that are in the background. */
  click(selector) {
    return this.page.evaluate((s) => document.querySelector(s).click(), selector);
  }
}

/** In one tier; a tab opened for this part alone starts nothing else. */
export async function checkTabs(engine, browser, url, tier) {
  const freezes = engine === 'chromium' && tier === 'shared';
  // A busy machine must not look like a frozen page.
  const patience = freezes ? '' : '&patience=30000';
  const tabs = [];
  const errors = [];
  const newTab = async () => {
    const page = await browser.newPage();
    page.on('error', (error) => errors.push(String(error.stack ?? error)));
    const tab = new Tab(`${engine} ${tier}`, page);
    tabs.push(tab);
    await tab.open(`${url}/demo/?only=tabs&tier=${tier}${patience}`);
    return tab;
  };
  const [a, b, c] = [await newTab(), await newTab(), await newTab()];
  await c.check('three tabs have one host, and see each other', async () => {
    for (const [index, tab] of [a, b, c].entries()) {
      await showsRoles(tab, { 1: 'host', 2: 'client', 3: 'client' });
      assert.match(await tab.text('#tabs-state'), new RegExp(`^This is tab ${index + 1},`));
    }
    assert.ok(!(await c.isVisible('#pool')));
  });
  await c.check('the jobs of a client run and are drawn, and all tabs see that', async () => {
    assert.ok(await c.page.evaluate(isDrawn, '--kind-3', '#launch-again'));
    await c.wait(`!document.querySelector('#launch-again').disabled`);
    const ended = /^30 of 30 ended in [\d.]+ (ms|s)\.$/;
    assert.match(await c.text('#launch-again-result'), ended);
    await showsCounts(a, 3, '30 done');
  });
  if (tier === 'shared') {
    await c.check('all tabs launch until they are let end', async () => {
      await c.click('#busy');
      for (const number of [1, 2, 3]) await showsCounts(c, number, '[1-9]\\d* done');
      await c.wait(`document.querySelector('#busy').textContent === 'Let them end'`);
      await c.click('#busy');
      for (const number of [1, 2, 3]) await showsCounts(c, number, '\\d+ done( · \\d+ again)?$');
    });
  }
  await c.check('the host is killed, and another tab has the pool', async () => {
    await b.click('#launch-once');
    await showsCounts(c, 2, 'waiting');
    const text = await c.act('kill-host');
    assert.match(
      text,
      /^Tab [23] is host, .* after that; the first job was done after [\d.]+ (ms|s)\.$/,
    );
    await b.wait(`!document.querySelector('#launch-once').disabled`);
    const ended = /^(\d+) of 30 ended in [\d.]+ (?:ms|s)\.(.*)$/.exec(
      await b.text('#launch-once-result'),
    );
    assert.ok(Number(ended?.[1]) >= 20);
    if (Number(ended[1]) < 30) assert.match(ended[2], / HostLostError: .*'demo-tabs'/);
    assert.match(await c.text('#tabs-output'), /tab [23] is host in epoch 2, .* later/);
  });
  if (freezes) await checkFreeze(b, c);
  await c.check('no tab has left anything uncaught', () => assert.deepEqual(errors, []));
  for (const { page } of tabs) await page.close().catch(() => {});
}

/** Only this engine's driver gives each tab a thread of its own, and freezes them. */
async function checkFreeze(b, c) {
  const isHost = /which has the pool/.test(await b.text('#tabs-state'));
  const [host, client] = isHost ? [b, c] : [c, b];
  await client.check('a frozen host is replaced', async () => {
    const number = isHost ? 2 : 3;
    await host.page.freeze(true);
    assert.match(await client.act('launch-again'), /^30 of 30 ended in /);
    await showsRoles(client, { [number]: 'frozen' });
    await host.page.freeze(false);
    await showsRoles(client, { [number]: 'client' });
  });
  await client.check('a host that is kept busy is replaced', async () => {
    const text = await host.act('freeze-host');
    assert.match(text, /^Tab \d is host, [\d.]+ s after that; the first job was done after /);
    assert.match(await host.text('#tabs-output'), /is host in epoch 4, /);
  });
}

/** Waits until a tab shows that these tabs have these roles. */
function showsRoles(tab, roles) {
  const wanted = JSON.stringify(roles);
  return tab.wait(`Object.entries(${wanted}).every(([number, role]) =>
    document.querySelector('#tab-rows [data-tab="' + number + '"]')?.dataset.role === role)`);
}

/** Waits until a tab shows this of the jobs of another. */
function showsCounts(tab, number, pattern) {
  const node = `document.querySelector('#tab-rows [data-tab="${number}"] .tab-counts')`;
  return tab.wait(`new RegExp(${JSON.stringify(pattern)}).test(${node}?.textContent)`);
}

/**
 * In the page: whether the jobs that a button launches are seen on the board in
 * a colour before all of them have ended. What is half on its way counts.
 */
async function isDrawn(name, launches) {
  const canvas = document.querySelector('#tabs-board canvas');
  const context = canvas.getContext('2d');
  const button = document.querySelector(launches);
  const colour = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const wanted = [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
  button.click();
  do {
    await new Promise(requestAnimationFrame);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) {
      // Canvases round what is not opaque.
      const isNear = (value, k) => Math.abs(data[i + k] - value) <= 4;
      if (data[i + 3] >= 128 && wanted.every(isNear)) return true;
    }
  } while (button.disabled);
  return false;
}
