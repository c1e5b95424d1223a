// Coroutines and functions of C, in a module of one's own.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  CoworkerError,
  Main,
  MutexPoisonedError,
  NativeError,
  TimeoutCancellationError,
} from 'coworker';
import {
  cells,
  failure,
  inPage,
  nativeOptions,
  open,
  thrown,
  until,
  using as usingOptions,
} from './helpers/contexts.js';

const options = await nativeOptions();
const using = (workers, body, more) => usingOptions(workers, body, { ...options, ...more });

describe('values of C', () => {
  const echoes = [
    ['echo_int', [0, -1, 2 ** 31 - 1, -(2 ** 31)]],
    ['echo_unsigned', [0, 1, 2 ** 31, 2 ** 32 - 1]],
    ['echo_short', [0, -1, 2 ** 15 - 1, -(2 ** 15)]],
    ['echo_byte', [0, 1, 255]],
    ['echo_int64', [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]],
    ['echo_uint64', [0n, 2n ** 64n - 1n]],
    ['echo_double', [0, -0, 0.1, NaN, Infinity, 5e-324, 2 ** 53]],
    ['echo_float', [0, 0.5, -1.25, NaN, Infinity]],
    ['echo_text', ['', 'text', 'naïve 漢字 🙂', 'x'.repeat(100_000)]],
  ];
  for (const [name, values] of echoes) {
    it(`go and come: ${name}`, async () => {
      await using(2, async (context) => {
        for (const value of values) {
          const got = await context.async(name, value);
          assert.isTrue(Object.is(got, value), `${name}(${value}): ${got}`);
        }
      });
    });
  }

  it('take safe integers for 64 bits', async () => {
    await using(1, async (context) => {
      assert.equal(await context.async('echo_int64', -5), -5n);
      assert.equal(await context.async('echo_uint64', 2 ** 53 - 1), 2n ** 53n - 1n);
    });
  });

  it('are booleans', async () => {
    await using(1, async (context) => {
      assert.isFalse(await context.async('negate', true));
      assert.isTrue(await context.async('negate', false));
    });
  });

  it('are text', async () => {
    await using(1, async (context) => {
      assert.equal(await context.async('text_length', 'äöü'), 6);
      assert.isNull(await context.async('no_text'));
      assert.equal(await context.async('worker_name'), 'test');
    });
  });

  it('are pointers to shared arrays', async () => {
    await using(1, async (context) => {
      const array = context.allocate(Int32Array, 10);
      array.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      const at = await context.async('double_ten', array);
      assert.equal(at, array.byteOffset);
      assert.deepEqual([...array], [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
      assert.equal(await context.async('double_ten', at), at);
      assert.equal(array[9], 40);
    });
  });

  it('are bytes of a struct', async () => {
    await using(1, async (context) => {
      const pair = new Int32Array([1, 2]);
      for (const form of [pair, pair.buffer, new DataView(pair.buffer)]) {
        const bytes = await context.async('swap', form);
        assert.instanceOf(bytes, Uint8Array);
        assert.deepEqual([...new Int32Array(bytes.buffer)], [2, 1]);
      }
    });
  });

  it('are none', async () => {
    await using(1, async (context) => {
      assert.isUndefined(await context.async('nothing'));
    });
  });

  const wrong = [
    ['echo_int', [], TypeError, 'takes 1 argument, got 0'],
    ['echo_int', [1, 2], TypeError, 'takes 1 argument, got 2'],
    ['nothing', [1], TypeError, 'takes 0 arguments, got 1'],
    ['echo_int', ['1'], TypeError, "an integer, got '1'"],
    ['echo_int', [1.5], TypeError, 'an integer, got 1.5'],
    ['echo_int', [2 ** 31], RangeError, 'to 2147483647, got 2147483648'],
    ['echo_unsigned', [-1], RangeError, 'from 0 to 4294967295, got -1'],
    ['echo_short', [2 ** 15], RangeError, 'from -32768 to 32767, got 32768'],
    ['echo_byte', [256], RangeError, 'from 0 to 255, got 256'],
    ['echo_byte', [-1], RangeError, 'from 0 to 255, got -1'],
    ['echo_int64', [1.5], TypeError, 'a bigint or a safe integer, got 1.5'],
    ['echo_int64', [2n ** 63n], RangeError, 'got 9223372036854775808'],
    ['echo_uint64', [-1n], RangeError, 'from 0 to 18446744073709551615'],
    ['echo_double', ['0.5'], TypeError, "a number, got '0.5'"],
    ['echo_float', [1n], TypeError, 'a number, got 1'],
    ['negate', [1], TypeError, 'a boolean, got 1'],
    ['text_length', [5], TypeError, 'a string without zero characters, got 5'],
    ['text_length', ['a\0b'], TypeError, 'without zero characters'],
    ['double_ten', [new Int32Array(10)], TypeError, 'context.allocate()'],
    ['double_ten', ['here'], TypeError, "got 'here'"],
    ['double_ten', [2 ** 32], TypeError, 'got 4294967296'],
    ['swap', [new Uint8Array(7)], RangeError, '8 bytes long, got 7 bytes'],
    ['swap', [{ left: 1, right: 2 }], TypeError, 'an ArrayBuffer or a view'],
  ];
  for (const [name, args, type, text] of wrong) {
    it(`are checked: ${name}(${args.map(String)})`, async () => {
      await using(1, async (context) => {
        const error = thrown(() => context.async(name, ...args));
        assert.equal(error.constructor, type, String(error));
        assert.include(error.message, `'${name}'`);
        assert.include(error.message, text);
        assert.match(error.message, /^coworker: /);
      });
    });
  }
});

describe('coroutines and functions of C', () => {
  it('fail with a code', async () => {
    await using(1, async (context) => {
      for (const [code, name] of [
        [-1, 'CW_EINVAL'],
        [-6, 'CW_EFAILED'],
        [-8, 'CW_EBUSY'],
        [-77, 'CW_E?(-77)'],
      ]) {
        const error = await failure(context.async('fail_with_code', code));
        assert.equal(error.constructor, NativeError, String(error));
        assert.equal(error.code, name);
        assert.equal(error.task, 'fail_with_code');
        assert.equal(error.worker, 'test');
      }
      const memory = await failure(context.async('fail_with_code', -2));
      assert.equal(memory.code, 'CW_ENOMEM');
      assert.instanceOf(memory, CoworkerError);
      const poisoned = await failure(context.async('fail_with_code', -19));
      assert.equal(poisoned.constructor, MutexPoisonedError);
      assert.equal(poisoned.code, 'CW_EPOISONED');
    });
  });

  it('fail with a message', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('fail_with_text', 'naïve 🙂'));
      assert.equal(error.constructor, NativeError);
      assert.equal(error.message, 'naïve 🙂');
      assert.equal(error.code, 'CW_EINVAL');
    });
  });

  it('fail with a cause', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('fail_with_cause'));
      assert.equal(error.message, 'the failure');
      assert.equal(error.cause.constructor, NativeError);
      assert.equal(error.cause.message, 'the cause');
      assert.equal(error.cause.code, 'CW_EBUSY');
    });
  });

  it('wait', async () => {
    await using(2, async (context) => {
      const began = performance.now();
      const jobs = [50, 5, 25].map(async (ms) => {
        assert.equal(await context.async('wait_ms', ms), ms);
        assert.isAtLeast(performance.now() - began, ms - 1); // clocks are coarse
      });
      await Promise.all(jobs);
    });
  });

  it('are cancelled while they wait, and clean up', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('wait_and_mark', at);
      await until(() => Atomics.load(at, 1) === 1);
      job.cancel(new RangeError('why'));
      const error = await failure(job);
      assert.equal(error.constructor, CancellationError);
      assert.equal(error.cause.message, 'why');
      assert.equal(at[0], 1);
    });
  });

  it('are cancelled while they are busy', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      const job = context.async('spin', at);
      await until(() => Atomics.load(at, 0) > 0);
      job.cancel();
      assert.equal((await failure(job)).constructor, CancellationError);
      const late = context.async({ timeout: 20 }, 'spin', at);
      assert.equal((await failure(late)).constructor, TimeoutCancellationError);
    });
  });

  for (const workers of [1, 2, 4]) {
    it(`make trees on ${workers} workers`, async () => {
      await using(workers, async (context) => {
        assert.equal(await context.async('fib', 15), 610);
      });
    });
  }

  it('are children of tasks, and their parents', async () => {
    await using(2, async (context) => {
      assert.equal(await context.async('callThere', 'fib', 10), 55);
      const error = await failure(context.async('callThere', 'fail_with_text', 'from C'));
      assert.equal(error.constructor, NativeError);
      assert.equal(error.message, 'from C');
      const job = context.async('callThere', 'wait_ms', 2 ** 31 - 1);
      job.cancel();
      assert.instanceOf(await failure(job), CancellationError);
    });
  });

  it('keep a worker busy without hiding what tasks left', async () => {
    await using(1, async (context) => {
      const at = cells(context);
      await context.async('leavePromise', at, 0);
      while (Atomics.load(at, 0) === 0) {
        const batch = [];
        for (let i = 0; i < 20; i++) batch.push(context.async('fib', 8));
        await batch[0];
      }
    });
  });

  it('are known before the workers are ready', async () => {
    const context = await open(1, { ...options, ready: false });
    assert.equal(await context.async('echo_int', 5), 5);
    await context.close();
  });

  it('run without any task module', async () => {
    const { module } = options;
    await usingOptions(
      2,
      async (context) => {
        assert.equal(await context.async('fib', 10), 55);
        const error = thrown(() => context.async('unknown'));
        assert.include(error.message, 'CW_EXPORT');
      },
      {
        module,
        worker: () =>
          new Worker(new URL(`./helpers/native-bare${inPage ? '' : '.node'}.js`, import.meta.url), {
            type: 'module',
          }),
      },
    );
  });
});

