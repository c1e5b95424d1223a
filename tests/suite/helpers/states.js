// States of jobs, as flags() of marks.js tells them, and why they are cancelled.

import { assert } from 'chai';
import { CancellationError } from 'coworker';

export const NEW = '000';
export const ACTIVE = '100';
export const CANCELLING = '001';
export const COMPLETED = '010';
export const CANCELLED = '011';

/** Asserts that an error is a cancellation because of `cause`. */
export function assertCancelled(error, cause) {
  assert.equal(error.constructor, CancellationError);
  assert.strictEqual(error.cause, cause);
}
