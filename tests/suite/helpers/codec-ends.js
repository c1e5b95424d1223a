// A writer and a reader of one memory, for tests of the codec.

import assert from 'node:assert/strict';
import { DECLINED, Reader, Writer } from '../../../dist/codec.js';

export const AT = 1024;

export function makeEnds(pages = 4) {
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

export const ends = makeEnds();

/** Sends a value in both forms and returns what arrives. */
export function send(value, { writer, reader, room } = ends) {
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

export function declines(value, { writer, room } = ends) {
  assert.equal(writer.writeOne(value, AT, room), DECLINED);
  assert.equal(writer.write([1, value], AT, room), DECLINED);
  assert.equal(writer.writeOne({ deep: [value] }, AT, room), DECLINED);
  // The size never matters to that.
  assert.equal(writer.writeOne(value, AT, 0), DECLINED);
}

export const nested = (depth) => {
  let value = 'core';
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { value };
  return value;
};

export const viewClasses = [
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

export const viewOf = (View, length) => {
  const view = new View(length);
  const bytes = new Uint8Array(view.buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 37) & 0x3f;
  return view;
};