describe('plain functions of C', () => {
  it('are called with numbers', async () => {
    await using(2, async (context) => {
      assert.equal(await context.async('plain_add', 1, 2), 3);
      assert.equal(await context.async('callThere', 'plain_add', 3, 4), 7);
    });
  });

  it('are not those of the library', async () => {
    await using(1, async (context) => {
      for (const name of ['cwb_init', 'cw_cancel', 'cwb_thread_end']) {
        assert.equal(thrown(() => context.async(name)).constructor, TypeError);
      }
    });
  });
});

describe('two modules', () => {
  it('work side by side', async () => {
    await usingOptions(1, async (plain) => {
      await using(1, async (native) => {
        const [one, two] = await Promise.all([plain.async('add', 1, 2), native.async('fib', 10)]);
        assert.deepEqual([one, two], [3, 55]);
        assert.equal(thrown(() => plain.async('fib_of_c', 1)).constructor, TypeError);
      });
    });
  });

  it('cannot have jobs in one tree', async () => {
    await using(1, async (native) => {
      await usingOptions(1, async (plain) => {
        const results = await Promise.allSettled(
          [native, plain].map((context) =>
            Main.async((scope) => scope.async(context, 'add', 1, 2)),
          ),
        );
        const kinds = results.map(({ status }) => status).sort();
        assert.deepEqual(kinds, ['fulfilled', 'rejected']);
        const { reason } = results.find(({ status }) => status === 'rejected');
        assert.equal(reason.name, 'CoworkerError');
        assert.include(reason.message, 'two modules');
      });
    });
  });
});
