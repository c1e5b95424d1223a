// Scopes inside of a body.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, CompletionHandlerError, newJob } from 'coworker';
import {
  cells,
  failure,
  nativeOptions,
  thrown,
  uncaught,
  until,
  using,
} from './helpers/contexts.js';
import { everywhere } from './helpers/everywhere.js';
import { onMain } from './helpers/marks.js';

describe('blocks', () => everywhere('blocks'));

describe('withContext() to workers', () => {
  it('gives values and errors', () =>
    using(2, (context) =>
      onMain(1, async (scope, expect) => {
        assert.equal(await scope.withContext(context, 'add', 1, 2), 3);
        const error = await failure(scope.withContext(context, 'failLater', 'there'));
        assert.equal(error.constructor, RangeError);
        assert.equal(error.message, 'there');
        assert.isTrue(scope.isActive);
        expect(1);
      }),
    ));

  it('waits for what is cancelled there, and gives its own cancellation', () =>
    using(1, (context) =>
      onMain(2, async (scope, expect) => {
        const at = cells(context);
        const cause = new CancellationError('own');
        const job = scope.launch(async (child) => {
          const error = await failure(child.withContext(context, 'cleanUp', at));
          assert.strictEqual(error, cause);
          assert.deepEqual([...at.slice(0, 3)], [1, 1, 1]);
          expect(2);
        });
        await until(() => at[0] === 1);
        expect(1);
        job.cancel(cause);
        await scope.join(job);
      }),
    ));

  it('does not begin for a cancelled caller', () =>
    using(1, (context) =>
      onMain(1, async (scope, expect) => {
        const at = cells(context);
        const cause = new CancellationError('own');
        const job = scope.launch(async (child) => {
          child.cancel(cause);
          const error = await failure(child.withContext(context, 'mark', at, 0));
          assert.strictEqual(error, cause);
          expect(1);
        });
        await scope.join(job);
        assert.equal(at[0], 0);
      }),
    ));

  it('ends with the body that leaves it behind', () =>
    using(1, async (context) => {
      const errors = await uncaught(() =>
        onMain(1, async (scope, expect) => {
          const at = cells(context);
          const job = scope.launch(async (child) => {
            void child.withContext(context, 'cleanUp', at);
            await until(() => at[0] === 1);
            expect(1);
          });
          await scope.join(job);
          assert.isFalse(job.isCancelled);
          assert.equal(at[2], 1);
        }),
      );
      assert.deepEqual(errors, []);
    }));
});

describe('withContext() with a job', () => {
  it('does not begin in one that has ended', () =>
    onMain(0, async (scope, expect) => {
      const ended = newJob();
      ended.complete();
      const error = await failure(scope.withContext({ job: ended }, expect.never));
      assert.equal(error.constructor, CancellationError);
      assert.isTrue(scope.isActive);
    }));

  it('begins with none, though the caller is cancelled', () =>
    onMain(4, async (scope, expect) => {
      const job = scope.launch(async (child) => {
        child.cancel();
        const blocks = [
          async (inner) => {
            await inner.yield();
            assert.isTrue(inner.isActive);
            expect(1);
            return 'value';
          },
          (inner) => {
            inner.launch(() => expect(2));
            return 'value';
          },
        ];
        for (const block of blocks) {
          assert.equal(await child.withContext({ job: null }, block), 'value');
        }
        expect(3);
      });
      await scope.join(job);
      expect(4);
    }));
});

describe('a block with a time limit', () => {
  it('gives its value if it never waits, plain or async, and only then', () =>
    using(2, async (context) => {
      const results = await context.async('busyBlocks', 5);
      assert.deepEqual(results, ['plain', 'async', null]);
    }));
});

describe('an error that nobody takes', () => {
  it('is told of an un-awaited block', async () => {
    const wrong = new RangeError('own');
    const errors = await uncaught((next) =>
      onMain(1, async (scope, expect) => {
        const told = next();
        void scope.coroutineScope(() => {
          throw wrong;
        });
        assert.strictEqual(await told, wrong);
        expect(1);
      }),
    );
    assert.deepEqual(errors, [wrong]);
  });

  it('is told of a handler of a wait', async () => {
    const wrong = new RangeError('own');
    const errors = await uncaught((next) =>
      onMain(1, async (scope, expect) => {
        const told = next();
        const job = scope.launch({ start: 'undispatched' }, (child) =>
          child.suspendCancellable((_resume, _reject, onCancel) => {
            onCancel(() => {
              throw wrong;
            });
          }),
        );
        job.cancel();
        const error = await told;
        assert.instanceOf(error, CompletionHandlerError);
        assert.strictEqual(error.cause, wrong);
        expect(1);
        await scope.join(job);
      }),
    );
    assert.equal(errors.length, 1);
  });
});

describe('a job of another WebAssembly module', () => {
  it('is not waited for, and the error says what to do', async () => {
    await using(
      1,
      async (context) => {
        const job = context.async('add', 1, 2);
        await onMain(1, async (scope, expect) => {
          for (const wait of [
            () => scope.join(job),
            () => scope.await(job),
            () => scope.awaitAll([job]),
            () => scope.joinAll([job]),
            () => scope.cancelAndJoin(job),
          ]) {
            const error = thrown(wait);
            assert.equal(error.code, 'CW_EINVAL');
            assert.include(error.message, "job 'add' is of another WebAssembly module");
            assert.include(error.message, 'job.join()');
          }
          expect(1);
        });
        assert.equal(await job, 3);
      },
      await nativeOptions(),
    );
  });
});
