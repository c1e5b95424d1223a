// A page that is not cross-origin isolated: served without the two headers.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { IsolationError, Main, diagnose, newFixedWorkerContext } from 'coworker';

const worker = () =>
  new Worker(new URL('../suite/helpers/worker.js', import.meta.url), { type: 'module' });

async function failure(promise) {
  return promise.then(
    () => assert.fail('expected a rejection'),
    (error) => error,
  );
}

describe('a page that is not isolated', () => {
  it('is not', () => {
    assert.isFalse(globalThis.crossOriginIsolated);
  });

  it('is told which headers it lacks, if it wants shared memory', async () => {
    for (let i = 0; i < 2; i++) {
      const error = await failure(newFixedWorkerContext(1, 'w', { tier: 'shared' }));
      assert.instanceOf(error, IsolationError);
      assert.equal(error.code, 'CW_ENOTSUP');
      assert.include(error.message, 'Cross-Origin-Opener-Policy: same-origin');
      assert.include(error.message, 'Cross-Origin-Embedder-Policy: require-corp');
    }
  });

  it('is told of wrong arguments first', async () => {
    const error = await failure(newFixedWorkerContext(0, 'w'));
    assert.instanceOf(error, RangeError);
  });

  it('gets workers that share nothing', async () => {
    await Main.ready;
    const context = await newFixedWorkerContext(2, 'w', { worker });
    assert.equal(context.tier, 'isolated');
    const sum = await Main.async(async (scope) => {
      const parts = [1, 2, 3].map((n) => scope.async(context, 'add', n, n));
      return (await scope.awaitAll(parts)).reduce((a, b) => a + b);
    });
    assert.equal(sum, 12);
    await context.close();
  });

  it('can find out why', async () => {
    const { tier, reasons } = await diagnose();
    assert.equal(tier, 'isolated');
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['header', 'header'],
    );
    for (const { url, fix } of reasons) {
      assert.include(url, location.pathname);
      assert.match(fix, /Cross-Origin-(Opener|Embedder)-Policy: /);
    }
  });
});
