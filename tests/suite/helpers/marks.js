// Marks: that things happen in one order and in no other.

import { AssertionError, assert } from 'chai';
import { Main } from 'coworker';

/**
 * Makes a function to call with 1, 2, 3 ... in this order. The first wrong call
 * throws, and is remembered: `expect.end(last)` throws it again, or throws
 * unless `last` was the last one. `expect.passed` is the last one so far;
 * `expect.never()` is for where nobody may come.
 */
export function marks() {
  let wrong;
  const expect = (mark) => {
    if (mark === expect.passed + 1) {
      expect.passed = mark;
      return;
    }
    const error = new AssertionError(`mark ${mark} came after ${expect.passed}`);
    wrong ??= error;
    throw error;
  };
  expect.passed = 0;
  expect.never = () => {
    wrong ??= new AssertionError(`came where nobody may, after ${expect.passed}`);
    throw wrong;
  };
  expect.end = (last) => {
    if (wrong) throw wrong;
    assert.equal(expect.passed, last, 'the last mark');
  };
  return expect;
}

/**
 * Runs `body` as a job on Main, with its scope and marks, of which `last` has to
 * be the last one once all of it has ended. Rejects with what the job fails with.
 */
export async function onMain(last, body, options = {}) {
  await Main.ready;
  const expect = marks();
  let failed = false;
  try {
    return await Main.async(options, (scope) => body(scope, expect));
  } catch (error) {
    failed = true;
    expect.end(expect.passed); // a wrong mark explains the rest
    throw error;
  } finally {
    if (!failed) expect.end(last);
  }
}

/** A body that waits to be cancelled: what it marks before, and when it cleans up. */
export const hangs = (expect, begun, cleaned) => async (scope) => {
  expect(begun);
  try {
    await scope.awaitCancellation();
  } finally {
    expect(cleaned);
  }
};

/** What a job's flags are: active, completed, cancelled. */
export const flags = (job) => [job.isActive, job.isCompleted, job.isCancelled].map(Number).join('');
