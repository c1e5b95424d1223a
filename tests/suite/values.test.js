// Arguments and results: the same as structured clone gives.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { failure, thrown, using } from './helpers/contexts.js';

function nest(depth) {
  let value = 'bottom';
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { value };
  return value;
}

function twice() {
  const shared = { name: 'shared' };
  return { one: shared, two: shared };
}

const values = {
  undefined: () => undefined,
  null: () => null,
  booleans: () => [true, false],
  integers: () => [0, 1, -1, 2 ** 27, -(2 ** 31), 2 ** 31, 2 ** 53],
  'floating-point numbers': () => [0.5, -0, NaN, Infinity, -Infinity, 5e-324],
  bigints: () => [0n, -1n, 2n ** 63n, -(2n ** 64n), 10n ** 50n],
  'empty text': () => '',
  'text in any script': () => 'naïve, Ελλάδα, 漢字, 🙂',
  'a lone surrogate': () => 'a\ud800b',
  'long text': () => 'αβγδ'.repeat(50_000),
  'an empty object': () => ({}),
  'an object': () => ({ a: 1, 'b c': { d: [2] }, 3: null }),
  'an object with a null prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'an object with a key named __proto__': () => JSON.parse('{"__proto__": 1}'),
  'an instance of a class': () =>
    new (class Point {
      x = 1;
    })(),
  arrays: () => [[], [1, [2, [3]]], [undefined, null]],
  'an array with holes': () => [1, , 3], // eslint-disable-line no-sparse-arrays
  'an array with properties': () => Object.assign([1, 2], { extra: 3 }),
  'deep nesting': () => nest(200),
  'an object that is there twice': twice,
  'a cycle': () => {
    const cycle = { list: [] };
    cycle.list.push(cycle);
    return cycle;
  },
  'a Map': () =>
    new Map([
      ['a', 1],
      [{ key: 2 }, new Map()],
    ]),
  'a Set': () => new Set([1, 'two', [3]]),
  'a Date': () => new Date(1_700_000_000_123),
  'an invalid Date': () => new Date(NaN),
  'a RegExp': () => /a(b)c/giu,
  'wrapped primitives': () => [Object(1), Object('text'), Object(false)],
  'an ArrayBuffer': () => new Uint8Array([1, 2, 3]).buffer,
  'an empty ArrayBuffer': () => new ArrayBuffer(0),
  'typed arrays': () => [
    new Int8Array([-1]),
    new Uint8Array([1, 2, 3]),
    new Uint8ClampedArray([255]),
    new Int16Array([-300]),
    new Uint16Array([300]),
    new Int32Array([-70_000]),
    new Uint32Array([70_000]),
    new Float32Array([0.5]),
    new Float64Array([0.1, NaN]),
    new BigInt64Array([-1n]),
    new BigUint64Array([2n ** 63n]),
  ],
  'a DataView': () => new DataView(new ArrayBuffer(8), 2, 4),
  'a view of a part': () => new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
  'two views of one buffer': () => {
    const buffer = new ArrayBuffer(8);
    return [new Uint8Array(buffer), new Int32Array(buffer)];
  },
  'an Error': () => new RangeError('too far', { cause: 'why' }),
  'a megabyte': () => new Uint8Array(1 << 20).map((_, i) => i * 7),
  'a large object': () => Array.from({ length: 10_000 }, (_, i) => ({ id: i, text: `item ${i}` })),
};

/** Everything about a value that a task could see. */
function look(value, seen = new Map()) {
  if (typeof value !== 'object' || value === null) {
    return Object.is(value, -0) ? '-0' : value;
  }
  if (seen.has(value)) return `seen ${seen.get(value)}`;
  seen.set(value, seen.size);
  const kind = Object.prototype.toString.call(value);
  if (value instanceof Error) {
    return { kind, name: value.name, message: value.message };
  }
  if (value instanceof RegExp) return { kind, text: String(value) };
  if (value instanceof Date) return { kind, time: value.getTime() };
  if (value instanceof ArrayBuffer) return { kind, bytes: [...new Uint8Array(value)] };
  if (ArrayBuffer.isView(value)) {
    const { byteOffset, byteLength, buffer } = value;
    const bytes = [...new Uint8Array(buffer, byteOffset, byteLength)];
    const whole = [buffer.byteLength, seen.get(buffer)];
    seen.set(buffer, seen.get(buffer) ?? seen.size);
    return { kind, byteOffset, bytes, whole };
  }
  const isObject = Object.getPrototypeOf(value) === Object.prototype;
  const parts = Object.entries(value).map(([k, v]) => [k, look(v, seen)]);
  const inner =
    value instanceof Map || value instanceof Set
      ? [...value].map((item) => look(item, seen))
      : value.valueOf() === value
        ? []
        : [value.valueOf()];
  return { kind, isObject, length: value.length, parts, inner };
}

