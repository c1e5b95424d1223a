// Calls that are refused.

import { assert } from 'chai';
import { failure } from './contexts.js';

/** Asserts that a call is refused with this class, and a message with these parts. */
export async function refused(call, ErrorClass, ...parts) {
  const error = await failure((async () => call())());
  assert.equal(error.constructor, ErrorClass, String(error));
  for (const part of parts) assert.include(error.message, part);
}
