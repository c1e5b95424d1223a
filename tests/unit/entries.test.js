// The entry points for Node, each in files of its own.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import * as main from 'coworker';
import { SharedWorkerContext } from 'coworker/tabs';
import * as test from 'coworker/test';
import * as worker from 'coworker/worker';
import * as core from 'coworker/worker-core';

describe('the entry points', () => {
  it('share what they have in common', () => {
    const common = Object.keys(worker).filter((name) => name !== 'serve');
    assert.includeMembers(common, ['CancellationError', 'Channel', 'Job', 'Mutex', 'select']);
    for (const name of common) {
      assert.strictEqual(main[name], worker[name], name);
      assert.strictEqual(core[name], worker[name], name);
    }
    const again = Object.keys(test).filter((name) => name in main);
    for (const name of again) assert.strictEqual(test[name], main[name], name);
    assert.strictEqual(Object.getPrototypeOf(SharedWorkerContext), main.FixedWorkerContext);
  });
});
