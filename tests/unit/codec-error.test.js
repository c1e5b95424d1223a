// Thrown values on their way to another thread.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import vm from 'node:vm';

import { decodeError, encodeError, Reader, Writer } from '../../dist/codec.js';

const buffer = new SharedArrayBuffer(1 << 20);
const heap = {
  u8: new Uint8Array(buffer),
  i32: new Int32Array(buffer),
  buffer,
};
const writer = new Writer(() => heap);
const reader = new Reader(() => heap);

/** What arrives by the codec; what comes by structured clone is the same. */
function send(thrown, extra) {
  const carried = encodeError(thrown, extra);
  const length = writer.writeOne(carried, 64, 1 << 19);
  assert.ok(length > 0, `not carried: ${length}`);
  const arrived = reader.readOne(64, length);
  assert.deepStrictEqual(arrived, structuredClone(carried));
  assert.deepStrictEqual(arrived, carried);
  return decodeError(arrived);
}

describe('errors', () => {
  const classes = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
  for (const Class of classes) {
    it(`of class ${Class.name} arrive as such`, () => {
      const error = new Class('what went wrong');
      const arrived = send(error);
      assert.equal(Object.getPrototypeOf(arrived), Class.prototype);
      assert.equal(arrived.name, error.name);
      assert.equal(arrived.message, error.message);
      assert.equal(arrived.stack, error.stack);
      assert.equal('cause' in arrived, false);
      assert.equal('code' in arrived, false);
      assert.deepEqual(Object.keys(arrived), []);
      assert.equal(Object.hasOwn(arrived, 'name'), false);
    });
  }

  it('of other classes keep their names', () => {
    class CustomError extends TypeError {
      name = 'CustomError';
    }
    const arrived = send(new CustomError('x'));
    assert.equal(Object.getPrototypeOf(arrived), Error.prototype);
    assert.equal(arrived.name, 'CustomError');
    assert.deepEqual(Object.keys(arrived), []);
    assert.equal(String(arrived), 'CustomError: x');
  });

  it('of the web keep their names', () => {
    const reason = AbortSignal.abort().reason;
    const arrived = send(reason);
    assert.ok(arrived instanceof Error);
    assert.equal(arrived.name, 'AbortError');
    assert.equal(arrived.message, reason.message);
    assert.equal(arrived.code, 20);
    assert.equal(send(new DOMException('x', 'DataCloneError')).name, 'DataCloneError');
  });

  it('of other realms are errors', () => {
    const arrived = send(vm.runInNewContext('new RangeError("far")'));
    assert.ok(arrived instanceof RangeError);
    assert.equal(arrived.message, 'far');
  });

  it('keep their code', () => {
    const error = Object.assign(new Error('x'), { code: 'ENOENT', more: 1 });
    const arrived = send(error);
    assert.equal(arrived.code, 'ENOENT');
    assert.equal('more' in arrived, false);
    assert.equal(send(Object.assign(new Error('x'), { code: -3 })).code, -3);
    assert.equal('code' in send(Object.assign(new Error(), { code: {} })), false);
  });

  it('keep their causes', () => {
    const error = new Error('a', {
      cause: new TypeError('b', { cause: { value: [1, 'two', 3n] } }),
    });
    const arrived = send(error);
    assert.ok(arrived.cause instanceof TypeError);
    assert.equal(arrived.cause.stack, error.cause.stack);
    assert.deepEqual(arrived.cause.cause, { value: [1, 'two', 3n] });
    assert.deepEqual(Object.keys(arrived), []);
    const empty = send(new Error('a', { cause: undefined }));
    assert.ok('cause' in empty);
    assert.equal(empty.cause, undefined);
  });

  it('have a text for a cause that cannot be carried', () => {
    assert.equal(send(new Error('a', { cause: Symbol('s') })).cause, 'Symbol(s)');
    const cause = function f() {};
    assert.equal(send(new Error('a', { cause })).cause, String(cause));
    assert.equal(send(new Error('a', { cause: /x/g })).cause, '/x/g');
  });

  it('may be their own cause', () => {
    const error = new Error('a');
    error.cause = new Error('b', { cause: error });
    assert.equal(send(error).cause.cause, 'Error: a');
  });

  it('may have a long chain of causes', () => {
    let error = new Error('0');
    for (let i = 1; i < 100; i++) error = new Error(String(i), { cause: error });
    let arrived = send(error);
    let count = 0;
    for (; arrived instanceof Error; arrived = arrived.cause) count++;
    assert.equal(count, 16);
    assert.equal(arrived, 'Error: 83');
  });

  it('keep the errors of an AggregateError', () => {
    const shared = new RangeError('in all');
    const error = new AggregateError(
      [shared, 'text', new Error('b', { cause: shared }), () => 1, shared],
      'many',
      { cause: 5 },
    );
    const arrived = send(error);
    assert.ok(arrived instanceof AggregateError);
    assert.equal(arrived.message, 'many');
    assert.equal(arrived.cause, 5);
    assert.equal(arrived.stack, error.stack);
    const [a, b, c, d, e] = arrived.errors;
    assert.ok(a instanceof RangeError && e instanceof RangeError);
    assert.equal(b, 'text');
    assert.ok(c.cause instanceof RangeError);
    assert.equal(d, '() => 1');
    assert.deepEqual(Object.keys(arrived), []);
    class Many extends AggregateError {
      name = 'Many';
    }
    const many = send(new Many([shared], 'x'));
    assert.equal(many.name, 'Many');
    assert.equal(many.errors[0].message, 'in all');
  });

  it('have a stack even if they had none', () => {
    const error = new TypeError('x');
    delete error.stack;
    assert.equal(send(error).stack, 'TypeError: x');
    error.message = '';
    assert.equal(send(error).stack, 'TypeError');
  });

  it('may have anything for properties', () => {
    const error = new Error('x');
    for (const key of ['stack', 'name', 'message', 'code', 'cause']) {
      Object.defineProperty(error, key, {
        get() {
          throw new Error('no');
        },
      });
    }
    const arrived = send(error);
    assert.equal(arrived.name, 'Error');
    assert.equal(arrived.message, '');
    const odd = new Error('x');
    Object.assign(odd, { name: 5, message: {}, stack: [], errors: 7 });
    assert.equal(send(odd).name, 'Error');
    assert.equal(send(odd).errors, undefined);
  });

  it('get more properties', () => {
    const extra = { worker: 'pool-1', attempt: 2, last: true };
    const arrived = send(new TypeError('x'), extra);
    assert.equal(arrived.worker, 'pool-1');
    assert.deepEqual({ ...arrived }, extra);
    assert.deepEqual({ ...send(() => 1, extra) }, extra);
    assert.equal(send('text', extra), 'text');
  });

  it('with much text arrive', () => {
    const message = 'täxt'.repeat(10000);
    assert.equal(send(new Error(message)).message, message);
  });
});

