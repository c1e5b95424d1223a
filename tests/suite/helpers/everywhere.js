// Runs scenarios on Main, and inside of tasks on one worker and on several.

import { it } from 'node:test';
import { assert } from 'chai';
import { Main } from 'coworker';
import { uncaught, using } from './contexts.js';
import { play, scenarios } from './scenarios.js';

/** Defines the tests of a group of scenarios. */
export function everywhere(group) {
  for (const name of scenarios[group]) {
    it(`${name} (on Main)`, async () => {
      await Main.ready;
      const errors = await uncaught(() => Main.async((scope) => play(scope, group, name)));
      assert.deepEqual(errors, []);
    });
  }
  for (const workers of [1, 3]) {
    it(`all of this in tasks (on ${workers} worker${workers > 1 ? 's' : ''})`, async () => {
      const strays = [];
      const onStrayError = (error) => strays.push(error);
      await using(
        workers,
        async (context) => {
          for (const name of scenarios[group]) {
            const tasks = Array.from({ length: workers * 2 }, () =>
              context.async('play', group, name),
            );
            try {
              await Promise.all(tasks);
            } catch (error) {
              throw new Error(`'${name}': ${error.message}`, { cause: error });
            }
          }
        },
        { onStrayError },
      );
      assert.deepEqual(strays, []);
    });
  }
}
