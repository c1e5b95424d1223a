// The pages of the benchmarks, bundled and opened in a fresh browser.

import { build } from 'vite';
import { launch, waitFor } from '../tests/browser/drivers.mjs';
import { startServer } from '../tools/serve.mjs';

const PAGES = 'build/bench';

/** Bundles the pages, as their users do: modules of their own take long to load. */
async function bundle() {
  await build({
    configFile: false,
    logLevel: 'error',
    base: `/${PAGES}/`,
    worker: { format: 'es' },
    build: {
      outDir: PAGES,
      emptyOutDir: true,
      target: 'esnext',
      assetsInlineLimit: 0,
      rollupOptions: { input: ['bench/browser/page.html', 'bench/browser/tabs.html'] },
    },
  });
}

let bundled;

/** Hands what opens a page in a fresh browser to `use`. */
export async function withPages(engine, name, use) {
  await (bundled ??= bundle());
  const server = await startServer({ root: '.' });
  try {
    const browser = await launch(engine, { limit: Infinity });
    try {
      const open = async () => {
        const page = await browser.newPage();
        await page.goto(`${server.url}/${PAGES}/bench/browser/${name}.html`);
        await waitFor(page, 'globalThis.bench !== undefined');
        return page;
      };
      return await use(open);
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}
