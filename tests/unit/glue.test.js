// The glue of the package's own module, of which wasm/own.js replaces parts.

import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assert } from 'chai';
import { Linter } from 'eslint';
import globals from 'globals';

const dist = new URL('../../dist/', import.meta.url);

describe('the glue', () => {
  for (const [file, host] of [
    ['coworker.mjs', { ...globals.browser, ...globals.worker }],
    ['coworker.node.mjs', globals.node],
  ]) {
    it(`has all that it refers to: ${file}`, () => {
      const problems = new Linter().verify(readFileSync(new URL(file, dist), 'utf8'), {
        languageOptions: {
          ecmaVersion: 'latest',
          sourceType: 'module',
          globals: {
            ...host,
            Worker: false,
            XMLHttpRequest: false,
            postMessage: false,
            self: false,
          },
        },
        rules: { 'no-undef': 'error' },
      });
      assert.deepEqual(
        problems.map(({ message }) => message),
        [],
      );
    });
  }
});
