// What has to become of a grandchild's failure, for each kind of child, on Main.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  newCompletableDeferred,
  newJob,
  newSupervisorJob,
  produce,
} from 'coworker';
import { failure, turns, uncaught } from './helpers/contexts.js';
import { onMain } from './helpers/marks.js';
import { assertCancelled } from './helpers/states.js';

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
