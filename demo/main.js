// Starts the parts of the page, or says why they cannot start.

import { showCode } from './code-view.js';
import { byId } from './dom.js';

/** Shows a clear message instead of a page whose buttons do nothing. */
function explain(error) {
  const isIsolation = error?.name === 'IsolationError';
  byId('notice-title').textContent = isIsolation
    ? 'The workers cannot share memory here'
    : 'The demo could not start';
  byId('notice-text').textContent = error?.message ?? String(error);
  byId('notice-hint').hidden = globalThis.crossOriginIsolated && isIsolation;
  byId('notice').hidden = false;
  document.body.dataset.state = 'stopped';
  console.error(error);
}

/** Says which tier the page has, and why the parts that share memory are not there. */
async function explainTier(tier) {
  const { diagnose } = await import('../dist/index.js');
  const { reasons } = await diagnose();
  byId('notice-title').textContent = `This page runs in tier “${tier}”`;
  byId('notice-text').textContent = [
    'The example below needs no more. The other parts show workers that share memory:',
    ...reasons.map(({ message, fix }) => `${message}; ${fix}.`),
  ].join(' ');
  byId('notice').hidden = false;
}

/** Starts one part; until then its section is not much to look at. */
async function start(id, begin) {
  const started = await begin();
  byId(id).dataset.started = '';
  return started;
}

try {
  const code = showCode(byId('code'), 'example/', ['main.js', 'tasks.js', 'worker.js']);
  // Loaded one by one: the message for one that does not load is still shown.
  const load = async () => (await import('./example.js')).startExample();
  const { tier } = await start('example', load);
  if (tier === 'shared') {
    await start('pool', async () => (await import('./controls.js')).startControls());
    await start('losses', async () => (await import('./losses.js')).startLosses());
    await start('mandelbrot', async () => (await import('./mandelbrot.js')).startMandelbrot());
  } else {
    await explainTier(tier);
  }
  await code;
  document.body.dataset.state = tier === 'shared' ? 'ready' : 'stopped';
} catch (error) {
  explain(error);
}
