// One engine with the demo open, and what a test does there.

import { waitFor } from '../browser/drivers.mjs';
import { NoAnswer } from '../browser/limit.mjs';

const TIMEOUT = 60_000;

export const total = { passed: 0, failed: 0 };

/** One engine with the demo open. */
export class Visit {
  constructor(engine, page) {
    this.engine = engine;
    this.page = page;
  }

  /** One thing; whatever comes of it, others are looked at as long as there is a browser. */
  async check(name, run) {
    try {
      await run();
      total.passed++;
    } catch (error) {
      if (error instanceof NoAnswer) throw new Error(`${name}: ${error.message}`, { cause: error });
      total.failed++;
      console.log(
        `${this.engine} FAIL ${name}\n    ${String(error.stack).replace(/\n/g, '\n    ')}`,
      );
    }
  }

  wait(condition) {
    return waitFor(this.page, condition, { timeout: TIMEOUT });
  }

  text(selector) {
    return this.page.evaluate(
      (s) => document.querySelector(s).textContent.replace(/\s+/g, ' ').trim(),
      selector,
    );
  }

  /** Clicks in the middle of the window, which no engine refuses. */
  async click(selector) {
    await this.page.evaluate(
      (s) => document.querySelector(s).scrollIntoView({ block: 'center' }),
      selector,
    );
    await this.page.click(selector);
  }

  /** Clicks a button that has an output, and gives what that says at the end. */
  async act(id) {
    // Whoever clicks may go on before the page has heard of it.
    await this.page.evaluate((s) => {
      document.querySelector(s).textContent = '';
    }, `#${id}-result`);
    await this.click(`#${id}`);
    await this.wait(
      `!document.querySelector('#${id}').disabled &&
         /[^…]$/.test(document.querySelector('#${id}-result').textContent)`,
    );
    return this.text(`#${id}-result`);
  }

  /** Opens the demo, with a query, and waits until it has started. */
  async open(address) {
    await this.page.goto(address);
    await this.started();
  }

  /** Clicks what loads the demo anew, and waits until it has started. */
  async follow(selector) {
    await this.page.follow(selector);
    await this.started();
  }

  async started() {
    await this.wait(`document.body.dataset.state !== undefined`);
    const [state, notice] = await this.page.evaluate(() => [
      document.body.dataset.state,
      document.querySelector('#notice').textContent,
    ]);
    if (state !== 'ready') throw new Error(notice.trim());
  }

  /** Waits until the page has drawn so often. */
  frames(number) {
    return this.page.evaluate(async (count) => {
      for (let i = 0; i < count; i++) await new Promise(requestAnimationFrame);
    }, number);
  }

  isVisible(selector) {
    return this.page.evaluate(
      (s) => document.querySelector(s)?.offsetParent instanceof Element,
      selector,
    );
  }

  async counter(name) {
    return Number((await this.text(`#stat-${name}`)).replaceAll(',', ''));
  }

  /** The number of different colours in a canvas. */
  colours(selector) {
    return this.page.evaluate((s) => {
      const canvas = document.querySelector(s);
      const { width, height } = canvas;
      const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
      return new Set(new Uint32Array(data.buffer)).size;
    }, selector);
  }
}
