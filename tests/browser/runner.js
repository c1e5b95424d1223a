// Runs one suite file in this page and reports how it goes.

import { skipReason } from './node-test.js';

const { harness, mocha } = globalThis;
const { describeError, params, report } = harness;

const fullName = (test) => test.titlePath().join(' > ');

async function main() {
  let current;
  // Waits for the server to know the name: a test may block this page for ever.
  globalThis.beforeEach(function () {
    current = fullName(this.currentTest);
    return report('start', { name: current });
  });

  await import(params.get('file'));

  const grep = params.get('grep');
  if (grep) mocha.grep(new RegExp(grep));

  const runner = mocha.run();
  // Mocha's handler would hide errors from ours.
  globalThis.onerror = null;

  runner.on('pass', (test) => {
    void report('pass', { name: fullName(test), milliseconds: test.duration });
  });
  runner.on('pending', (test) => {
    void report('skip', { name: fullName(test), reason: skipReason(test) });
  });
  runner.on('fail', (test, error) => {
    void report('fail', { name: fullName(test), text: describeError(error) });
  });
  for (const [event, type] of [
    ['hook', 'start'],
    ['hook end', 'done'],
  ]) {
    runner.on(event, (hook) => {
      // The others belong to a test.
      if (!/^"(before|after) all"/.test(hook.title)) return;
      void report(type, { name: fullName(hook) });
    });
  }
  runner.on('end', () => void report('end'));
}

main().catch(async (error) => {
  await report('error', { text: describeError(error) });
  await report('end');
});
