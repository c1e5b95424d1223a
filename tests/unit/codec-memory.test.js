// The codec keeps to the room that it has, and passes views of the memory on.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DECLINED, DOES_NOT_FIT, Reader, Writer } from '../../dist/codec.js';
import { AT, declines, ends, makeEnds, send, viewClasses } from '../suite/helpers/codec-ends.js';
import { values } from '../suite/helpers/codec-values.js';

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
