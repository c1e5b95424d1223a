// Scopes as bodies have them: what they refuse to wait for, and how they do in tasks.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { cells, until, using } from './helpers/contexts.js';
import { onMain } from './helpers/marks.js';
import { refused } from './helpers/refused.js';

describe('waiting in a scope', () => {
  it('is refused for what is no job', () =>
    onMain(0, async (scope) => {
      const job = scope.launch(() => {});
      await refused(() => scope.join(5), TypeError, '`job`', 'a Job', 'got 5');
      await refused(() => scope.cancelAndJoin(5), TypeError, '`job`', 'got 5');
      await refused(() => scope.await(job), TypeError, '`job`', 'async()', 'an object of Job');
      await refused(() => scope.joinAll([job, 5]), TypeError, '`jobs`', 'got 5');
      await refused(() => scope.joinAll(5), TypeError, '`jobs`', 'an array', 'got 5');
      await refused(() => scope.awaitAll([job]), TypeError, '`jobs`', 'Deferreds');
      await refused(() => scope.awaitAll(5), TypeError, '`jobs`', 'an array', 'got 5');
    }));

  it('is refused for what is no block, and no time', () =>
    onMain(0, async (scope) => {
      for (const call of ['coroutineScope', 'supervisorScope', 'nonCancellable']) {
        await refused(() => scope[call](5), TypeError, 'a scope runs a function', 'got 5');
      }
      for (const call of ['withTimeout', 'withTimeoutOrNull']) {
        await refused(() => scope[call]('5', () => {}), TypeError, '`ms`', "got '5'");
        await refused(() => scope[call](NaN, () => {}), TypeError, '`ms`', 'got NaN');
        await refused(() => scope[call](-1, 5), TypeError, 'a scope runs a function');
      }
      const start = { start: 'soon' };
      await refused(() => scope.launch(start, () => {}), TypeError, '`options.start`', "'soon'");
    }));
});

describe('scopes of a task on a worker', () => {
  for (const workers of [1, 2]) {
    it(`wait for functions and tasks, with ${workers}`, async () => {
      await using(workers, async (context) => {
        assert.deepEqual(await context.async('scopeThere'), [
          'result',
          ['body', 'child', true, 'after'],
        ]);
        assert.deepEqual(await context.async('failingScopeThere'), [true, true]);
        assert.deepEqual(await context.async('supervisorThere'), [3, ['alone', 'RangeError']]);
      });
    });
  }

  it('have time limits', async () => {
    await using(1, async (context) => {
      assert.deepEqual(await context.async('timeoutsThere'), [
        null,
        'in time',
        'TimeoutCancellationError',
        true,
      ]);
    });
  });

  it('clean up although they are cancelled', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.launch('nonCancellableThere', at);
      await until(() => Atomics.load(at, 0) === 1);
      await job.cancelAndJoin();
      assert.equal(at[1], 1);
    });
  });

  it('refuse bad input there', async () => {
    await using(1, async (context) => {
      const [start, job, join, parent] = await context.async('badInputThere');
      assert.match(start, /^TypeError: .*'undispatched'/);
      assert.match(job, /^TypeError: .*`options.job`.* got 5$/);
      assert.match(join, /^TypeError: .*`job`.* got 'job'$/);
      assert.match(parent, /^TypeError: .*`parent`.* got 'parent'$/);
    });
  });

  it('report a failure that nobody there takes', async () => {
    const strays = [];
    const onStrayError = (error) => strays.push(error);
    await using(
      1,
      async (context) => {
        assert.deepEqual(await context.async('leaveFailure', 'left behind'), [true, true]);
        await until(() => strays.length > 0);
      },
      { onStrayError },
    );
    assert.lengthOf(strays, 1);
    assert.include(strays[0].message, 'left behind');
  });
});