describe('values that are no errors', () => {
  const values = {
    string: 'text',
    'empty string': '',
    undefined,
    null: null,
    number: -0,
    bigint: 2n ** 80n,
    object: { status: 404, body: ['not found'] },
    'large object': { data: 'x'.repeat(5000), list: [new Uint8Array(9000)] },
    map: new Map([[1, new Date(5)]]),
    'no prototype': Object.assign(Object.create(null), { a: 1 }),
    'something like an error': { name: 'Error', message: 'x', kind: 'error' },
  };
  for (const [name, value] of Object.entries(values)) {
    it(`arrive as they are: ${name}`, () => {
      assert.deepStrictEqual(send(value), structuredClone(value));
    });
  }

  it('are copied at once', () => {
    const value = { a: [1] };
    const carried = encodeError(value);
    value.a.push(2);
    assert.deepEqual(decodeError(carried), { a: [1] });
  });

  const circle = {};
  circle.circle = circle;
  const hostile = new Proxy(
    {},
    Object.fromEntries(
      Object.getOwnPropertyNames(Reflect).map((trap) => [
        trap,
        () => {
          throw new Error('no');
        },
      ]),
    ),
  );
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const others = {
    'a function': [function work() {}, /^a value that cannot be sent was thrown: function work/],
    'a symbol': [Symbol('s'), /^a value that cannot be sent was thrown: Symbol\(s\)$/],
    'an object of a class': [new (class Point {})(), /an object of class Point$/],
    'an object with a text': [
      new (class {
        toString = () => 'my text';
      })(),
      /^a value that cannot be sent was thrown: my text$/,
    ],
    'a circle': [circle, /^a value that cannot be sent was thrown: an object of class Object$/],
    'a regular expression': [/x/g, /^a value that cannot be sent was thrown: \/x\/g$/],
    'an object that resists': [
      hostile,
      /^a value that cannot be sent was thrown: a value that has no text$/,
    ],
    'a revoked proxy': [
      revoked.proxy,
      /^a value that cannot be sent was thrown: a value that has no text$/,
    ],
    'a long function': [
      new Function(`return ${'1 + '.repeat(500)} 1`),
      /: function anonymous[^]{82}…$/u,
    ],
    'a class': [class Foo {}, /^a value that cannot be sent was thrown: class Foo/],
    'an object without class or text': [
      Object.assign(Object.create(null), { f() {} }),
      /^a value that cannot be sent was thrown: a value that has no text$/,
    ],
    'an object that grows when looked at': [
      {
        text: 'x'.repeat(2000),
        get more() {
          return (this.text += this.text);
        },
      },
      /^a value that cannot be sent was thrown: an object of class Object$/,
    ],
  };
  for (const [name, [value, message]] of Object.entries(others)) {
    it(`are told of by an error: ${name}`, () => {
      const arrived = send(value);
      assert.equal(Object.getPrototypeOf(arrived), Error.prototype);
      assert.match(arrived.message, message);
      assert.equal(arrived.stack, `Error: ${arrived.message}`);
    });
  }
});
