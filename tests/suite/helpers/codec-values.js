// Values that the codec carries, by what is special about them.

import { nested, viewClasses, viewOf } from './codec-ends.js';

export const values = {
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
