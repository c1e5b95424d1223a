// The kill gate around the core's exports.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { GONE, gate } from '../../dist/gate.js';
import { GATE_GONE, GATE_WAS_OPEN } from '../../dist/layout.gen.js';

/** A module that notes what is called in it. */
function fake() {
  const calls = [];
  let isOpen = true;
  let isOver = false;
  const module = {
    _cwb_enter() {
      const wasOpen = isOpen;
      isOpen = false;
      calls.push('enter');
      if (isOver) return GATE_GONE;
      return wasOpen ? GATE_WAS_OPEN : 0;
    },
    _cwb_leave() {
      isOpen = true;
      calls.push('leave');
    },
    _cw_cancel: (job, error) => calls.push(`cancel ${job} ${error}`),
    _cwb_await() {
      calls.push('await');
      module._cw_cancel(3, 4); // as a callback does
    },
    _cwb_fails() {
      throw new RangeError('failed');
    },
    _cwb_run: () => calls.push('run'),
    _malloc: () => calls.push('malloc'),
    HEAPU8: new Uint8Array(1),
  };
  const gone = () => {
    throw GONE;
  };
  return { module, calls, gone, end: () => (isOver = true) };
}

describe('the kill gate', () => {
  it('is passed by each call, and by whoever has the module already', () => {
    const { module, calls, gone } = fake();
    const held = module;
    gate(module, gone);
    held._cw_cancel(1, 2);
    assert.deepEqual(calls, ['enter', 'cancel 1 2', 'leave']);
  });

  it('is opened again only by who has come through it', () => {
    const { module, calls, gone } = fake();
    gate(module, gone);
    module._cwb_await();
    assert.deepEqual(calls, ['enter', 'await', 'enter', 'cancel 3 4', 'leave']);
  });

  it('is opened after a failure', () => {
    const { module, calls, gone } = fake();
    gate(module, gone);
    assert.throws(() => module._cwb_fails(), RangeError, 'failed');
    assert.deepEqual(calls, ['enter', 'leave']);
  });

  it('is not in the way of what passes it by itself, or is not of the core', () => {
    const { module, calls, gone } = fake();
    const { HEAPU8, _malloc } = module;
    gate(module, gone);
    module._cwb_run();
    assert.deepEqual(calls, ['run']);
    assert.equal(module.HEAPU8, HEAPU8);
    assert.equal(module._malloc, _malloc);
  });

  it('lets nobody through whose thread is over', () => {
    const { module, calls, gone, end } = fake();
    gate(module, gone);
    end();
    assert.throws(() => module._cw_cancel(1, 2), GONE);
    assert.throws(() => module._cwb_await(), GONE);
    assert.deepEqual(calls, ['enter', 'enter']);
  });
});
