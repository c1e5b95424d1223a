// Random values through the codec, and messages that are damaged.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AT, ends, makeEnds, send, viewClasses, viewOf } from '../suite/helpers/codec-ends.js';
import { values } from '../suite/helpers/codec-values.js';

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
