// A page that is not cross-origin isolated: served without the two headers.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { IsolationError, Main, newFixedWorkerContext } from 'coworker';

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

  it('is told which headers it lacks', async () => {
    for (let i = 0; i < 2; i++) {
      const error = await failure(newFixedWorkerContext(1, 'w'));
      assert.instanceOf(error, IsolationError);
      assert.equal(error.code, 'CW_ENOTSUP');
      assert.include(error.message, 'Cross-Origin-Opener-Policy: same-origin');
      assert.include(error.message, 'Cross-Origin-Embedder-Policy: require-corp');
    }
    assert.instanceOf(await failure(Main.ready), IsolationError);
  });

  it('is told of wrong arguments first', async () => {
    const error = await failure(newFixedWorkerContext(0, 'w'));
    assert.instanceOf(error, RangeError);
  });
});
