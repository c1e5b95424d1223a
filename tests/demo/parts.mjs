// What each part of the page is to do, in each tier.

import assert from 'node:assert/strict';

export async function checkExample(visit) {
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

export async function checkPool(visit, tier) {
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
    assert.equal(await visit.act('cancel'), 'A tree of 111 jobs runs.');
    assert.equal(await visit.text('#cancel'), 'Cancel the tree');
    assert.match(
      await visit.act('cancel'),
      /^111 of 111 jobs cancelled, .* in [\d.]+ (µs|ms|s)\.$/,
    );
    assert.equal(await visit.text('#cancel'), 'Grow a tree');
  });
  await visit.check('the counters count', async () => {
    // They are told ten times a second; the tree's are the last ones.
    await visit.wait(
      `document.querySelector('#stat-launched').textContent ===
         document.querySelector('#stat-completed').textContent &&
       Number(document.querySelector('#stat-cancelled').textContent) >= 118`,
    );
    // Where workers have cores of their own, they count what tasks launch.
    const launched = await visit.counter('launched');
    if (tier === 'isolated') assert.equal(launched, 4 + 9 + 111);
    else assert.ok(launched > 102_000);
    assert.ok((await visit.counter('failed')) >= 1);
    if (tier === 'shared') assert.ok((await visit.counter('timers')) >= 1000);
    assert.equal(await visit.counter('workers'), tier === 'inline' ? 0 : 4);
  });
  if (tier === 'inline') {
    await visit.check('the page is free while coroutines run on it', async () => {
      const turns = await page.evaluate(async () => {
        const button = document.querySelector('#launch-100000');
        let count = 0;
        for (button.click(); button.disabled; count++) await new Promise(setTimeout);
        return count;
      });
      assert.ok(turns >= 2, `${turns} turns of the event loop`);
    });
  }
  if (tier === 'shared') await checkLanes(visit);
  else await checkNoLanes(visit);
}

async function checkNoLanes(visit) {
  await visit.check('what cannot be drawn is said in its place', async () => {
    for (const part of ['example', 'pool', 'losses', 'mandelbrot']) {
      const lanes = `#${part}-lanes`;
      assert.match(await visit.text(lanes), /^No lanes: .* needs shared memory\.$/);
      assert.ok(await visit.isVisible(`${lanes} p`));
      assert.ok(!(await visit.isVisible(`${lanes} canvas`)));
    }
  });
}

async function checkLanes(visit) {
  const { page } = visit;
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
    await visit.wait(`document.querySelector('${freeze}').getAttribute('aria-pressed') === 'true'`);
    const look = () =>
      page.evaluate(() => document.querySelector('#pool-lanes canvas').toDataURL());
    await visit.frames(2); // the last one that is drawn
    const before = await look();
    await visit.act('launch-1');
    await visit.frames(2);
    assert.equal(await look(), before);
    await visit.click(freeze);
  });
}

export async function checkLosses(visit, tier) {
  const { page } = visit;
  const others = / 1,000 of 1,000 coroutines that waited have ended as ever\.$/;
  const state = (lost) =>
    visit.wait(
      `/^3 of 3 workers up · ${lost} lost/.test(document.querySelector('#losses-state').textContent)`,
    );
  await visit.check('a crash is the failure of its job', async () => {
    const text = await visit.act('crash');
    const where = tier === 'inline' ? '(this page|main)' : 'crew-[123]';
    assert.match(text, new RegExp(`^RuntimeError: .* on ${where}, which goes on\\. `));
    assert.match(text, others);
    if (tier !== 'inline') await state(0);
  });
  if (tier === 'inline') {
    await visit.check('there is nothing to kill', async () => {
      assert.match(await visit.text('#losses .lead [data-in=inline]'), /nothing to kill/);
      assert.equal(await page.evaluate(() => document.querySelector('#loop')), null);
      assert.ok(!(await visit.isVisible('#losses-output')));
    });
    return;
  }
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
      // Without shared memory they may have waited on that very worker.
      const ended = 'The coroutines that waited on that worker ended with it.';
      if (tier !== 'isolated' || !text.endsWith(ended)) assert.match(text, others);
      assert.ok((await visit.text('#losses-output')).length > length);
    });
  }
  await visit.check('lost workers are replaced, and both is told', async () => {
    // A loop that has not begun may begin on the worker that comes instead.
    await state('([4-9]|\\d\\d)');
    const lines = await visit.text('#losses-output');
    assert.match(
      lines,
      /crew-3 was killed after the time of grace.* crew-3 is there again, after /,
    );
  });
}

export async function checkMandelbrot(visit, tier) {
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
  await visit.check('the event loop is watched', async () => {
    assert.match(await visit.text('#longest-block'), /^[\d.]+ (µs|ms|s)$/);
  });
  if (tier === 'inline') {
    await visit.check('there are no workers to choose from', async () => {
      assert.ok(!(await visit.isVisible('#worker-choice')));
      assert.ok(!(await visit.isVisible('#compare')));
    });
    return;
  }
  await visit.check('numbers of workers compare', async () => {
    await visit.click('#compare');
    await visit.wait(`!document.querySelector('#compare').disabled`);
    const times = await visit.text('#render-times');
    assert.match(times, /1 worker\s*[\d.]+ (ms|s).*2 workers\s*[\d.]+ (ms|s).*4 workers/);
  });
}
