// Starts the parts of the page, or says why they cannot start.

import { showCode } from './code-view.js';
import { byId } from './dom.js';

/** Shows a clear message instead of a page whose buttons do nothing. */
function explain(error) {
  byId('notice-title').textContent = 'The demo could not start';
  byId('notice-text').textContent = error?.message ?? String(error);
  byId('notice-hint').hidden = false;
  byId('notice').hidden = false;
  document.body.dataset.state = 'stopped';
  console.error(error);
}

/** Starts one part; until then its section is not much to look at. */
async function start(id, begin) {
  await begin();
  byId(id).dataset.started = '';
}

/** Another tab that is opened for one part shows no more than that. */
const parts = {
  example: async () => (await import('./example.js')).startExample(),
  pool: async () => (await import('./controls.js')).startControls(),
  losses: async () => (await import('./losses.js')).startLosses(),
  mandelbrot: async () => (await import('./mandelbrot.js')).startMandelbrot(),
  tabs: async () => (await import('./tabs.js')).startTabs(),
};

try {
  const only = new URLSearchParams(location.search).get('only');
  if (only === 'tabs') document.body.dataset.only = only;
  const code = showCode(byId('code'), 'example/', ['main.js', 'tasks.js', 'worker.js']);
  // Loaded one by one: the message for one that does not load is still shown.
  await (await import('./tier.js')).chooseTier();
  for (const [id, begin] of Object.entries(parts)) {
    if (!document.body.dataset.only || id === only) await start(id, begin);
  }
  await code;
  document.body.dataset.state = 'ready';
} catch (error) {
  explain(error);
}
