// Where jobs run: views of a context, Unconfined, Main.immediate, executors.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  ContextClosedError,
  IllegalStateError,
  Main,
  Unconfined,
  defaultContext,
  ioContext,
  newCompletableDeferred,
  newExecutorDispatcher,
} from 'coworker';
import { cells, failure, free, inPage, thrown, using, worker } from './helpers/contexts.js';

/** An executor that keeps what it is given. */
function queue(name) {
  const runs = [];
  const dispatcher = newExecutorDispatcher({ execute: (run) => void runs.push(run) }, name);
  return { runs, dispatcher };
}

describe('a view', () => {
  it('case 142: runs no more tasks at once than it may', async () => {
    await using(4, async (context) => {
      const counts = cells(context);
      for (const limit of [1, 2]) {
        counts.fill(0);
        const view = context.limitedParallelism(limit, 'view');
        assert.equal(view.parallelism, limit);
        const jobs = Array.from({ length: 100 }, () => view.async('countInside', counts));
        await Promise.all(jobs);
        assert.isAtMost(counts[1], limit, 'most at once');
        assert.equal(counts[2], 100);
      }
    });
  });

  it('gives results and errors, and is launched on from scopes', async () => {
    await using(2, async (context) => {
      const view = context.limitedParallelism(1, 'one');
      assert.equal(await view.async('echo', 5), 5);
      assert.equal((await failure(view.async('fail', 'x'))).message, 'x');
      assert.equal(await Main.async((scope) => scope.withContext(view, 'echo', 6)), 6);
    });
  });

  it('keeps in it what its tasks launch', async () => {
    await using(4, async (context) => {
      const counts = cells(context);
      await context.limitedParallelism(1, 'one').async('launchCounters', 20, counts);
      assert.equal(counts[1], 1, 'most at once');
      assert.equal(counts[2], 20);
    });
  });

  it('case 143: refuses bad arguments', async () => {
    await using(1, async (context) => {
      for (const bad of [0, -1, 1.5, -(2 ** 31), '2', undefined]) {
        assert.instanceOf(
          thrown(() => context.limitedParallelism(bad, 'x')),
          RangeError,
        );
      }
      assert.instanceOf(
        thrown(() => context.limitedParallelism(1, '')),
        TypeError,
      );
      assert.equal(await context.limitedParallelism(2 ** 31 - 1, 'all').async('echo', 1), 1);
    });
  });

  it('case 145: has nothing to do after its last task, so its context may close', async () => {
    await using(1, async (context) => {
      const view = context.limitedParallelism(1, 'one');
      assert.equal(await view.async('echo', 1), 1);
      await context.close();
      const { launched, completed } = context.stats();
      assert.deepEqual([launched, completed], [1, 1]);
    });
  });

  it('closes with its context', async () => {
    let view;
    await using(1, async (context) => {
      view = context.limitedParallelism(1, 'one');
    });
    assert.instanceOf(
      thrown(() => view.launch('echo', 1)),
      ContextClosedError,
    );
    const child = Main.async((scope) => scope.async(view, 'echo', 1));
    assert.instanceOf(await failure(child), ContextClosedError);
  });
});

describe('a single worker', () => {
  it('case 146: takes what a task submits in order: there is no slot for the last one', async () => {
    await using(1, async (context) => {
      const order = cells(context);
      await context.async('submitTwo', order);
      assert.deepEqual([...order.subarray(0, 2)], [1, 2]);
    });
  });
});

