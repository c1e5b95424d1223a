// The codec delivers what structured clone delivers, or declines.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import vm from 'node:vm';

import { DECLINED, DOES_NOT_FIT, Reader, Writer } from '../../dist/codec.js';

const AT = 1024;

function makeEnds(pages = 4) {
  const memory = new WebAssembly.Memory({
    initial: pages,
    maximum: 64,
    shared: true,
  });
  let heap;
  const views = () => {
    const { buffer } = memory;
    if (heap?.buffer !== buffer) {
      heap = {
        u8: new Uint8Array(buffer),
        i32: new Int32Array(buffer),
        buffer,
      };
    }
    return heap;
  };
  const room = pages * 65536 - AT;
  return {
    memory,
    room,
    writer: new Writer(views),
    reader: new Reader(views),
    heap: views,
  };
}

const ends = makeEnds();

/** Sends a value in both forms and returns what arrives. */
function send(value, { writer, reader, room } = ends) {
  const length = writer.writeOne(value, AT, room);
  assert.ok(length > 0, `declined or too long: ${length}`);
  assert.equal(length % 4, 0);
  const one = reader.readOne(AT, length);
  const listLength = writer.write([value, 7, 'end'], AT, room);
  assert.ok(listLength > length);
  const list = reader.read(AT, listLength);
  assert.deepStrictEqual(list, [one, 7, 'end']);
  return one;
}

function declines(value, { writer, room } = ends) {
  assert.equal(writer.writeOne(value, AT, room), DECLINED);
  assert.equal(writer.write([1, value], AT, room), DECLINED);
  assert.equal(writer.writeOne({ deep: [value] }, AT, room), DECLINED);
  // The size never matters to that.
  assert.equal(writer.writeOne(value, AT, 0), DECLINED);
}

const nested = (depth) => {
  let value = 'core';
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { value };
  return value;
};

const viewClasses = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  ...(typeof Float16Array === 'function' ? [Float16Array] : []),
];

const viewOf = (View, length) => {
  const view = new View(length);
  const bytes = new Uint8Array(view.buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 37) & 0x3f;
  return view;
};

