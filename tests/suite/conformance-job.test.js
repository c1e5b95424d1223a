// What jobs have to do, case by case, on Main, whose order is fixed.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  newCompletableDeferred,
  newJob,
  newSupervisorJob,
  Main,
  produce,
} from 'coworker';
import { failure, turns, uncaught } from './helpers/contexts.js';
import { flags, onMain } from './helpers/marks.js';

const NEW = '000';
const ACTIVE = '100';
const CANCELLING = '001';
const COMPLETED = '010';
const CANCELLED = '011';

/** Asserts that an error is a cancellation because of `cause`. */
function assertCancelled(error, cause) {
  assert.equal(error.constructor, CancellationError);
  assert.strictEqual(error.cause, cause);
}

describe('states of jobs', () => {
  it('case 1: a lazy job that ends well, after its child', () =>
    onMain(5, async (scope, expect) => {
      const job = scope.launch({ start: 'lazy' }, (inner) => {
        expect(2);
        inner.launch(() => expect(4));
      });
      assert.equal(flags(job), NEW);
      assert.strictEqual(job.parent, scope.job);
      assert.isTrue(job.start());
      assert.equal(flags(job), ACTIVE);
      expect(1);
      await scope.yield();
      expect(3);
      assert.equal(flags(job), ACTIVE);
      assert.strictEqual(job.parent, scope.job);
      await scope.yield();
      expect(5);
      assert.equal(flags(job), COMPLETED);
      assert.isUndefined(job.parent);
    }));

  it('case 2: a completing job whose child fails', async () => {
    const error = new Error('A');
    const errors = await uncaught(async () => {
      await onMain(7, async (scope, expect) => {
        const job = scope.launch({ start: 'lazy', job: null }, (inner) => {
          expect(2);
          inner.launch(async (child) => {
            expect(4);
            await child.yield();
            expect(6);
            throw error;
          });
        });
        assert.equal(flags(job), NEW);
        assert.isTrue(job.start());
        expect(1);
        await scope.yield();
        expect(3);
        assert.equal(flags(job), ACTIVE);
        await scope.yield();
        expect(5);
        assert.equal(flags(job), ACTIVE);
        await scope.yield();
        expect(7);
        assert.equal(flags(job), CANCELLED);
      });
      await turns(3);
    });
    assert.lengthOf(errors, 1);
    assert.strictEqual(errors[0], error);
  });

  it('case 4: a handler runs once, within cancel()', async () => {
    await Main.ready;
    const job = newJob();
    const calls = [];
    job.invokeOnCompletion((error) => calls.push(error));
    assert.equal(flags(job), ACTIVE);
    assert.lengthOf(calls, 0);
    job.cancel();
    assert.lengthOf(calls, 1);
    assert.equal(calls[0].constructor, CancellationError);
    assert.equal(flags(job), CANCELLED);
    job.cancel();
    await turns(2);
    assert.lengthOf(calls, 1);
  });

  for (const step of [0, 2]) {
    it(`case 5: handlers dispose of themselves${step ? ', half of them before' : ''}`, async () => {
      await Main.ready;
      const job = newJob();
      const calls = Array.from({ length: 100 }, () => 0);
      const handles = calls.map((_, index) =>
        job.invokeOnCompletion((error) => {
          assert.isUndefined(error);
          calls[index]++;
          handles[index].dispose();
        }),
      );
      for (let index = 0; step && index < 100; index += step) handles[index].dispose();
      assert.isTrue(job.complete());
      const wanted = calls.map((_, index) => (step && index % step === 0 ? 0 : 1));
      assert.deepEqual(calls, wanted);
      await turns(2);
      assert.deepEqual(calls, wanted);
    });
  }

  it('case 7: a child of a cancelled job is not active', async () => {
    await Main.ready;
    const parent = newJob();
    parent.cancel();
    assert.isFalse(parent.isActive);
    const child = newJob(parent);
    assert.equal(flags(child), CANCELLED);
  });

  it('case 8: join() waits for the children of a bare job', () =>
    onMain(6, async (scope, expect) => {
      const parent = newJob();
      expect(1);
      scope.launch({ job: parent, start: 'undispatched' }, async (inner) => {
        expect(2);
        try {
          await inner.yield();
          expect.never();
        } finally {
          expect(5);
        }
      });
      expect(3);
      parent.cancel();
      expect(4);
      assert.equal(flags(parent), CANCELLING);
      await scope.join(parent);
      expect(6);
      assert.equal(flags(parent), CANCELLED);
    }));

  it('case 10: an early handler hears of a normal end', () =>
    onMain(4, async (scope, expect) => {
      const job = scope.launch(() => expect(2));
      job.invokeOnCompletion(
        (error) => {
          assert.isUndefined(error);
          expect(3);
        },
        { onCancelling: true },
      );
      expect(1);
      await scope.join(job);
      expect(4);
      assert.equal(flags(job), COMPLETED);
    }));

  it('case 11: a bare child is cancelled, or fails', async () => {
    await Main.ready;
    const error = new Error('A');
    const parent = newJob();
    newJob(parent).cancel();
    assert.equal(flags(parent), ACTIVE);
    const child = newJob(parent);
    assert.isTrue(child.completeExceptionally(error));
    assert.equal(flags(child), CANCELLED);
    assert.equal(flags(parent), CANCELLED);
    assert.strictEqual(parent.getCancellationError().cause, error);
  });

  it('case 13: the last child completes its parent', async () => {
    await Main.ready;
    const parent = newJob();
    const child = newJob(parent);
    assert.equal(flags(parent), ACTIVE);
    assert.isTrue(parent.complete());
    assert.isFalse(parent.complete());
    assert.equal(flags(parent), ACTIVE);
    assert.equal(flags(child), ACTIVE);
    assert.isTrue(child.complete());
    assert.equal(flags(child), COMPLETED);
    assert.equal(flags(parent), COMPLETED);
  });

  it('case 14: children see a failure as the cause of their cancellation', () =>
    onMain(5, async (scope, expect) => {
      const error = new Error('A');
      const parent = newJob();
      expect(1);
      scope.launch({ job: parent }, async (inner) => {
        expect(2);
        try {
          await inner.awaitCancellation();
        } catch (caught) {
          assertCancelled(caught, error);
          expect(4);
        }
      });
      await scope.yield();
      expect(3);
      assert.isTrue(parent.completeExceptionally(error));
      await scope.join(parent);
      expect(5);
      assertCancelled(parent.getCancellationError(), error);
    }));

  it('case 16: a deferred child is cancelled, or fails', async () => {
    await Main.ready;
    const error = new Error('A');
    const parent = newCompletableDeferred();
    newCompletableDeferred(parent).cancel();
    assert.equal(flags(parent), ACTIVE);
    const child = newCompletableDeferred(parent);
    assert.isTrue(child.completeExceptionally(error));
    assert.equal(flags(child), CANCELLED);
    assert.equal(flags(parent), CANCELLED);
    assert.strictEqual(await failure(parent), error);
  });

  it('case 17: awaiting a deferred waits for its children', () =>
    onMain(6, async (scope, expect) => {
      const deferred = newCompletableDeferred();
      expect(1);
      scope.launch({ job: deferred, start: 'undispatched' }, async (inner) => {
        expect(2);
        await inner.yield();
        expect(5);
      });
      expect(3);
      assert.isTrue(deferred.complete('OK'));
      assert.isFalse(deferred.complete('late'));
      assert.equal(flags(deferred), ACTIVE);
      expect(4);
      assert.equal(await scope.await(deferred), 'OK');
      expect(6);
      assert.equal(flags(deferred), COMPLETED);
    }));
});

