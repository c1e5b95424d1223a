// What bodies wait for and the blocks in them, as functions that run on Main as
// well as inside of tasks: this is loaded by workers, too.

import { blocks } from './block-scenarios.js';
import { library } from './library.js';
import { equal, marks, now, same } from './scenario-checks.js';
import { suspending } from './suspend-scenarios.js';
import { waiting } from './wait-scenarios.js';

const { CancellationError } = library;

const groups = { suspending, waiting, blocks };

/** The names of all, by group. */
export const scenarios = Object.fromEntries(
  Object.entries(groups).map(([group, all]) => [group, Object.keys(all)]),
);

/** Plays one of the scenarios; each gives the number of its marks. */
export async function play(scope, group, name) {
  const expect = marks();
  const scenario = groups[group][name];
  const last = await scope.supervisorScope((inner) => scenario(inner, expect));
  expect.end(last ?? 0);
}

// ---- memory

const cause = new CancellationError('one for all, since errors are kept until they are collected');

/** Waits in all ways, again and again. */
export async function exercise(scope, rounds) {
  for (let round = 0; round < rounds; round++) {
    const cancelled = now(scope, async (child) => {
      const waits = [
        child.suspendCancellable((_resume, _reject, onCancel) => onCancel(() => {})),
        child.delay(1e9),
        child.withTimeout(1e9, (inner) => inner.awaitCancellation()),
      ];
      for (const { reason } of await Promise.allSettled(waits)) same(reason, cause);
    });
    cancelled.cancel(cause);
    const values = [1, 2].map((value) => scope.async(() => value));
    await scope.joinAll([cancelled, cancelled]);
    equal(await scope.awaitAll(values), [1, 2]);
    const named = { name: 'named', handler() {} };
    await scope.withContext(named, (inner) => inner.nonCancellable(() => inner.yield()));
    await scope.supervisorScope((inner) => inner.withTimeoutOrNull(1e9, () => inner.yield()));
    await scope.suspendCancellable((resume) => resume(round, () => {}));
  }
}