describe('values', () => {
  it('come and go as by structured clone', async (t) => {
    await using(2, async (context) => {
      for (const [name, make] of Object.entries(values)) {
        const value = make();
        const expected = look(structuredClone(value));
        const got = await context.async('echo', value);
        assert.deepEqual(look(got), expected, name);
        const [again, kind] = await Promise.all([
          context.async('list', value, name),
          context.async('kindOf', value),
        ]);
        assert.deepEqual(look(again[0]), expected, `${name} among others`);
        assert.equal(again[1], name);
        assert.equal(kind, Object.prototype.toString.call(value), name);
        // Through a child, too: from worker to worker.
        const there = await context.async('callThere', 'echo', value);
        assert.deepEqual(look(there), expected, `${name} from a worker`);
      }
      t.diagnostic?.(`${Object.keys(values).length} kinds of values`);
    });
  });

  it('are copies, taken at the call', async () => {
    await using(1, async (context) => {
      for (const value of [{ list: [1] }, { list: [1], regexp: /x/ }]) {
        const job = context.async('echo', value);
        value.list.push(2);
        const copy = await job;
        assert.deepEqual(copy.list, [1]);
        assert.notEqual(copy, value);
      }
    });
  });

  it(
    'may be Blobs',
    { skip: typeof Blob !== 'function' && 'there are no Blobs here' },
    async () => {
      await using(1, async (context) => {
        const blob = new Blob(['some ', 'text']);
        assert.equal(await context.async('blobText', blob), 'some text');
        const back = await context.async('echo', blob);
        assert.equal(await back.text(), 'some text');
      });
    },
  );

  it('may be ports, transferred', async () => {
    await using(1, async (context) => {
      const { port1, port2 } = new MessageChannel();
      const answer = new Promise((resolve) => {
        port1.onmessage = ({ data }) => resolve(data);
      });
      await context.async({ transfer: [port2] }, 'answerPort', port2);
      assert.equal(await answer, 'from the worker');
      port1.close();
    });
  });

  /** Some engines copy shared memory where they should share it. */
  const sharesMemory = () => {
    const array = new Uint8Array(new SharedArrayBuffer(1));
    new Uint8Array(structuredClone(array.buffer))[0] = 1;
    return array[0] === 1;
  };
  const skip = !sharesMemory() && 'structuredClone() copies shared memory here';
  it('are shared if their memory is', { skip }, async () => {
    await using(1, async (context) => {
      const shared = new Int32Array(new SharedArrayBuffer(16));
      await context.async('fill', shared, 5);
      assert.deepEqual([...shared], [5, 5, 5, 5]);
    });
  });
});

describe('transferring', () => {
  it('detaches buffers at the call', async () => {
    await using(1, async (context) => {
      const buffer = new Uint8Array([1, 2, 3]).buffer;
      const job = context.async({ transfer: [buffer] }, 'echo', { buffer });
      assert.equal(buffer.byteLength, 0);
      const back = await job;
      assert.deepEqual([...new Uint8Array(back.buffer)], [1, 2, 3]);
    });
  });

  it('detaches them in workers, too', async () => {
    await using(2, async (context) => {
      assert.deepEqual(await context.async('sendAndLook'), [0, 16]);
    });
  });

  it('moves results', async () => {
    await using(1, async (context) => {
      const buffer = await context.async('makeBuffer', 1 << 20);
      assert.equal(buffer.byteLength, 1 << 20);
      assert.isTrue(new Uint8Array(buffer).every((byte) => byte === 7));
      // From worker to worker.
      const copy = await context.async('callThere', 'makeBuffer', 16);
      assert.equal(copy.byteLength, 16);
    });
  });

  it('refuses what cannot be moved', async () => {
    await using(1, async (context) => {
      const error = thrown(() => context.async({ transfer: [{ a: 1 }] }, 'echo', 1));
      assert.instanceOf(error, TypeError);
      assert.include(error.message, "'echo'");
    });
  });

  it('goes wrong for a buffer that is detached already', async () => {
    await using(1, async (context) => {
      const buffer = new ArrayBuffer(8);
      await context.async({ transfer: [buffer] }, 'byteLength', buffer);
      // Not every engine refuses it.
      const again = async () => context.async({ transfer: [buffer] }, 'byteLength', buffer);
      const result = await again().catch((error) => error);
      if (result !== 0) assert.instanceOf(result, TypeError);
      assert.equal(await context.async('add', 1, 2), 3);
    });
  });

  it('drops what a cancelled job was to get', async () => {
    await using(1, async (context) => {
      const gate = context.allocate(Int32Array, 1);
      const blocker = context.launch('block', gate);
      const { port1, port2 } = new MessageChannel();
      const job = context.async({ transfer: [port2] }, 'answerPort', port2);
      job.cancel();
      Atomics.store(gate, 0, 1);
      await blocker.join();
      assert.equal((await failure(job)).name, 'CancellationError');
      port1.close();
      assert.equal(await context.async('add', 1, 2), 3);
    });
  });
});