describe('the order among jobs', () => {
  it('case 19: an undispatched body begins within launch()', () =>
    onMain(5, async (scope, expect) => {
      expect(1);
      const job = scope.launch({ start: 'undispatched' }, async (inner) => {
        expect(2);
        await inner.yield();
        expect(4);
      });
      expect(3);
      await scope.join(job);
      expect(5);
    }));

  it('case 20: three levels take turns', () =>
    onMain(10, async (scope, expect) => {
      expect(1);
      scope.launch(async (second) => {
        expect(3);
        second.launch(async (third) => {
          expect(6);
          await third.yield();
          expect(9);
        });
        expect(4);
        await second.yield();
        expect(7);
        await second.yield();
        expect(10);
      });
      expect(2);
      await scope.yield();
      expect(5);
      await scope.yield();
      expect(8);
    }));

  it("case 22: a grandchild's failure cancels all above", async () => {
    const error = new Error('A');
    let last;
    const outcome = await failure(
      onMain(7, async (scope, expect) => {
        last = expect;
        expect(1);
        scope.launch(async (child) => {
          expect(3);
          child.launch(() => {
            expect(6);
            throw error;
          });
          expect(4);
          const caught = await failure(child.yield());
          assertCancelled(caught, error);
          throw caught;
        });
        expect(2);
        await scope.yield();
        expect(5);
        assertCancelled(await failure(scope.yield()), error);
        expect(7);
      }),
    );
    assert.strictEqual(outcome, error);
    last.end(7);
  });

  it('case 23: join() waits for clean-up', () =>
    onMain(8, async (scope, expect) => {
      expect(1);
      const job = scope.launch(async (inner) => {
        expect(3);
        try {
          expect(4);
          await inner.yield();
          expect.never();
        } finally {
          expect(7);
        }
      });
      expect(2);
      await scope.yield();
      expect(5);
      assert.equal(flags(job), ACTIVE);
      job.cancel();
      assert.equal(flags(job), CANCELLING);
      expect(6);
      await scope.join(job);
      expect(8);
      assert.equal(flags(job), CANCELLED);
    }));

  it('case 25: cancelChildren() leaves the job itself', () =>
    onMain(2, async (scope, expect) => {
      const parent = newJob();
      let ended = 0;
      const wait = async (inner) => {
        try {
          await inner.awaitCancellation();
        } finally {
          ended++;
        }
      };
      const children = [1, 2].map(() => scope.launch({ job: parent }, wait));
      await scope.yield();
      expect(1);
      parent.cancelChildren();
      assert.equal(ended, 0);
      await scope.joinAll(children);
      expect(2);
      assert.equal(ended, 2);
      assert.equal(flags(parent), ACTIVE);
      assert.isTrue(parent.complete());
      assert.equal(flags(parent), COMPLETED);
    }));

  it('case 26: a job that crashed waits for the clean-up below it', async () => {
    const error = new Error('A');
    const errors = await uncaught(async () => {
      await onMain(8, async (scope, expect) => {
        expect(1);
        const parent = scope.launch({ job: null }, () => {
          expect(4);
          throw error;
        });
        scope.launch({ job: parent, start: 'undispatched' }, async (inner) => {
          expect(2);
          try {
            await inner.yield();
            expect.never();
          } finally {
            expect(5);
            await inner.nonCancellable(async (safe) => {
              await safe.yield();
              expect(7);
            });
          }
        });
        expect(3);
        await scope.yield();
        expect(6);
        assert.equal(flags(parent), CANCELLING);
        await scope.join(parent);
        expect(8);
        assert.equal(flags(parent), CANCELLED);
      });
      await turns(3);
    });
    assert.lengthOf(errors, 1);
    assert.strictEqual(errors[0], error);
  });
});

