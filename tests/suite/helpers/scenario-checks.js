// What scenarios check with, and how they launch: workers have no library for that.

export function check(holds, text) {
  if (!holds) throw new Error(`failed: ${text}`);
}
export function same(actual, expected, text = 'the same') {
  check(
    Object.is(actual, expected),
    `${text}: expected ${String(expected)}, got ${String(actual)}`,
  );
}
export function equal(actual, expected) {
  same(JSON.stringify(actual), JSON.stringify(expected), 'equal');
}
export function isError(error, ErrorClass, ...texts) {
  same(error?.constructor, ErrorClass, `${String(error)} is of the class`);
  for (const text of texts) {
    check(error.message.includes(text), `'${text}' is in '${error.message}'`);
  }
}
/** The error of a call, thrown or by a promise. */
export async function raised(call) {
  let value;
  try {
    value = await call();
  } catch (error) {
    return error;
  }
  throw new Error(`expected an error, got the value ${String(value)}`);
}
export const flags = (job) => [job.isActive, job.isCompleted, job.isCancelled].map(Number).join('');

/** Calls with 1, 2, 3 ... in this order. */
export function marks() {
  let wrong;
  const expect = (mark) => {
    if (mark !== ++expect.passed) wrong ??= new Error(`mark ${mark} came as ${expect.passed}`);
    if (wrong) throw wrong;
  };
  expect.passed = 0;
  /** For where nobody may come. */
  expect.never = () => {
    wrong ??= new Error(`came where nobody may, after ${expect.passed}`);
    throw wrong;
  };
  expect.end = (last) => {
    if (wrong) throw wrong;
    same(expect.passed, last, 'the last mark');
  };
  return expect;
}

/** Launches a body that begins at once, up to where it first waits. */
export const now = (scope, body, options = {}) =>
  scope.launch({ start: 'undispatched', ...options }, body);