const values = {
  undefined,
  null: null,
  false: false,
  true: true,
  'small integers': [0, 1, -1, 67108863, -67108864],
  'middle integers': [67108864, -67108865, 2147483647, -2147483648],
  'large integers': [2147483648, -2147483649, 2 ** 53, -(2 ** 53), 1e300],
  doubles: [0.1, -1.5, 5e-324, 1.7976931348623157e308, Math.PI],
  'special numbers': [-0, NaN, Infinity, -Infinity],
  'numbers of all kinds': [0.5, 0.25, 1, 0.75, 'x', 2, 1e9, 0.5],
  bigints: [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)],
  'large bigints': [2n ** 63n, -(2n ** 63n) - 1n, 2n ** 64n, -(2n ** 64n)],
  'huge bigints': [10n ** 500n, -(10n ** 500n), 2n ** 4096n - 1n],
  'bigints at word borders': Array.from({ length: 400 }, (_, i) => [
    2n ** BigInt(i),
    -(2n ** BigInt(i)),
    2n ** BigInt(i) - 1n,
    1n - 2n ** BigInt(i),
  ]),
  'strings of all short lengths': Array.from({ length: 70 }, (_, i) =>
    'The quick brown fox jumps over the lazy dog; and then once more it does.'.slice(0, i),
  ),
  'Latin-1 of all short lengths': Array.from({ length: 70 }, (_, i) =>
    String.fromCharCode(...Array.from({ length: i }, (_, k) => 128 + k)),
  ),
  'UTF-16 of all short lengths': Array.from({ length: 70 }, (_, i) =>
    '日本語テキスト'.repeat(10).slice(0, i),
  ),
  'every Latin-1 character': String.fromCharCode(...Array(256).keys()),
  'every UTF-16 unit': Array.from({ length: 64 }, (_, i) =>
    String.fromCharCode(...Array.from({ length: 1024 }, (_, k) => i * 1024 + k)),
  ),
  'lone surrogates': ['\ud800', '\udc00x', 'x\udfff\ud800y', '\ud83d\ude00'],
  'byte order marks': ['\ufeff', '\ufeffabc', 'ï»¿', 'ï»¿'.repeat(30), '\0'],
  'long ASCII': 'abcdefghij'.repeat(3000),
  'long Latin-1': 'abcdefgéij'.repeat(3000),
  'long UTF-16': 'abcdefg日ij'.repeat(3001) + 'x',
  'long with a late stranger': ['a'.repeat(20000) + 'é', 'a'.repeat(9999) + '日'],
  'a rope': 'ab'.repeat(50) + Math.random() + 'ü'.repeat(40),
  'empty things': [[], {}, '', new Map(), new Set(), new ArrayBuffer(0)],
  arrays: [[1, [2, [3, [[], [undefined, null]]]]], [[]]],
  'long arrays': [
    Array.from({ length: 5000 }, (_, i) => i * 99991),
    Array.from({ length: 5000 }, (_, i) => i / 7),
    Array.from({ length: 300 }, (_, i) => `item ${i}`),
    new Array(100).fill(undefined),
  ],
  objects: { a: 1, b: 'x', c: [1, 2, 3], d: { e: { f: null } } },
  'keys of all lengths': Object.fromEntries(
    Array.from({ length: 80 }, (_, i) => ['k'.repeat(i), i]),
  ),
  'keys of all kinds': {
    é: 1,
    日本: 2,
    '\ud800': 3,
    '': 4,
    'a b': 5,
    'ñ ñ': 6,
  },
  'keys that are numbers': { 5: 'a', 1: 'b', x: 'c', '-1': 'd', '01': 'e' },
  'keys that Object.prototype has': {
    constructor: 1,
    toString: 2,
    hasOwnProperty: 3,
    __defineGetter__: 4,
  },
  'the key __proto__': JSON.parse('{"a":1,"__proto__":{"b":2},"c":3}'),
  'the key __proto__ for a number': JSON.parse('[{"__proto__":1}]'),
  'many keys': Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`key${i * i}`, i])),
  'no prototype': Object.assign(Object.create(null), { a: 1, b: [2] }),
  'symbols as keys': { a: 1, [Symbol('s')]: 2 },
  'hidden properties': Object.defineProperty({ a: 1 }, 'b', { value: 2 }),
  'inherited properties': Object.assign(Object.create(null, {}), { a: 1 }),
  'frozen things': Object.freeze({ a: Object.freeze([1, 2]) }),
  accessors: {
    get a() {
      return [1, 2];
    },
    set b(value) {
      throw value;
    },
  },
  dates: [new Date(0), new Date(-1.5e12), new Date(8.64e15)],
  'a date with more': Object.assign(new Date(5), { more: 1 }),
  maps: new Map([
    ['a', 1],
    [{ b: 2 }, new Map([[NaN, -0]])],
    [undefined, [null]],
  ]),
  sets: new Set([1, '1', NaN, { a: 1 }, new Set([[]])]),
  'a buffer': viewOf(Uint8Array, 13).buffer,
  'a DataView': new DataView(viewOf(Uint8Array, 11).buffer),
  'typed arrays': viewClasses.map((View) => viewOf(View, 7)),
  'small typed arrays': viewClasses.flatMap((View) =>
    Array.from({ length: 12 }, (_, i) => viewOf(View, i)),
  ),
  'a typed array with more': Object.assign(new Uint8Array(3), { more: 1 }),
  'a large typed array': viewOf(Float64Array, 5000),
  'an unaligned mixture': [
    1,
    viewOf(Float64Array, 3),
    2,
    3,
    viewOf(BigInt64Array, 2),
    viewOf(Uint8Array, 3),
    viewOf(Float64Array, 1),
  ],
  'depth 63': nested(63),
  'equal things that are not the same': Array.from({ length: 50 }, () => ({})),
};

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

