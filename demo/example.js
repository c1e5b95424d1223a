// The opening example: runs example/main.js and shows what it prints.

import { byId, duration, element } from './dom.js';
import { addLanes } from './lanes.js';

export async function startExample() {
  const run = byId('run');
  const time = byId('run-time');
  const output = byId('output');
  // It opens its context while it is loaded.
  const { context, main } = await import('./example/main.js');
  await context.ready;
  const view = addLanes(byId('example-lanes'), { window: 4000 });
  view.show(context);
  time.textContent = '';
  run.disabled = false;

  function print(began, text, className = '') {
    const line = element('li', className);
    const at = ((performance.now() - began) / 1000).toFixed(3);
    line.append(element('span', 'time', `${at} s`), ' ', text);
    output.append(line);
  }

  run.addEventListener('click', async () => {
    run.disabled = true;
    output.replaceChildren();
    time.textContent = 'Running…';
    const began = performance.now();
    try {
      await main((text) => print(began, text));
      time.textContent = `Done in ${duration(performance.now() - began)}`;
    } catch (error) {
      print(began, String(error), 'bad');
      time.textContent = 'Failed';
    }
    run.disabled = false;
  });
  return context;
}
