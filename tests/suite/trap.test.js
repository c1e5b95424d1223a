// Traps in C: the failure of the job that has met one, and of nothing else.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  addressOf,
  begun,
  cells,
  failure,
  nativeOptions,
  tier,
  using,
} from './helpers/contexts.js';

const native = await nativeOptions();

describe('a trap', () => {
  const traps = ['unreachable', 'out of bounds', 'division by zero', 'stack overflow', 'abort()'];
  for (const [kind, name] of traps.entries()) {
    it(`is the job's failure, and the worker goes on: ${name}`, () =>
      using(
        1,
        async (context) => {
          const array = cells(context);
          const waiting = context.async('wait_and_mark', addressOf(array));
          if (tier === 'isolated') await context.async('fib', 1);
          else await begun(array, 1);
          const error = await failure(context.async('trap', kind));
          assert.match(error.name, /^(RuntimeError|RangeError|InternalError)$/);
          if (tier !== 'inline') {
            // There it is the very object that was thrown, as in all of one thread.
            assert.equal(error.worker, 'test');
            assert.equal(error.task, 'trap');
          }
          assert.equal(await context.async('fib', 8), 21);
          assert.isFalse(waiting.isCompleted);
          waiting.cancel();
          await failure(waiting);
          assert.equal(context.stats().lost, 0);
        },
        native,
      ));
  }

  it('is not what memory that is all gone leads to', () =>
    using(
      1,
      async (context) => {
        const error = await failure(context.async('exhaust'));
        assert.equal(error.code, 'CW_ENOMEM');
        assert.equal(error.task, 'exhaust');
        const asked = await failure(context.async('makeBuffer', 2 ** 53 - 1));
        assert.instanceOf(asked, RangeError);
        if (tier !== 'inline') {
          assert.equal(error.worker, 'test');
          assert.equal(asked.worker, 'test');
        }
        assert.equal(await context.async('fib', 8), 21);
      },
      native,
    ));

  it('ends the scopes that it comes from, and what is below them', () =>
    using(
      1,
      async (context) => {
        const array = cells(context);
        const error = await failure(context.async('trap_in_scope', addressOf(array)));
        assert.equal(error.name, 'RuntimeError');
        assert.equal(await context.async('fib', 8), 21);
      },
      native,
    ));
});