describe('Unconfined', () => {
  it('case 103: runs nested functions after the outer one has come to an end', async () => {
    await Main.ready;
    const marks = [1];
    Main.launch({ context: Unconfined }, (scope) => {
      marks.push(2);
      scope.launch((inner) => {
        marks.push(4);
        inner.launch(() => marks.push(6));
        inner.launch(() => marks.push(7));
        marks.push(5);
      });
      marks.push(3);
    });
    marks.push(8);
    assert.deepEqual(marks, [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('goes on within the call that resumes it', async () => {
    await Main.ready;
    const gate = newCompletableDeferred();
    const marks = [];
    const job = Main.launch({ context: Unconfined }, async (scope) => {
      marks.push('waits');
      marks.push(await scope.await(gate));
    });
    assert.deepEqual(marks, ['waits']);
    gate.complete('goes on');
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual(marks, ['waits', 'goes on'], 'after no more than microtasks');
    await job.join();
  });

  it('is resumed on its own thread by what happens on another', async () => {
    await using(1, async (context) => {
      const value = await Main.async({ context: Unconfined }, async (scope) => {
        const echoed = await scope.await(context.async('echo', 'there'));
        return [echoed, scope.workerName];
      });
      assert.deepEqual(value, ['there', 'main']);
    });
  });
});

describe('Main.immediate', () => {
  it('begins at once on the main thread, and yields to others', async () => {
    await Main.ready;
    const marks = [];
    const job = Main.launch({ context: Main.immediate }, async (scope) => {
      marks.push(1);
      await scope.yield();
      marks.push(3);
    });
    marks.push(2);
    await job.join();
    assert.deepEqual(marks, [1, 2, 3]);
  });
});

describe('a single thread', () => {
  it('case 149: yields to what was launched before', async () => {
    await Main.ready;
    const marks = [];
    await Main.launch(async (scope) => {
      marks.push(1);
      const inner = scope.launch(async (child) => {
        marks.push(3);
        await child.yield();
        marks.push(4);
      });
      marks.push(2);
      while (inner.isActive) await scope.yield();
      marks.push(5);
    }).join();
    assert.deepEqual(marks, [1, 2, 3, 4, 5]);
  });
});

describe('an executor', () => {
  it('runs functions when it likes', async () => {
    await Main.ready;
    const { runs, dispatcher } = queue('queue');
    assert.equal(dispatcher.name, 'queue');
    const marks = [];
    const gate = newCompletableDeferred();
    const job = Main.async({ context: dispatcher }, async (scope) => {
      marks.push('begins');
      return scope.await(gate);
    });
    assert.deepEqual([marks, runs.length], [[], 1]);
    runs.shift()();
    assert.deepEqual(marks, ['begins']);
    gate.complete('done');
    assert.lengthOf(runs, 1);
    runs.shift()();
    assert.equal(await job, 'done');
  });

  it('case 134: cancels what it refuses, which does not begin', async () => {
    await Main.ready;
    const refusing = newExecutorDispatcher({
      execute() {
        throw new Error('no');
      },
    });
    let began = false;
    const job = Main.async({ context: refusing }, () => (began = true));
    assert.instanceOf(await failure(job), CancellationError);
    assert.isFalse(began);
  });

  it('case 136: cancels the call of a block that it refuses, which does not begin', async () => {
    await Main.ready;
    const refusing = newExecutorDispatcher({
      execute() {
        throw new Error('no');
      },
    });
    let began = false;
    const [error, active] = await Main.async(async (scope) => [
      await failure(scope.withContext({ context: refusing }, () => (began = true))),
      scope.isActive,
    ]);
    assert.instanceOf(error, CancellationError);
    assert.isTrue(active, 'whoever called goes on');
    assert.isFalse(began);
  });

  it('case 137: cancels a block that cannot come back, and lets it clean up', async () => {
    await Main.ready;
    let submissions = 0;
    let open = true;
    const pool = newExecutorDispatcher({
      execute(run) {
        submissions++;
        if (!open) throw new Error('closed');
        queueMicrotask(run);
      },
    });
    const marks = [];
    await Main.launch(async (scope) => {
      marks.push(1);
      const error = await failure(
        scope.withContext({ context: pool }, async (block) => {
          marks.push(2);
          try {
            await block.withContext({ context: Unconfined }, async (inner) => {
              await inner.delay(1);
              open = false;
              marks.push(3);
            });
            marks.push('never');
          } finally {
            marks.push(block.isActive ? 'active' : 4);
          }
        }),
      );
      assert.instanceOf(error, CancellationError);
      assert.isTrue(scope.isActive);
      marks.push(5);
    }).join();
    assert.deepEqual(marks, [1, 2, 3, 4, 5]);
    assert.equal(submissions, 2);
  });

  it('case 139: that cannot tell where a job begins throws at the launch, and fails the job', async () => {
    await Main.ready;
    const wrong = new RangeError('cannot tell');
    const dispatcher = newExecutorDispatcher({
      execute: (run) => run(),
      isDispatchNeeded() {
        throw wrong;
      },
    });
    const marks = [];
    const job = Main.async((scope) => {
      marks.push(1);
      assert.strictEqual(
        thrown(() => scope.launch({ context: dispatcher }, () => marks.push('never'))),
        wrong,
      );
      marks.push(2);
    });
    assert.include((await failure(job)).message, 'cannot tell where the job runs');
    assert.deepEqual(marks, [1, 2]);
  });

  it('may let jobs begin within the launch', async () => {
    await Main.ready;
    const { runs } = queue();
    const dispatcher = newExecutorDispatcher({
      execute: (run) => void runs.push(run),
      isDispatchNeeded: () => false,
    });
    let began = false;
    await Main.launch({ context: dispatcher }, () => (began = true)).join();
    assert.isTrue(began);
    assert.lengthOf(runs, 0);
  });

  it('case 140: runs a part of a body, which goes on where it was', async () => {
    await Main.ready;
    const { runs, dispatcher } = queue();
    const marks = [];
    const job = Main.launch(async (scope) => {
      marks.push(1);
      await scope.withContext({ context: dispatcher }, () => marks.push(3));
      marks.push(4);
    });
    await Main.launch((scope) => scope.yield()).join();
    marks.push(2);
    assert.lengthOf(runs, 1);
    runs.shift()();
    await job.join();
    assert.deepEqual(marks, [1, 2, 3, 4]);
  });

  it('is refused unless it can execute', () => {
    for (const bad of [undefined, null, {}, () => {}]) {
      assert.instanceOf(
        thrown(() => newExecutorDispatcher(bad)),
        TypeError,
      );
    }
    assert.instanceOf(
      thrown(() => newExecutorDispatcher({ execute() {} }, '')),
      TypeError,
    );
  });
});

describe('a time limit', () => {
  const limited = (scope) => scope.withTimeoutOrNull(10, (inner) => inner.awaitCancellation());

  it('runs out wherever its scope is', async () => {
    await Main.ready;
    const executor = newExecutorDispatcher({ execute: (run) => void setTimeout(run, 0) }, 'later');
    for (const context of [Main.immediate, Unconfined, executor])
      assert.isNull(await Main.async({ context }, limited), context.name);
  });

  it('runs out in a view', async () => {
    await using(2, async (context) => {
      const view = context.limitedParallelism(1, 'one');
      assert.isNull(await view.async('waitFor', 10));
    });
  });
});

describe('the contexts of a whole program', () => {
  it('are opened once, and stay open', async () => {
    const [one, other] = await Promise.all([defaultContext({ worker }), defaultContext()]);
    assert.strictEqual(one, other);
    assert.isAtLeast(one.workers, 2);
    assert.equal(await one.async('echo', 'default'), 'default');
    assert.instanceOf(await failure(one.close()), IllegalStateError);
    assert.equal(await one.async('echo', 'still'), 'still');
  });

  it('case 148: blocked tasks of IO do not keep Default from computing', async () => {
    assert.instanceOf(await failure(ioContext({ worker, limit: 0 })), RangeError);
    const [computing, io] = [await defaultContext({ worker }), await ioContext({ worker })];
    assert.isAtLeast(io.parallelism, 64);
    const gate = cells(computing);
    // On a page IO has no workers of its own, and must leave one of Default's free.
    const blocked = Array.from({ length: inPage ? 1 : 100 }, () =>
      io.async('waitForCell', gate, 0),
    );
    assert.equal(await computing.async('echo', 'computed'), 'computed');
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    assert.notInclude(await Promise.all(blocked), 0, 'waited until it timed out');
    free(computing, gate);
  });
});
