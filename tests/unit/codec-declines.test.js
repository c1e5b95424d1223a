// What the codec declines, so that structured clone has to carry it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import vm from 'node:vm';
import { DECLINED } from '../../dist/codec.js';
import { AT, declines, ends, nested, send } from '../suite/helpers/codec-ends.js';
import { values } from '../suite/helpers/codec-values.js';

describe('the writer declines', () => {
  class Point {
    x = 1;
  }
  const buffer = new ArrayBuffer(16);
  const detached = new ArrayBuffer(8);
  const detachedView = new Uint8Array(detached);
  structuredClone(detached, { transfer: [detached] });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const circle = { a: {} };
  circle.a.b = circle;
  const sharedItem = {};
  const far = Array.from({ length: 100 }, () => ({}));

  const declined = {
    functions: () => 1,
    classes: Point,
    symbols: Symbol('x'),
    'well-known symbols': Symbol.iterator,
    'objects of a class': new Point(),
    'objects with another prototype': Object.create({ a: 1 }),
    errors: new TypeError('x'),
    'errors in disguise': Object.setPrototypeOf(new Error('x'), Object.prototype),
    'boolean objects': Object(true),
    'number objects': Object(1),
    'string objects': Object('x'),
    'bigint objects': Object(1n),
    'symbol objects': Object(Symbol.iterator),
    'regular expressions': /x/g,
    promises: Promise.resolve(),
    'weak maps': new WeakMap(),
    iterators: [].values(),
    generators: (function* () {})(),
    'arguments objects': (function () {
      return arguments;
    })(1, 2),
    'the global object': globalThis,
    namespaces: vm,
    'tagged objects': { [Symbol.toStringTag]: 'Tag' },
    'arrays with holes': [1, , 3],
    'long arrays with holes': Object.assign(new Array(20), { 3: 1 }),
    'arrays with a hole at the end': [1, 2].concat(Array(1)),
    'vast arrays': new Array(4e9),
    'arrays with more': Object.assign([1, 2], { more: 1 }),
    'long arrays with more': Object.assign([1, 2, 3, 4, 5, 6], { more: 1 }),
    'empty arrays with more': Object.assign([], { more: 1 }),
    'arrays with as many holes as more': Object.assign([1, , 3], { more: 1 }),
    'long arrays with as many holes as more': Object.assign([1, , 3, 4, 5, 6, 7, 8], {
      more: undefined,
    }),
    'matches of a regular expression': 'abc'.match(/b/),
    'arrays of a class': new (class extends Array {})(),
    'what only looks like an array': Object.create(Array.prototype),
    'what only looks like a Date': Object.create(Date.prototype),
    'what only looks like a Map': Object.create(Map.prototype),
    'what only looks like a Set': Object.create(Set.prototype),
    'what only looks like a buffer': Object.create(ArrayBuffer.prototype),
    'what only looks like a view': Object.create(Uint8Array.prototype),
    'a Date in disguise': Object.setPrototypeOf(new Date(), Object.prototype),
    'maps of a class': new (class extends Map {})(),
    'sets of a class': new (class extends Set {})(),
    'dates of a class': new (class extends Date {})(),
    'buffers of Node': Buffer.from('abc'),
    'typed arrays of a class': new (class extends Uint8Array {})(4),
    'a view of the end of a buffer': new Uint8Array(buffer, 8),
    'a view of the start of a buffer': new Uint8Array(buffer, 0, 8),
    'a DataView of a part': new DataView(buffer, 4, 8),
    'a Float64Array that leaves a rest': new Float64Array(new ArrayBuffer(12), 0, 1),
    'resizable buffers': new ArrayBuffer(8, { maxByteLength: 16 }),
    'views of resizable buffers': new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 })),
    'shared buffers': new SharedArrayBuffer(8),
    'views of other shared buffers': new Uint8Array(new SharedArrayBuffer(8)),
    'the memory itself': ends.memory.buffer,
    'a detached buffer': detached,
    'a view of a detached buffer': detachedView,
    'a revoked proxy': revoked.proxy,
    'a proxy that throws': new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no');
        },
      },
    ),
    'an accessor that throws': {
      get a() {
        throw new Error('no');
      },
    },
    'an object of another realm': vm.runInNewContext('({ a: 1 })'),
    'an array of another realm': vm.runInNewContext('[1, 2]'),
    'a typed array of another realm': vm.runInNewContext('new Uint8Array(4)'),
    'a date of another realm': vm.runInNewContext('new Date()'),
    'a circle': circle,
    'the same object twice': [sharedItem, sharedItem],
    'the same object as a key and a value': new Map([[sharedItem, sharedItem]]),
    'the same array twice': { a: far, b: far },
    'the same object twice among many': [...far, { x: far[99] }],
    'an early object again among many': [...far, [far[0]]],
    'the same empty buffer twice': [new ArrayBuffer(0)].flatMap((b) => [b, b]),
    'the same view twice': [new Uint8Array(4)].flatMap((v) => [v, v]),
    'two views of one buffer': [new Uint8Array(buffer), new Int8Array(buffer)],
    'a buffer and its view': { buffer, view: new Uint8Array(buffer) },
    'a view and its buffer': { view: new Uint8Array(buffer), buffer },
    'the same view of the memory twice': [new Uint8Array(ends.memory.buffer, 0, 8)].flatMap((v) => [
      v,
      v,
    ]),
    'great depth': nested(65),
    'endless depth': new Proxy(
      {},
      {
        ownKeys: () => ['next'],
        getOwnPropertyDescriptor: () => ({
          enumerable: true,
          configurable: true,
        }),
        get: () => [declined['endless depth']],
      },
    ),
  };

  for (const [name, value] of Object.entries(declined)) {
    it(name, () => {
      declines(value);
      assert.deepStrictEqual(send(values.objects), values.objects);
    });
  }

  it('nothing that it carries less deep', () => {
    assert.deepStrictEqual(send(nested(64)), nested(64));
  });

  it('the same object twice in a list, not in two lists', () => {
    const { writer, room } = ends;
    assert.equal(writer.write([sharedItem, sharedItem], AT, room), DECLINED);
    assert.ok(writer.write([sharedItem], AT, room) > 0);
    assert.ok(writer.write([sharedItem], AT, room) > 0);
    assert.ok(writer.write([...far], AT, room) > 0);
    assert.ok(writer.write([...far], AT, room) > 0);
  });

  it('to be called by an accessor of what it writes', () => {
    const { writer, reader, room } = ends;
    const inner = [];
    const value = {
      get a() {
        inner.push(writer.write([1], AT, room), writer.writeOne(1, AT, room));
        return 5;
      },
      b: [6],
    };
    const length = writer.writeOne(value, AT, room);
    assert.deepEqual(inner, [DECLINED, DECLINED]);
    assert.deepEqual(reader.readOne(AT, length), { a: 5, b: [6] });
  });
});
