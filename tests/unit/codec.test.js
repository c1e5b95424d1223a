// The codec delivers what structured clone delivers.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AT, ends, send, viewClasses, viewOf } from '../suite/helpers/codec-ends.js';
import { values } from '../suite/helpers/codec-values.js';

describe('a round trip', () => {
  for (const [name, value] of Object.entries(values)) {
    it(`carries ${name}`, () => {
      const expected = structuredClone(value);
      assert.deepStrictEqual(send(value), expected);
      // Once more, for the reader remembers names.
      assert.deepStrictEqual(send(value), expected);
    });
  }

  it('carries dates that are none', () => {
    const length = ends.writer.writeOne(new Date(NaN), AT, 64);
    const date = ends.reader.readOne(AT, length);
    assert.ok(date instanceof Date);
    assert.ok(Number.isNaN(date.getTime()));
  });

  it('keeps the order of properties, entries and members', () => {
    const value = { z: 1, 3: 2, a: 3, 1: 4 };
    assert.deepEqual(Object.keys(send(value)), Object.keys(value));
    const map = new Map([
      ['z', 1],
      ['a', 2],
      [3, 3],
    ]);
    assert.deepEqual([...send(map)], [...map]);
    assert.deepEqual([...send(new Set([3, 1, 2]))], [3, 1, 2]);
  });

  it('makes plain, changeable objects', () => {
    const object = send(Object.freeze({ a: 1, toString: 2 }));
    assert.equal(Object.getPrototypeOf(object), Object.prototype);
    for (const key of ['a', 'toString']) {
      assert.deepEqual(Object.getOwnPropertyDescriptor(object, key), {
        value: object[key],
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
  });

  it('keeps __proto__ from becoming the prototype', () => {
    const object = send(JSON.parse('{"__proto__":{"evil":true}}'));
    assert.equal(object.evil, undefined);
    assert.ok(Object.hasOwn(object, '__proto__'));
  });

  it('copies typed arrays to memory that is not shared', () => {
    for (const View of [...viewClasses, DataView]) {
      const source = View === DataView ? new DataView(new ArrayBuffer(4)) : new View(40);
      const view = send(source);
      assert.ok(view.buffer instanceof ArrayBuffer);
      assert.equal(view.byteOffset, 0);
      assert.equal(view.buffer.byteLength, source.byteLength);
    }
  });

  it('carries lists of any length', () => {
    const { writer, reader, room } = ends;
    for (const list of [[], [undefined], [1, 2], Array(1000).fill('x'), [[]]]) {
      const length = writer.write(list, AT, room);
      assert.deepStrictEqual(reader.read(AT, length), list);
    }
    // A hole in a list of arguments is an argument that is not there.
    const length = writer.write(Array(2), AT, room);
    assert.deepStrictEqual(reader.read(AT, length), [undefined, undefined]);
  });

  it('finds each of many names again', () => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 3000; i++) {
        const value = { [`n${i}`]: 1, [`${i % 7}${'m'.repeat(i % 40)}`]: 2 };
        assert.deepEqual(send(value), value);
      }
    }
  });

  it('works at every place in the memory', () => {
    const { writer, reader } = ends;
    const value = ['é', viewOf(Float64Array, 2), { a: viewOf(Int16Array, 3) }];
    for (let at = 0; at < 256; at += 8) {
      const length = writer.writeOne(value, at, 4096);
      assert.deepStrictEqual(reader.readOne(at, length), value);
    }
  });
});

describe('an Object.prototype with more', () => {
  const names = ['short', 'long'.repeat(20), 'é', '日本'];
  const withMore = (attributes, run) => {
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, { ...attributes, configurable: true });
    }
    try {
      run();
    } finally {
      for (const name of names) delete Object.prototype[name];
    }
  };

  it('does not add to what is carried', () => {
    withMore({ value: 1, enumerable: true }, () => {
      assert.deepEqual(Object.keys(send({ a: 1 })), ['a']);
    });
  });

  it('does not get hold of what is carried', () => {
    const value = Object.fromEntries(names.map((name) => [name, { name }]));
    const set = () => assert.fail('a setter was called');
    withMore({ set }, () => {
      assert.deepEqual(Object.entries(send(value)), Object.entries(value));
    });
    assert.deepEqual(send(value), value);
  });
});
