/**
 * Runs the examples: `make test-examples`.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { root, run } from './helpers.mjs';
import './02-hash-tree/hash-tree.test.mjs';
import './02-hash-tree/stopping.test.mjs';

const ways = {
  'JavaScript in Node': ['node', ['examples/01-hello/main.js']],
  'C in Node': ['node', ['build/examples/01-hello.cjs']],
  'C on this machine': [`${root}/build/native/examples/01-hello`, []],
};

for (const [way, [command, args]] of Object.entries(ways)) {
  test(`01-hello, ${way}: three workers, one second`, async () => {
    const { stdout, stderr, status, ms } = await run(command, args);
    assert.equal(stderr, '');
    assert.equal(status, 0);
    const lines = stdout.trimEnd().split('\n');
    const parts = lines.map((line) => /^(\w+), I'm executing in (worker-context-\d)$/.exec(line));
    assert.ok(!parts.includes(null), `unexpected output: ${stdout}`);
    assert.deepEqual(parts.map(([, name]) => name).sort(), ['Ada', 'Edsger', 'Grace']);
    assert.deepEqual(
      parts.map(([, , worker]) => worker).sort(),
      ['worker-context-1', 'worker-context-2', 'worker-context-3'],
      'each on a worker of its own',
    );
    assert.ok(ms >= 1000, `it took ${ms} ms only`);
  });
}
