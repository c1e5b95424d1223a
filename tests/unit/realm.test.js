// Turns of the core on an event loop, with a stand-in for the core.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { GONE } from '../../dist/gate.js';
import { RUN_END, RUN_SLEEP } from '../../dist/layout.gen.js';
import { WorkerRealm } from '../../dist/worker-realm.js';

describe('a realm', () => {
  it('ends its thread once, whatever wakes it later', async () => {
    const realm = new WorkerRealm({}, { post() {}, nextTurn: setTimeout });
    let runs = 0;
    let ends = 0;
    realm.setModule({
      _cwb_run() {
        runs++;
        return RUN_END;
      },
      _cwb_thread_end() {
        // What the thread does last wakes all workers, itself among them.
        if (++ends === 1) realm.schedulePump();
        throw 'unwind';
      },
    });
    realm.pumpNow();
    realm.pumpNow();
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual([runs, ends], [1, 1]);
  });

  it('runs the core once for many calls', async () => {
    const realm = new WorkerRealm({}, { post() {}, nextTurn: setTimeout });
    let runs = 0;
    realm.setModule({
      _cwb_run() {
        runs++;
        realm.schedulePump(); // it is running
        return RUN_SLEEP;
      },
      _cwb_sleep_ms: () => -1,
    });
    for (let i = 0; i < 3; i++) realm.schedulePump();
    assert.equal(runs, 0);
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(runs, 1);
  });

  it('leaves the event loop its turns, however often its own thread wakes it', async () => {
    const turns = [];
    const realm = new WorkerRealm({}, { post() {}, nextTurn: (turn) => turns.push(turn) });
    let runs = 0;
    realm.self = 8;
    realm.setModule({
      _cwb_run() {
        if (++runs < 1000) queueMicrotask(() => realm.wake(8));
        return RUN_SLEEP;
      },
      _cwb_sleep_ms: () => -1,
    });
    realm.wake(8);
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(turns.length, 1);
    const before = runs;
    assert.isBelow(before, 100);
    turns.pop()();
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(turns.length, 1);
    assert.isAbove(runs, before);
    assert.isAtMost(runs, 2 * before + 1);
  });

  it('does nothing more, and tells nobody, once the core takes its thread for dead', async () => {
    const told = [];
    const realm = new WorkerRealm(
      {},
      { post: (message) => told.push(message), nextTurn: setTimeout },
    );
    let runs = 0;
    realm.setModule({
      _cwb_run() {
        runs++;
        return realm.gone();
      },
    });
    realm.pumpNow();
    realm.pumpNow();
    realm.schedulePump();
    realm.stray(GONE);
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(runs, 1);
    assert.deepEqual(told, []);
  });
});
