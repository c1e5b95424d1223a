// Waiting: for whoever calls back, and for what the library has.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { Main } from 'coworker';
import { mainRealm, using } from './helpers/contexts.js';
import { everywhere } from './helpers/everywhere.js';
import { exercise } from './helpers/scenarios.js';

describe('suspendCancellable()', () => everywhere('suspending'));

describe('waiting', () => everywhere('waiting'));

describe('memory', () => {
  // The core takes it from the system in pieces, and keeps what is given back.
  const piece = 64 * 1024;

  async function grows(rounds) {
    const { module } = await mainRealm();
    await rounds(300);
    const before = module._cw_memory_used();
    await rounds(3000); // of which each would leave 32 bytes at the least
    return module._cw_memory_used() - before;
  }

  it('does not grow by waiting on Main', async () => {
    await Main.ready;
    const growth = await grows((rounds) => Main.async((scope) => exercise(scope, rounds)));
    assert.isAtMost(growth, piece);
  });

  it('does not grow by waiting in tasks', () =>
    using(2, async (context) => {
      const growth = await grows((rounds) => {
        const tasks = [1, 2].map(() => context.async('exercise', rounds / 2));
        return Promise.all(tasks);
      });
      assert.isAtMost(growth, piece);
    }));
});