/** Has a child that is a job without a body, and runs `body` below it. */
const below = (make) => (scope, body) => {
  const child = make(scope.job);
  scope.launch({ job: child }, body);
  return child;
};

/**
 * Each kind of child that a job can have, with a child of its own that runs
 * `body`. `keeps`: what becomes of the failure. It `fails` the job, is `told` to
 * the handler, or is `thrown` by the call.
 */
const kinds = [
  ['launch()', 'fails', (scope, body) => scope.launch((child) => void child.launch(body))],
  ['async()', 'fails', (scope, body) => scope.async((child) => void child.launch(body))],
  ['produce()', 'fails', (scope, body) => produce(scope, (child) => void child.launch(body))],
  ['newJob()', 'fails', below(newJob)],
  ['newCompletableDeferred()', 'fails', below(newCompletableDeferred)],
  ['newSupervisorJob()', 'told', below(newSupervisorJob)],
  [
    'supervisorScope()',
    'told',
    (scope, body) => scope.supervisorScope((inner) => void inner.launch(body)),
  ],
  [
    'coroutineScope()',
    'thrown',
    (scope, body) => scope.coroutineScope((inner) => void inner.launch(body)),
  ],
  [
    'withContext()',
    'thrown',
    (scope, body) => scope.withContext({ name: 'named' }, (inner) => void inner.launch(body)),
  ],
  [
    'withTimeout()',
    'thrown',
    (scope, body) => scope.withTimeout(10_000, (inner) => void inner.launch(body)),
  ],
];

/** Has a child of the kind, and looks what its own job makes of `error` below. */
async function family(scope, error, fate, begin) {
  const isFailure = !(error instanceof CancellationError);
  const told = [];
  const handler = (failure) => told.push(failure);
  const job = scope.async({ job: null, handler }, async (inner) => {
    let thrown;
    const body = () => {
      throw error;
    };
    try {
      const child = begin(inner, body);
      if (child instanceof Promise) {
        await child;
      } else {
        await inner.yield();
        await inner.yield();
        await inner.yield();
        child.complete?.();
      }
    } catch (caught) {
      thrown = caught;
    }
    assert.equal(inner.isActive, !(isFailure && fate === 'fails'));
    if (!isFailure || fate === 'told') assert.isUndefined(thrown);
    else if (fate === 'thrown') assert.strictEqual(thrown, error);
    else assertCancelled(thrown, error);
  });
  await scope.join(job);
  if (isFailure && fate === 'fails') {
    assert.strictEqual(await failure(job), error);
  } else {
    assert.isUndefined(await job);
  }
  if (isFailure && fate === 'told') {
    assert.lengthOf(told, 1);
    assert.strictEqual(told[0], error);
  } else {
    assert.lengthOf(told, 0);
  }
  assert.isUndefined(error.suppressed);
}

