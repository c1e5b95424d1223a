// The dump of jobs, and names in the performance timeline.

import { afterEach, describe, it } from 'node:test';
import { assert } from 'chai';
import { IllegalStateError, Main, dumpCoroutines, newJob, setDebug } from 'coworker';
import { cells, thrown, until, using } from './helpers/contexts.js';

/** A dump without numbers and times, which differ. */
const plain = (text) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/#\d+ ?/g, '').replace(/, for \d+ ms/, ''));

describe('dumpCoroutines()', () => {
  afterEach(() => setDebug({}));

  it('tells of a job and all below it what they wait for', async () => {
    await Main.ready;
    setDebug({ jobs: true });
    const gate = newJob();
    const job = Main.launch({ name: 'outer' }, async (scope) => {
      scope.launch(async function inner(child) {
        await child.delay(60_000);
      });
      await scope.coroutineScope((block) => block.join(gate));
    });
    await Main.launch((scope) => scope.yield()).join();
    assert.deepEqual(plain(dumpCoroutines(job)), [
      'outer: launch, active; runs outside, on main',
      '  inner: launch, active; runs outside, on main',
      '    delay: wait, active; waits for time to pass, on main',
      '  coroutineScope: scope, active; runs outside, on main',
      '    await: wait, active; waits for a job, on main',
    ]);
    job.cancel();
    gate.complete();
    await job.join();
  });

  it('tells of all jobs, on workers, too, and who waits for whom', async () => {
    await Main.ready;
    setDebug({ jobs: true });
    await using(1, async (context) => {
      const began = cells(context);
      const task = context.async('waitForSignal', began);
      await until(() => Atomics.load(began, 0) === 1);
      const waiter = Main.launch({ name: 'waiter' }, (scope) => scope.join(task));
      await Main.launch((scope) => scope.yield()).join();
      const lines = dumpCoroutines().split('\n');
      const number = /#(\d+) waitForSignal: async, active/.exec(lines.join('\n'))?.[1];
      assert.isDefined(number, lines.join('\n'));
      assert.isTrue(
        lines.some((line) => line.includes(`await: wait, active; waits for a job, #${number},`)),
        lines.join('\n'),
      );
      task.cancel();
      await waiter.join();
    });
  });

  it('can be longer than all that was written before', async () => {
    await Main.ready;
    const root = newJob();
    const launch = (name) => Main.launch({ job: root, name }, (scope) => scope.delay(60_000));
    for (let i = 0; i < 500; i++) launch(`${i} ${'x'.repeat(200)}`);
    assert.isAbove(dumpCoroutines(root).length, 100_000);
    launch('x'.repeat(2 ** 14));
    assert.include(dumpCoroutines(root), 'xxx: launch');
    assert.equal(await Main.async((scope, text) => text, 'still works'), 'still works');
    root.cancel();
    await root.join();
  });

  it('needs to know the jobs', async () => {
    await Main.ready;
    const error = thrown(() => dumpCoroutines());
    assert.instanceOf(error, IllegalStateError);
    assert.include(error.message, 'setDebug({ jobs: true })');
  });
});

describe('the performance timeline', () => {
  it('has what runs, by name, when that is switched on', async () => {
    await Main.ready;
    const names = () => performance.getEntriesByType('measure').map(({ name }) => name);
    await Main.launch({ name: 'before' }, () => {}).join();
    setDebug({ timeline: true });
    await Main.launch({ name: 'function' }, async (scope) => scope.yield()).join();
    await Main.launch(function itself() {}).join();
    setDebug({});
    await Main.launch({ name: 'after' }, () => {}).join();
    assert.includeMembers(names(), ['function', 'itself']);
    assert.notInclude(names(), 'before');
    assert.notInclude(names(), 'after');
  });
});
