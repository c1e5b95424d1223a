// How long three workers take to be ready. Prints milliseconds as JSON, of the
// first context of this process and of later ones.

import { openContext } from './context.mjs';

const times = [];
for (let i = 0; i < 6; i++) {
  const start = performance.now();
  const context = await openContext(3, 'start');
  await context.ready;
  times.push(performance.now() - start);
  await context.close();
}
const [first, ...later] = times;
console.log(JSON.stringify({ first, later }));