describe('case 28: a failing grandchild below', () => {
  for (const [name, fate, begin] of kinds) {
    it(name, () => onMain(0, (scope) => family(scope, new Error('A'), fate, begin)));
  }
});

describe('case 29: a grandchild that throws a cancellation below', () => {
  for (const [name, fate, begin] of kinds) {
    it(name, async () => {
      const errors = await uncaught(async () => {
        await onMain(0, (scope) => family(scope, new CancellationError(), fate, begin));
        await turns(2);
      });
      assert.lengthOf(errors, 0);
    });
  }
});

describe('ends of jobs', () => {
  it("case 31: join() does not throw a child's failure", async () => {
    const error = new Error('A');
    const errors = await uncaught(async () => {
      await onMain(1, async (scope, expect) => {
        const job = scope.launch({ job: null }, (inner) => {
          inner.launch(() => {
            throw error;
          });
        });
        assert.isUndefined(await scope.join(job));
        expect(1);
        assert.equal(flags(job), CANCELLED);
      });
      await turns(3);
    });
    assert.lengthOf(errors, 1);
    assert.strictEqual(errors[0], error);
  });

  it('case 32: a lazy job is started once', () =>
    onMain(9, async (scope, expect) => {
      expect(1);
      const job = scope.launch({ start: 'lazy' }, async (inner) => {
        expect(5);
        await inner.yield();
        expect(7);
      });
      expect(2);
      await scope.yield();
      await scope.yield();
      expect(3);
      assert.equal(flags(job), NEW);
      assert.isTrue(job.start());
      assert.isFalse(job.start());
      assert.equal(flags(job), ACTIVE);
      expect(4);
      await scope.yield();
      expect(6);
      assert.equal(flags(job), ACTIVE);
      await scope.yield();
      expect(8);
      assert.equal(flags(job), COMPLETED);
      assert.isFalse(job.start());
      await scope.join(job);
      expect(9);
    }));

  it('case 34: a lazy job that is cancelled before its start', () =>
    onMain(2, async (scope, expect) => {
      const job = scope.async({ start: 'lazy' }, () => expect.never());
      job.cancel();
      assert.equal(flags(job), CANCELLED);
      assert.isFalse(job.start());
      const error = await failure(scope.await(job));
      assert.equal(error.constructor, CancellationError);
      expect(1);
      assert.strictEqual(await failure(scope.await(job)), error);
      expect(2);
    }));

  it('case 35: a lazy job that is cancelled while it runs', () =>
    onMain(4, async (scope, expect) => {
      const job = scope.async({ start: 'lazy' }, async (inner) => {
        expect(2);
        await inner.awaitCancellation();
        expect.never();
      });
      expect(1);
      assert.isTrue(job.start());
      await scope.yield();
      expect(3);
      job.cancel();
      assert.equal(flags(job), CANCELLING);
      assert.equal((await failure(scope.await(job))).constructor, CancellationError);
      expect(4);
      assert.equal(flags(job), CANCELLED);
    }));

  it('case 37: nothing runs below a job that has failed', async () => {
    const error = new Error('A');
    const told = [];
    const handler = (failure) => told.push(failure);
    const errors = await uncaught(async () => {
      await onMain(2, async (scope, expect) => {
        const failed = scope.launch({ job: null, handler }, () => {
          throw error;
        });
        await scope.join(failed);
        expect(1);
        assert.equal(flags(failed), CANCELLED);
        assert.lengthOf(told, 1);
        const below = scope.launch({ job: failed, handler }, () => expect.never());
        await scope.join(below);
        assert.equal(flags(below), CANCELLED);
        const bare = newJob(failed);
        assert.equal(flags(bare), CANCELLED);
        const lower = scope.launch({ job: bare, handler }, () => expect.never());
        await scope.join(lower);
        assert.equal(flags(lower), CANCELLED);
        expect(2);
      });
      await turns(2);
    });
    assert.lengthOf(errors, 0);
    assert.lengthOf(told, 1);
    assert.strictEqual(told[0], error);
  });
});
