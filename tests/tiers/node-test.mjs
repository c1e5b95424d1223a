// `node:test` for the suite in another tier than `shared`: skips what that cannot
// do. See register.mjs.

import * as runner from 'node:test';
import { reasonFor } from './unable.js';

const tier = process.env.COWORKER_TIER;
const above = [];

/** Sorts out the forms (name?, options?, fn?). */
function parse(args) {
  const rest = [...args];
  const name = typeof rest[0] === 'string' ? rest.shift() : undefined;
  const options = typeof rest[0] === 'object' ? rest.shift() : {};
  return { name: name ?? rest[0]?.name ?? '', options, fn: rest[0] };
}

function test(define) {
  return (...args) => {
    const { name, options, fn } = parse(args);
    const reason = reasonFor(tier, [...above, name].join(' > '));
    return define(name, reason ? { ...options, skip: reason } : options, fn);
  };
}

function group(define) {
  return (...args) => {
    const { name, options, fn } = parse(args);
    const body = () => {
      above.push(name);
      try {
        return fn();
      } finally {
        above.pop();
      }
    };
    const reason = reasonFor(tier, [...above, name].join(' > '));
    return define(name, reason ? { ...options, skip: reason } : options, body);
  };
}

const withModes = (wrap, define) =>
  Object.assign(wrap(define), { skip: define.skip, only: define.only, todo: define.todo });

export const it = withModes(test, runner.it);
export { it as test };
export const describe = withModes(group, runner.describe);
export { describe as suite };
export const { before, after, beforeEach, afterEach, mock } = runner;
