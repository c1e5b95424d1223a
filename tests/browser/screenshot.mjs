// Takes a picture of a page:
//
//   node tests/browser/screenshot.mjs --url URL --out FILE.png
//     [--engine chromium] [--size 1280x800] [--wait-for EXPRESSION]
//     [--click SELECTOR]... [--then EXPRESSION] [--timeout MS] [--tabs 1]
//
// First waits until the --wait-for expression is true in the page, then clicks
// what is to be clicked, in the order given, then waits for --then. With more than
// one of --tabs, all others are opened before, and wait for --wait-for, too.

import { parseArgs } from 'node:util';
import { launch, waitFor } from './drivers.mjs';

function readOptions() {
  const { values } = parseArgs({
    options: {
      engine: { type: 'string', default: 'chromium' },
      url: { type: 'string' },
      out: { type: 'string' },
      size: { type: 'string', default: '1280x800' },
      'wait-for': { type: 'string' },
      click: { type: 'string', multiple: true, default: [] },
      then: { type: 'string' },
      timeout: { type: 'string', default: '30000' },
      tabs: { type: 'string', default: '1' },
    },
  });
  if (!values.url || !values.out) throw new Error('needs --url and --out');
  const size = /^(\d+)x(\d+)$/.exec(values.size);
  if (!size) throw new Error(`not a size: ${values.size}`);
  return {
    ...values,
    size: { width: Number(size[1]), height: Number(size[2]) },
    timeout: Number(values.timeout),
  };
}

async function main() {
  const options = readOptions();
  const { timeout } = options;
  const browser = await launch(options.engine, { size: options.size });
  try {
    let page;
    for (let tab = 1; tab <= Number(options.tabs); tab++) {
      page = await browser.newPage();
      page.on('console', ({ type, text }) => console.log(`${type}: ${text}`));
      page.on('error', (error) => console.log(`uncaught: ${error.stack}`));
      await page.goto(options.url);
      const condition = options['wait-for'];
      if (condition) await waitFor(page, condition, { timeout });
    }
    for (const selector of options.click) await page.click(selector);
    if (options.then) await waitFor(page, options.then, { timeout });
    await page.screenshot(options.out);
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(`screenshot: ${error.message}`);
  process.exit(1);
});
