import assert from 'node:assert/strict';
import test from 'node:test';
import { Batch, forEach, isBatch, unpack } from '../../dist/batch.js';
import { Serials, Slots } from '../../dist/slots.js';

/** What comes out of a message: the number, and the entries. */
function read(packed) {
  const entries = [];
  const unpacked = unpack(structuredClone(packed));
  forEach(unpacked, (id, what, words, at, length) => {
    entries.push([id, what, [...words.slice(at, at + length / 4)]]);
  });
  return { number: unpacked.number, entries };
}

test('a short batch is one string, which says that it is one', () => {
  const batch = new Batch();
  assert.equal(batch.isEmpty, true);
  batch.add(70000, -1, Int32Array.of(9, 0x7fffffff, -0x80000000, 0xd800, 9), 1, 12);
  batch.add(0, 1 << 30);
  assert.equal(batch.isEmpty, false);
  const moved = [];
  const packed = batch.take(-5, moved);
  assert.ok(isBatch(packed));
  assert.deepEqual(moved, []);
  assert.equal(batch.isEmpty, true);
  assert.deepEqual(read(packed), {
    number: -5,
    entries: [
      [70000, -1, [0x7fffffff, -0x80000000, 0xd800]],
      [0, 1 << 30, []],
    ],
  });
});

test('a longer one is an array, and a large one is moved', () => {
  for (const count of [30, 31, 32, 33, 60, 100, 1100, 5000]) {
    const batch = new Batch();
    const words = Int32Array.from({ length: count }, (_, i) => i * 0x1234567);
    batch.add(1, 2, words, 0, count * 4);
    batch.add(3, 4, words, count - 1, 4);
    const moved = [];
    const packed = batch.take(count, moved);
    assert.equal(isBatch(packed), count + 10 <= 64, `${count} words`);
    assert.deepEqual(moved, count > 1024 ? [packed.buffer] : []);
    const last = [3, 4, [words[count - 1]]];
    assert.deepEqual(read(packed), { number: count, entries: [[1, 2, [...words]], last] });
    batch.add(5, 6);
    assert.deepEqual(read(batch.take(7, [])), { number: 7, entries: [[5, 6, []]] });
  }
});

test('messages of others are no batches', () => {
  for (const other of ['', 'cw', 'coworker', 7, null, undefined, {}, ['\u0003cw\u0001']]) {
    assert.equal(isBatch(other), false);
  }
});

test('slots give the numbers that are free again, serials none', () => {
  const slots = new Slots();
  const serials = new Serials();
  for (const numbers of [slots, serials]) {
    const [a, b] = [numbers.add('a'), numbers.add('b')];
    assert.equal(numbers.size, 2);
    assert.equal(numbers.get(b), 'b');
    numbers.delete(a);
    assert.equal(numbers.get(a), undefined);
    assert.deepEqual([...numbers], ['b']);
    assert.equal(numbers.add('c') === a, numbers === slots);
    assert.equal(numbers.size, 2);
    assert.deepEqual([...numbers].sort(), ['b', 'c']);
  }
});