// A small generator of numbers that are the same each time (mulberry32).
function makeRandom(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function randomValue(random, depth) {
  const below = (n) => Math.floor(random() * n);
  const text = () => {
    const top = [128, 128, 128, 256, 65536][below(5)];
    const length = below(10) === 0 ? below(300) : below(20);
    return String.fromCharCode(...Array.from({ length }, () => below(top)));
  };
  const many = (make) => Array.from({ length: below(6) }, make);
  const inner = () => randomValue(random, depth - 1);
  switch (below(depth > 0 ? 18 : 10)) {
    case 0:
      return [undefined, null, true, false, NaN, -0][below(6)];
    case 1:
      return below(200) - 100;
    case 2:
      return Math.round((random() - 0.5) * 2 ** (1 + below(60)));
    case 3:
      return (random() - 0.5) * 10 ** below(300);
    case 4:
    case 5:
      return text();
    case 6:
      return BigInt.asIntN(1 + below(200), BigInt(below(2 ** 32)) ** 6n);
    case 7:
      return new Date(Math.round((random() - 0.5) * 1e13));
    case 8:
      return viewOf(viewClasses[below(viewClasses.length)], below(20));
    case 9:
      return viewOf(Uint8Array, below(20)).buffer;
    case 10:
      return new Map(many(() => [inner(), inner()]));
    case 11:
      return new Set(many(inner));
    case 12:
    case 13:
    case 14:
      return many(inner);
    default:
      return Object.fromEntries(many(() => [text(), inner()]));
  }
}

describe('random values', () => {
  it('arrive as by structured clone', () => {
    const random = makeRandom(20240229);
    for (let i = 0; i < 1000; i++) {
      const value = randomValue(random, 5);
      assert.deepStrictEqual(send(value), structuredClone(value));
    }
  });

  it('never make the reader do anything but throw, if damaged', () => {
    const { writer, reader, room, heap } = ends;
    const random = makeRandom(77);
    let thrown = 0;
    for (let i = 0; i < 4000; i++) {
      const length = writer.write([randomValue(random, 4)], AT, room);
      const { i32 } = heap();
      for (let hits = 0; hits < 2; hits++) {
        const p = AT / 4 + Math.floor((random() * length) / 4);
        if (random() < 0.5) i32[p] = Math.floor(random() * 2 ** 32);
        else i32[p] ^= 1 << Math.floor(random() * 32);
      }
      try {
        reader.read(AT, length);
      } catch (error) {
        assert.match(error.message, /^coworker: internal error: bad message/);
        thrown++;
      }
    }
    assert.ok(thrown > 1000);
    assert.deepStrictEqual(send(values.objects), values.objects);
  });
});

describe('the reader', () => {
  it('throws for a message that is cut off or too long', () => {
    const { writer, reader, room } = ends;
    for (const value of Object.values(values)) {
      const length = writer.writeOne(value, AT, room);
      for (let cut = 0; cut < length; cut += length > 400 ? 124 : 4) {
        assert.throws(() => reader.readOne(AT, cut), /internal error/);
      }
      assert.throws(() => reader.readOne(AT, length + 4), /internal error/);
    }
  });

  it('throws for sizes and offsets that are no whole elements', () => {
    const { writer, reader, room, heap } = ends;
    const { i32, buffer } = heap();
    let length = writer.writeOne(new Float64Array(2), AT, room);
    i32[AT / 4 + 1] = 15;
    assert.throws(() => reader.readOne(AT, length), /internal error/);
    length = writer.writeOne(new Float64Array(buffer, 8, 1), AT, room);
    i32[AT / 4 + 1] = 12;
    assert.throws(() => reader.readOne(AT, length), /internal error/);
    i32[AT / 4 + 1] = buffer.byteLength;
    assert.throws(() => reader.readOne(AT, length), /internal error/);
  });

  it('throws for memory that nobody wrote', () => {
    const { reader, room, heap } = makeEnds(1);
    assert.throws(() => reader.readOne(AT, 8), /internal error/);
    assert.throws(() => reader.read(AT, 8), /internal error/);
    assert.throws(() => reader.read(AT, room + 4), /internal error/);
    heap().i32.fill(-1);
    assert.throws(() => reader.readOne(AT, 800), /internal error/);
    // Arrays in arrays without end.
    heap().i32.fill((1 << 5) | 11);
    assert.throws(() => reader.readOne(AT, room), /internal error/);
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

describe('capacity', () => {
  const cases = {
    ...values,
    'every tag': [
      [1, 1e8, 1.5, 'abc', 'äb', '日', undefined, null, true, false, 5n],
      [-(2n ** 70n), new Date(9), new ArrayBuffer(3), new Uint16Array(3)],
      [new Map([[1, { a: 'b' }]]), new Set(['x'.repeat(65), 'é'.repeat(65)])],
      { key: new Uint8Array(ends.memory.buffer, 0, 4) },
    ],
  };
  for (const [name, value] of Object.entries(cases)) {
    it(`is kept to for ${name}`, () => {
      const { writer, reader, room, heap } = ends;
      const length = writer.writeOne(value, AT, room);
      const { u8 } = heap();
      // All sizes for the short ones, some for the long ones.
      const step = length > 2000 ? Math.ceil(length / 7 / 4) * 4 - 1 : 1;
      for (let capacity = 0; capacity < length; capacity += step) {
        u8.fill(0xa5, AT - 64, AT + capacity + 256);
        assert.equal(writer.writeOne(value, AT, capacity), DOES_NOT_FIT);
        assert.equal(writer.needed, length);
        assert.ok(u8.subarray(AT - 64, AT).every((byte) => byte === 0xa5));
        assert.ok(u8.subarray(AT + capacity, AT + capacity + 256).every((byte) => byte === 0xa5));
      }
      for (let capacity = length; capacity < length + 9; capacity++) {
        u8.fill(0xa5, AT + length, AT + length + 256);
        assert.equal(writer.writeOne(value, AT, capacity), length);
        assert.ok(u8.subarray(AT + length, AT + length + 256).every((b) => b === 0xa5));
      }
      assert.deepStrictEqual(
        reader.readOne(AT, length),
        name === 'every tag' ? value : structuredClone(value),
      );
    });
  }

  it('is told for lists', () => {
    const { writer } = ends;
    assert.equal(writer.write([1, 2], AT, 11), DOES_NOT_FIT);
    assert.equal(writer.needed, 12);
    assert.equal(writer.write([1, 2], AT, 12), 12);
    assert.equal(writer.write([], AT, 0), DOES_NOT_FIT);
    assert.equal(writer.needed, 4);
  });

  it('ends with the memory', () => {
    const { writer, memory } = ends;
    const size = memory.buffer.byteLength;
    assert.equal(writer.write([1, 2, 3], size - 8, 1000), DOES_NOT_FIT);
    assert.equal(writer.needed, 16);
    assert.equal(writer.write([1], size - 8, 1000), 8);
  });
});

describe('views of the memory', () => {
  it('arrive as views of the same memory', () => {
    for (const View of [...viewClasses, DataView]) {
      const view = new View(ends.memory.buffer, 64, 5);
      const arrived = send(view);
      assert.equal(arrived.constructor, View);
      assert.equal(arrived.buffer, ends.memory.buffer);
      assert.equal(arrived.byteOffset, 64);
      assert.equal(arrived.byteLength, view.byteLength);
      assert.equal(arrived.length, view.length);
    }
    const bytes = new Uint8Array(ends.memory.buffer, 64, 5);
    const arrived = send({ bytes }).bytes;
    bytes[2] = 42;
    assert.equal(arrived[2], 42);
    arrived[3] = 43;
    assert.equal(bytes[3], 43);
  });

  it('may be many, of no length, and of all of it', () => {
    const { buffer } = ends.memory;
    const [a, b, c] = send([
      new Uint8Array(buffer),
      new Float32Array(buffer, 128, 0),
      new Uint8Array(buffer, 128),
    ]);
    assert.equal(a.length, buffer.byteLength);
    assert.equal(b.length, 0);
    assert.equal(c.length, buffer.byteLength - 128);
  });

  it('may be older than the last growth of the memory', () => {
    const own = makeEnds(1);
    const before = own.memory.buffer;
    const view = new Int32Array(before, 512, 4);
    send(view, own);
    own.memory.grow(1);
    assert.notEqual(own.memory.buffer, before);
    const arrived = send(view, own);
    assert.equal(arrived.buffer, own.memory.buffer);
    assert.equal(arrived.byteOffset, 512);
    arrived[0] = 99;
    assert.equal(view[0], 99);
    own.memory.grow(1);
    assert.equal(send(view, own).buffer, own.memory.buffer);
    // What lies in the new part is reached, too; and what does not, still.
    const last = new Uint8Array(own.memory.buffer, 3 * 65536 - 4);
    assert.equal(send(last, own).byteOffset, 3 * 65536 - 4);
    assert.equal(send(view, own).byteOffset, 512);
    const { writer, reader } = own;
    const length = writer.writeOne('far', 2 * 65536, 64);
    assert.equal(reader.readOne(2 * 65536, length), 'far');
  });

  it('work with memory that is not shared', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = () => ({
      u8: new Uint8Array(memory.buffer),
      i32: new Int32Array(memory.buffer),
      buffer: memory.buffer,
    });
    const own = {
      writer: new Writer(heap),
      reader: new Reader(heap),
      room: 4096,
    };
    assert.deepEqual(send(values.objects, own), values.objects);
    const view = new Uint8Array(memory.buffer, 8, 8);
    assert.equal(send(view, own).buffer, memory.buffer);
    const growing = {
      get a() {
        memory.grow(1);
        return 1;
      },
      b: 2,
    };
    assert.equal(own.writer.writeOne(growing, AT, 4096), DECLINED);
    declines(view, own);
    assert.deepEqual(send(values.objects, own), values.objects);
  });
});
