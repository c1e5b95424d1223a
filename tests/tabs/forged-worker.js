// The worker of forgeries at random, whose tasks end soon whatever they are called with.

import { serve } from 'coworker/worker';

const few = (count) => Math.min(Number(count) || 0, 50);

serve({
  add: (scope, a, b) => a + b,
  echo: (scope, value) => value,
  fail(scope, text) {
    throw new RangeError(String(text));
  },
  wait: (scope) => scope.delay(Infinity),
  async tell(scope, count) {
    for (let i = 0; i < few(count); i++) {
      scope.progress(i);
      await scope.yield();
    }
  },
  async *count(scope, to) {
    for (let i = 0; i < few(to); i++) yield i;
  },
});
