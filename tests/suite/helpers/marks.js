// The order in which things happen, as the conformance tests note it.

import { assert } from 'chai';

/** `mark(1)`, `mark(2)` ... fail unless they come in this order; `mark.end(2)`: these were all. */
export function newMarks() {
  let last = 0;
  const mark = (number) => assert.equal(number, ++last, 'the next mark');
  mark.end = (number) => assert.equal(last, number, 'the last mark');
  mark.never = () => assert.fail('this must not be reached');
  return mark;
}