describe('shared arrays', () => {
  it('are zeroed, and passed by reference', async () => {
    await using(2, async (context) => {
      const array = context.allocate(Float64Array, 1000);
      assert.instanceOf(array, Float64Array);
      assert.lengthOf(array, 1000);
      assert.isTrue(array.every((item) => item === 0));
      await context.async('fill', array, 1.5);
      assert.isTrue(array.every((item) => item === 1.5));
      array[0] = 10;
      assert.equal(await context.async('sum', array), 10 + 999 * 1.5);
      const back = await context.async('echo', array);
      assert.equal(back.buffer, array.buffer);
      assert.equal(back.byteOffset, array.byteOffset);
      await context.async('fill', array.subarray(10, 20), 0);
      assert.deepEqual([...array.subarray(9, 12)], [1.5, 0, 0]);
      context.free(array);
    });
  });

  it('show writes of both sides while a task runs', async () => {
    await using(1, async (context) => {
      const array = context.allocate(Int32Array, 8);
      const job = context.async('untilCell', array);
      while (Atomics.load(array, 1) === 0) {
        await new Promise((resolve) => setTimeout(resolve));
      }
      Atomics.store(array, 0, 1);
      assert.equal(await job, 'ended');
      context.free(array);
    });
  });

  it('are given out again, zeroed', async () => {
    await using(1, async (context) => {
      // 64 MiB are there; this is twice as much.
      for (let i = 0; i < 128; i++) {
        const array = context.allocate(Uint8Array, 1 << 20);
        assert.equal(array[i] + array[(1 << 20) - 1], 0);
        array.fill(255);
        context.free(array);
      }
    });
  });

  it('may be empty', async () => {
    await using(1, async (context) => {
      const array = context.allocate(Uint8Array, 0);
      assert.lengthOf(array, 0);
      assert.equal(await context.async('sum', array), 0);
      context.free(array);
    });
  });

  const wrong = [
    ['a length below zero', Int32Array, -1, RangeError, '`length`'],
    ['a broken length', Int32Array, 1.5, RangeError, '`length`'],
    ['a length in text', Int32Array, '8', RangeError, '`length`'],
    ['more than there is', Uint8Array, 2 ** 31, RangeError, '`memory`'],
    ['far more than there is', Float64Array, 2 ** 40, RangeError, '`memory`'],
    ['no class', 'Int32Array', 8, TypeError, '`type`'],
    ['another class', Array, 8, TypeError, '`type`'],
  ];
  for (const [what, type, length, errorType, text] of wrong) {
    it(`refuse ${what}`, async () => {
      await using(1, async (context) => {
        const error = thrown(() => context.allocate(type, length));
        assert.equal(error.constructor, errorType, String(error));
        assert.include(error.message, text);
      });
    });
  }

  it('are all that free() takes', async () => {
    await using(1, async (context) => {
      for (const value of [new Int32Array(4), null, 8, [1]]) {
        const error = thrown(() => context.free(value));
        assert.equal(error.constructor, TypeError);
        assert.include(error.message, '`array`');
        assert.include(error.message, 'allocate()');
      }
    });
  });
});

describe('what cannot be sent', () => {
  it('is named among the arguments', async () => {
    await using(1, async (context) => {
      for (const [bad, text] of [
        [() => {}, 'function'],
        [Symbol('s'), 'Symbol(s)'],
        [{ inner: { method() {} } }, 'an object of Object'],
        [new WeakMap(), 'an object of WeakMap'],
        [Promise.resolve(), 'an object of Promise'],
      ]) {
        const error = thrown(() => context.async('list', 1, bad, 3));
        assert.equal(error.constructor, TypeError, String(error));
        assert.include(error.message, "argument 2 of 'list'");
        assert.include(error.message, text);
        assert.include(error.message, 'structured clone');
        assert.isDefined(error.cause);
      }
    });
  });

  it('is named by workers as well', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('sendFunction'));
      assert.equal(error.constructor, TypeError);
      assert.include(error.message, "argument 1 of 'echo'");
    });
  });

  it('fails the job that has it for its result', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('makeFunction'));
      assert.equal(error.constructor, TypeError);
      assert.include(error.message, "the result of 'makeFunction'");
      assert.include(error.message, 'function');
      assert.equal(await context.async('add', 1, 2), 3);
    });
  });

  it('passes on what an accessor throws', async () => {
    await using(1, async (context) => {
      const value = {
        get trap() {
          throw new RangeError('from the accessor');
        },
      };
      const error = thrown(() => context.async('echo', value));
      assert.include(String(error.cause ?? error), 'from the accessor');
    });
  });
});
