// Text where the engine refuses to encode and decode in shared memory, as most
// browsers do.

import assert from 'node:assert/strict';
import { it } from 'node:test';

const { encodeInto } = TextEncoder.prototype;
const { decode } = TextDecoder.prototype;
const isShared = (view) => view.buffer instanceof SharedArrayBuffer;

TextEncoder.prototype.encodeInto = function (text, view) {
  if (isShared(view)) throw new TypeError('shared');
  return encodeInto.call(this, text, view);
};
TextDecoder.prototype.decode = function (view) {
  if (isShared(view)) throw new TypeError('shared');
  return decode.call(this, view);
};

const { Reader, Writer } = await import('../../dist/codec.js');

it('carries text by way of memory that is not shared', () => {
  const buffer = new SharedArrayBuffer(1 << 20);
  const heap = {
    u8: new Uint8Array(buffer),
    i32: new Int32Array(buffer),
    buffer,
  };
  const writer = new Writer(() => heap);
  const reader = new Reader(() => heap);
  const lengths = [0, 1, 16, 17, 63, 64, 65, 1023, 1025, 8191, 8192, 8193, 40000];
  for (const length of lengths) {
    const ascii = 'It is the same text again. '.repeat(1500).slice(0, length);
    for (const text of [ascii, `${ascii}é`, `${ascii}日`, `é${ascii}`]) {
      const bytes = writer.writeOne(text, 64, 1 << 19);
      assert.equal(reader.readOne(64, bytes), text);
      assert.equal(writer.writeOne(text, 64, bytes - 1), -1);
      assert.equal(writer.needed, bytes);
    }
  }
});
