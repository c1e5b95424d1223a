// What the suites use of `node:test`, on top of mocha's browser build.

import { reasonFor } from '../tiers/unable.js';

const { harness, mocha } = globalThis;
const tier = harness.params.get('tier');
/** The names of the suites that are being defined. */
const above = [];

mocha.setup({
  ui: 'bdd',
  timeout: Number(harness.params.get('timeout')),
  // Mocha's own reporters need a page or a terminal.
  reporter: class {},
});

const bdd = Object.fromEntries(
  ['describe', 'it', 'before', 'after', 'beforeEach', 'afterEach'].map((name) => [
    name,
    globalThis[name],
  ]),
);

/** Why tests and suites are skipped. */
const reasons = new WeakMap();

/**
 * The reason given for skipping a test, or a suite it is in.
 *
 * @param {Mocha.Test} test
 * @returns {string}
 */
export function skipReason(test) {
  for (let item = test; item; item = item.parent) {
    if (reasons.has(item)) return reasons.get(item);
  }
  return '';
}

/** Sorts out the forms (name?, options?, fn?). */
function parseArgs(args) {
  const rest = [...args];
  const name = typeof rest[0] === 'string' ? rest.shift() : undefined;
  const options = typeof rest[0] === 'object' ? rest.shift() : {};
  const fn = rest[0];
  return { name: name ?? fn?.name ?? '<anonymous>', options, fn };
}

let running;

/** Thrown in a test that turns out not to be possible here. */
class Skip extends Error {}

harness.skipTest = (reason) => {
  const skip = new Skip(reason);
  running?.(skip); // the test may catch what it gets
  throw skip;
};

harness.failTest = (error) => {
  running?.(error);
  return running !== undefined;
};

/** Runs a test's function; errors that nothing catches fail the test too. */
async function runTest(mochaContext, name, fn) {
  let skipped;
  const context = {
    name,
    diagnostic: (text) => console.log(text),
    skip: (reason = '') => (skipped = reason),
  };
  let fail;
  const uncaught = new Promise((_, reject) => (fail = reject));
  running = fail;
  try {
    const body =
      fn.length > 1
        ? new Promise((resolve, reject) => {
            fn(context, (error) => (error ? reject(error) : resolve()));
          })
        : fn(context);
    await Promise.race([body, uncaught]);
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    skipped = error.message;
  } finally {
    // After a timeout the next test may be running already.
    if (running === fail) running = undefined;
  }
  if (skipped === undefined) return;
  reasons.set(mochaContext.test, skipped);
  mochaContext.skip();
}

function applyTimeout(mochaContext, { timeout }) {
  // Infinity stands for none, which is 0 in mocha.
  if (timeout !== undefined) {
    mochaContext.timeout(timeout === Infinity ? 0 : timeout);
  }
}

function withModes(define) {
  const api = (...args) => define(args, {});
  api.only = (...args) => define(args, { only: true });
  api.skip = (...args) => define(args, { skip: true });
  api.todo = (...args) => define(args, { todo: true });
  return api;
}

/** The text of `skip` or `todo`, or undefined if the test is to run. */
function reasonToSkip(name, { skip, todo }) {
  const unable = reasonFor(tier, [...above, name].join(' > '));
  if (unable) return unable;
  if (skip) return typeof skip === 'string' ? skip : '';
  if (todo) return typeof todo === 'string' ? `todo: ${todo}` : 'todo';
  return undefined;
}

export const it = withModes((args, mode) => {
  const { name, options, fn } = parseArgs(args);
  const settings = { ...options, ...mode };
  const reason = reasonToSkip(name, settings) ?? (fn ? undefined : 'todo');
  if (reason !== undefined) {
    reasons.set(bdd.it(name), reason);
    return;
  }
  (settings.only ? bdd.it.only : bdd.it)(name, function () {
    applyTimeout(this, settings);
    return runTest(this, name, fn);
  });
});

export const test = it;

export const describe = withModes((args, mode) => {
  const { name, options, fn } = parseArgs(args);
  const settings = { ...options, ...mode };
  const reason = reasonToSkip(name, settings);
  const body = function () {
    applyTimeout(this, settings);
    above.push(name);
    const result = fn?.();
    above.pop();
    if (typeof result?.then === 'function') {
      throw new TypeError(`describe('${name}') must not be async here`);
    }
  };
  if (reason !== undefined) reasons.set(bdd.describe.skip(name, body), reason);
  else if (settings.only) bdd.describe.only(name, body);
  else bdd.describe(name, body);
});

export const suite = describe;

function hook(kind) {
  return (fn, options = {}) => {
    bdd[kind](function () {
      applyTimeout(this, options);
      return fn();
    });
  };
}

export const before = hook('before');
export const after = hook('after');
export const beforeEach = hook('beforeEach');
export const afterEach = hook('afterEach');
