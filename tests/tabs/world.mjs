// The tabs of one situation.

import { waitFor } from '../browser/drivers.mjs';

let names = 0;

export class World {
  constructor(engine, browser, url) {
    this.engine = engine;
    this.browser = browser;
    this.url = url;
    this.name = `tabs-${process.pid}-${names++}`;
    this.pages = [];
    /** Nobody waits for anything in it any more. */
    this.isOver = false;
  }

  /** Opens a tab that takes part in the pool, and waits until there is a host. */
  async open(options = {}, { folder = '/tests/tabs', file = 'page.html', ready = true } = {}) {
    const page = await this.browser.newPage();
    this.pages.push(page);
    page.errors = [];
    page.on('error', (error) => page.errors.push(error.message));
    // A busy machine must not look like a frozen page.
    const query = new URLSearchParams({ name: this.name, patience: '30000', ...options });
    await page.goto(`${this.url}${folder}/${file}?${query}`);
    await waitFor(page, 'Boolean(globalThis.tabs?.launch)');
    if (ready) await page.evaluate('tabs.context.ready');
    return page;
  }

  /** Closes a tab; `crash` ends its process instead. */
  async close(page, how = 'close') {
    this.pages = this.pages.filter((one) => one !== page);
    if (how === 'crash') await page.crash();
    await page.close().catch(() => {});
  }

  /** Closes all tabs, of a browser that may be gone. */
  async end() {
    this.isOver = true;
    await Promise.all(this.pages.map((page) => page.close().catch(() => {})));
  }

  /** Goes back to the page that took part before. */
  async back(page) {
    await page.back();
    // While it goes, there is nothing to ask.
    const isBack = () => page.evaluate('Boolean(globalThis.tabs?.launch)').catch(() => false);
    while (!(await isBack())) {
      if (this.isOver) throw new Error('the page was not back in time');
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  role(page) {
    return page.evaluate('tabs.context.role');
  }

  stats(page) {
    return page.evaluate('tabs.context.stats()');
  }

  /** Launches a job under a number of the test's own. */
  launch(page, id, how, ...call) {
    return page.evaluate((...args) => globalThis.tabs.launch(...args), id, how, ...call);
  }

  /** The value of a job. */
  run(page, ...call) {
    return page.evaluate((...args) => globalThis.tabs.context.async(...args).toPromise(), ...call);
  }

  /** What has become of jobs, by their numbers, once all of these have settled. */
  async outcomes(page, ...ids) {
    await waitFor(page, `tabs.isSettled(...${JSON.stringify(ids)})`);
    const all = await page.evaluate('tabs.outcomes()');
    return Object.fromEntries(all.map((one) => [one.id, one]));
  }

  /** Waits until a page has heard from tasks that this happened to that one. */
  heard(page, type, id) {
    const what = JSON.stringify({ type, id });
    const is = `tabs.news.some((one) => one.type === ${what}.type && one.id === ${what}.id)`;
    return waitFor(page, is);
  }

  async describe() {
    const found = [];
    for (const page of this.pages) {
      const look =
        '({ role: tabs.context.role, ...tabs.context.stats(), events: tabs.events.slice(-5), news: tabs.news, jobs: tabs.outcomes() })';
      const state = page.evaluate(look).catch((error) => ({ error: String(error) }));
      const late = new Promise((done) => setTimeout(done, 2000, 'no answer').unref());
      found.push({ state: await Promise.race([state, late]), errors: page.errors });
    }
    return JSON.stringify(found, null, 1);
  }
}
