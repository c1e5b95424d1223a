// Uses the demo page as a person would, in browsers:
//
//   node tests/demo/demo.test.mjs [--engine chromium,firefox,webkit]
//
// The exit code is 0 only if everything went as it should in each engine.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '../../tools/serve.mjs';
import { engines, launch, waitFor } from '../browser/drivers.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT = 60_000;

const total = { passed: 0, failed: 0 };

/** One engine with the demo open. */
class Visit {
  constructor(engine, page) {
    this.engine = engine;
    this.page = page;
  }

  async check(name, run) {
    try {
      await run();
      total.passed++;
    } catch (error) {
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

  /** Clicks a button of the pool's and gives what it says at the end. */
  async act(id) {
    await this.click(`#${id}`);
    await this.wait(`!document.querySelector('#${id}').disabled`);
    return this.text(`#${id}-result`);
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

async function checkExample(visit) {
  const { page } = visit;
  await visit.check('the code shown is the code that runs', async () => {
    for (const [index, file] of ['main.js', 'tasks.js', 'worker.js'].entries()) {
      await visit.click(`#tab-${index}`);
      const [shown, source] = await page.evaluate(async (name) => {
        const response = await fetch(`example/${name}`);
        return [document.querySelector('#code-text').textContent, await response.text()];
      }, file);
      assert.equal(shown, source);
    }
  });
  await visit.check('the example greets after a second', async () => {
    await visit.click('#run');
    await visit.wait(`document.querySelector('#run-time').textContent.startsWith('Done')`);
    const lines = await page.evaluate(() =>
      [...document.querySelectorAll('#output li')].map((line) => line.textContent),
    );
    assert.equal(lines.length, 3);
    for (const [index, name] of ['Ada', 'Grace', 'Linus'].entries()) {
      const [, seconds, who] =
        /^(\d+\.\d+) s (\w+), I'm executing in worker-context-[123]$/.exec(lines[index]) ?? [];
      assert.equal(who, name, lines[index]);
      assert.ok(Number(seconds) >= 0.99, lines[index]);
    }
  });
}

async function checkPool(visit) {
  const { page } = visit;
  for (const [id, shown] of [
    ['1', '1'],
    ['1000', '1,000'],
    ['100000', '100,000'],
  ]) {
    await visit.check(`launches ${shown}`, async () => {
      const text = await visit.act(`launch-${id}`);
      assert.match(text, new RegExp(`^${shown} ended in [\\d.]+ (µs|ms|s)`));
    });
  }
  await visit.check('a thousand delays take one', async () => {
    const text = await visit.act('delay');
    const seconds = Number(/^1,000 delays of 1 s ended in ([\d.]+) s,/.exec(text)?.[1]);
    assert.ok(seconds >= 1 && seconds < 5, text);
  });
  await visit.check('a failure cancels its siblings', async () => {
    const text = await visit.act('fail');
    assert.match(text, /^RangeError: chapter 5 has no end in task writeChapter on pool-[1-4]\. /);
    assert.match(text, / 7 siblings cancelled; /);
  });
  await visit.check('a tree is cancelled', async () => {
    await visit.act('cancel');
    await visit.wait(`document.querySelector('#stat-launched').textContent !== ''`);
    await new Promise((done) => setTimeout(done, 500));
    assert.equal(await visit.text('#cancel'), 'Cancel the tree');
    assert.match(
      await visit.act('cancel'),
      /^111 of 111 jobs cancelled, .* in [\d.]+ (µs|ms|s)\.$/,
    );
    assert.equal(await visit.text('#cancel'), 'Grow a tree');
  });
  await visit.check('the counters count', async () => {
    await visit.wait(
      `document.querySelector('#stat-launched').textContent ===
         document.querySelector('#stat-completed').textContent`,
    );
    assert.ok((await visit.counter('launched')) > 102_000);
    assert.ok((await visit.counter('cancelled')) >= 118);
    assert.ok((await visit.counter('failed')) >= 1);
    assert.ok((await visit.counter('timers')) >= 1000);
    assert.equal(await visit.counter('workers'), 4);
  });
  await visit.check('the lanes are drawn', async () => {
    const legend = await visit.text('#pool-lanes .legend');
    for (const name of ['launch_many', 'delay_many', 'member', 'steals']) {
      assert.ok(legend.includes(name), legend);
    }
    await page.evaluate(() => document.querySelector('#pool-lanes').scrollIntoView());
    await visit.wait(() => {
      const canvas = document.querySelector('#pool-lanes canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size > 4;
    });
  });
  await visit.check('the lanes freeze', async () => {
    const freeze = '#pool-lanes .view-controls > :last-child button';
    await visit.click(freeze);
    const look = () =>
      page.evaluate(() => document.querySelector('#pool-lanes canvas').toDataURL());
    await new Promise((done) => setTimeout(done, 200));
    const before = await look();
    await visit.act('launch-1');
    assert.equal(await look(), before);
    await visit.click(freeze);
  });
}

async function checkLosses(visit) {
  const others = / 1,000 of 1,000 coroutines .* have ended as ever\.$/;
  const state = (lost) =>
    visit.wait(
      `document.querySelector('#losses-state').textContent.startsWith('3 of 3 workers up · ${lost} lost')`,
    );
  await visit.check('a crash is the failure of its job', async () => {
    const text = await visit.act('crash');
    assert.match(text, /^RuntimeError: .* on crew-[123]\. The worker goes on, and /);
    assert.match(text, / 1,000 of 1,000 coroutines have ended as ever\.$/);
    await state(0);
  });
  await visit.check('an endless loop is cancelled and killed', async () => {
    await visit.click('#loop');
    await visit.wait(`document.querySelector('#loop').textContent === 'Cancel the loop'`);
    const text = await visit.act('loop');
    assert.match(
      text,
      /^WorkerLostError: .*worker 'crew-[123]' was killed after the time of grace/,
    );
    assert.match(text, others);
    await state(1);
  });
  for (const number of [2, 1, 3]) {
    await visit.check(`worker ${number} is killed by a click`, async () => {
      const { length } = await visit.text('#losses-output');
      const text = await visit.act(`kill-${number}`);
      assert.ok(text.includes(`worker 'crew-${number}' was killed`), text);
      assert.match(text, others);
      assert.ok((await visit.text('#losses-output')).length > length);
    });
  }
  await visit.check('lost workers are replaced, and both is told', async () => {
    await state(4);
    const lines = await visit.text('#losses-output');
    assert.match(
      lines,
      /crew-3 was killed after the time of grace.* crew-3 is there again, after /,
    );
  });
}

async function checkMandelbrot(visit) {
  const { page } = visit;
  const complete = () =>
    visit.wait(`/ tiles in /.test(document.querySelector('#render-status').textContent)`);
  const place = () => visit.text('#place');

  await visit.check('the set is drawn', async () => {
    await complete();
    assert.ok((await visit.colours('#fractal')) > 500);
  });
  await visit.check('buttons zoom', async () => {
    const before = await place();
    await visit.click('#zoom-in');
    await visit.wait(`/1\\.\\d×/.test(document.querySelector('#place').textContent)`);
    assert.notEqual(await place(), before);
    await complete();
  });
  await visit.check('dragging moves', async () => {
    const before = await place();
    await page.evaluate(() => {
      const canvas = document.querySelector('#fractal');
      const box = canvas.getBoundingClientRect();
      canvas.setPointerCapture = () => {}; // there is no real pointer
      for (const [type, x] of [
        ['pointerdown', 300],
        ['pointermove', 250],
        ['pointermove', 200],
        ['pointerup', 200],
      ]) {
        const clientX = box.left + x;
        const clientY = box.top + 100;
        const init = { pointerId: 1, button: 0, clientX, clientY, bubbles: true };
        canvas.dispatchEvent(new PointerEvent(type, init));
      }
      delete canvas.setPointerCapture;
    });
    await visit.wait(`document.querySelector('#place').textContent !== ${JSON.stringify(before)}`);
    await complete();
  });
  await visit.check('the wheel zooms and cancels stale tiles', async () => {
    const counts = await page.evaluate(async () => {
      const canvas = document.querySelector('#fractal');
      const box = canvas.getBoundingClientRect();
      const counted = () => document.querySelector('#tile-counts').textContent;
      canvas.dispatchEvent(new KeyboardEvent('keydown', { key: '0', bubbles: true }));
      // Down to a place with much to compute, and up again, for as long as it
      // takes where frames are slow.
      for (let i = 0; i < 400 && /cancelled0$/.test(counted()); i++) {
        const clientX = box.left + box.width / 2 - 8;
        const clientY = box.top + box.height / 2 - 20;
        const deltaY = i % 50 < 25 ? -100 : 100;
        const init = { deltaY, clientX, clientY, bubbles: true, cancelable: true };
        canvas.dispatchEvent(new WheelEvent('wheel', init));
        await new Promise((done) => setTimeout(done, 50));
      }
      return counted();
    });
    assert.match(counts, /cancelled[1-9][\d,]*$/);
  });
  await visit.check('keys lead back to the start', async () => {
    await page.evaluate(() => {
      const canvas = document.querySelector('#fractal');
      canvas.dispatchEvent(new KeyboardEvent('keydown', { key: '0', bubbles: true }));
    });
    await visit.wait(`document.querySelector('#place').textContent.startsWith('-0.7')`);
    await complete();
  });
  await visit.check('numbers of workers compare', async () => {
    await visit.click('#compare');
    await visit.wait(`!document.querySelector('#compare').disabled`);
    const times = await visit.text('#render-times');
    assert.match(times, /1 worker\s*[\d.]+ (ms|s).*2 workers\s*[\d.]+ (ms|s).*4 workers/);
  });
  await visit.check('the event loop is watched', async () => {
    assert.match(await visit.text('#longest-block'), /^[\d.]+ (µs|ms|s)$/);
  });
}

/** What runs where memory cannot be shared. */
async function checkWithoutIsolation(engine, browser) {
  const server = await startServer({ root: ROOT, headers: 'none' });
  const visit = new Visit(engine, await browser.newPage());
  await visit.check('runs without isolation, and says what is missing for more', async () => {
    await visit.page.goto(`${server.url}/demo/`);
    await visit.wait(`document.body.dataset.state === 'stopped'`);
    const text = await visit.text('#notice');
    assert.match(text, /tier “isolated”.*Cross-Origin-Opener-Policy.*make demo/);
    await visit.click('#run');
    await visit.wait(`/^Done/.test(document.querySelector('#run-time').textContent)`);
    assert.match(await visit.text('#output'), /Ada.*worker-context-[123]/);
    const isHidden = await visit.page.evaluate(
      () => document.querySelector('#pool').offsetParent === null,
    );
    assert.ok(isHidden);
  });
  await visit.page.close();
  await server.close();
}

async function runEngine(engine, server) {
  const started = performance.now();
  const before = { ...total };
  const browser = await launch(engine);
  try {
    const page = await browser.newPage();
    const visit = new Visit(engine, page);
    const errors = [];
    page.on('error', (error) => errors.push(String(error.stack ?? error)));
    await visit.check('starts', async () => {
      await page.goto(`${server.url}/demo/`);
      await visit.wait(`document.body.dataset.state !== undefined`);
      assert.equal(await page.evaluate('document.body.dataset.state'), 'ready');
    });
    await checkExample(visit);
    await checkPool(visit);
    await checkLosses(visit);
    await checkMandelbrot(visit);
    await visit.check('nothing was left uncaught', () => assert.deepEqual(errors, []));
    await checkWithoutIsolation(engine, browser);
  } finally {
    await browser.close();
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const [passed, failed] = [total.passed - before.passed, total.failed - before.failed];
  console.log(`${engine} ${browser.version}: ${passed} passed, ${failed} failed (${seconds} s)`);
}

async function main() {
  const { values } = parseArgs({
    options: { engine: { type: 'string', default: engines.join(',') } },
  });
  const server = await startServer({ root: ROOT });
  for (const engine of values.engine.split(',')) {
    try {
      await runEngine(engine, server);
    } catch (error) {
      total.failed++;
      console.log(`${engine} FAIL ${error.message}`);
    }
  }
  await server.close();
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

main().catch((error) => {
  console.error(`tests/demo: ${error.message}`);
  process.exit(1);
});
