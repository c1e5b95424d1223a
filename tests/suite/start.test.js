// What does not start, and what the error says of it. Before any context has
// started, so that the module's own failures come first.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  ContextClosedError,
  Deferred,
  Main,
  StartError,
  newFixedWorkerContext,
} from 'coworker';
import {
  failure,
  inPage,
  nativeOptions,
  open,
  thrown,
  turns,
  uncaught,
  using,
  worker,
} from './helpers/contexts.js';

const broken = (name) => new URL(`./helpers/broken/${name}`, import.meta.url);
const workerOf = (name) => () => new Worker(broken(name), { type: 'module' });

function isStartError(error, reason, ...texts) {
  assert.instanceOf(error, StartError, String(error));
  assert.equal(error.reason, reason, error.message);
  assert.equal(error.code, 'CW_ESTART');
  assert.match(error.message, /^coworker: /);
  for (const text of texts) assert.include(error.message, text);
}

describe('a module that does not load', () => {
  for (const [what, url, reason, text] of [
    ['is missing', broken('missing.wasm'), 'not-found', 'missing.wasm'],
    ['is no WebAssembly', broken('throws.js'), 'wasm-compile', 'throws.js'],
    ['is empty', broken('empty.wasm'), 'wasm-compile', 'empty.wasm'],
  ]) {
    it(`is told apart: it ${what}`, async () => {
      const errors = await uncaught(async () => {
        const error = await failure(newFixedWorkerContext(1, 'w', { worker, wasmUrl: url }));
        isStartError(error, reason, text, '`wasmUrl`');
        await turns(3);
      });
      assert.deepEqual(errors, []);
    });
  }

  it('because no memory is given says so', async () => {
    const { Memory } = WebAssembly;
    WebAssembly.Memory = function () {
      throw new RangeError('could not allocate memory');
    };
    try {
      const error = await failure(newFixedWorkerContext(1, 'w', { worker, memory: 100 }));
      isStartError(error, 'out-of-memory', '100 MiB', '`memory`');
      assert.instanceOf(error.cause, RangeError);
    } finally {
      WebAssembly.Memory = Memory;
    }
  });

  it('is tried again by the next context', async () => {
    await using(1, async (context) => {
      assert.equal(await context.async('add', 1, 2), 3);
    });
  });

  it('has to be a module of this library', async () => {
    const module = () => Promise.resolve({});
    const error = await failure(newFixedWorkerContext(1, 'w', { module, worker }));
    assert.instanceOf(error, TypeError);
    assert.include(error.message, 'coworker.link');
  });

  it('needs a worker that loads the same', async () => {
    const { module } = await nativeOptions();
    const error = await failure(newFixedWorkerContext(1, 'w', { module }));
    assert.instanceOf(error, TypeError);
    assert.include(error.message, '`options.worker`');
  });
});

describe('a worker that does not start', () => {
  const inNode = !inPage;
  const cases = [
    ['has no file', 'missing.js', 'not-found', 'missing.js'],
    ['throws', 'throws.js', 'script-error', 'thrown at the start'],
    ['has a syntax error', 'syntax.js', 'script-error', ''],
    ['imports what is not there', 'imports.js', 'script-error', ''],
  ];
  if (inPage) {
    cases.push(
      ['has another type', 'wrong-type.js', 'mime-type', 'image/png'],
      ['has no embedder policy', 'no-policy.js', 'embedder-policy', 'Cross-Origin-Embedder-Policy'],
    );
  }
  for (const [what, file, reason, text] of cases) {
    it(`says why: it ${what}`, async () => {
      const errors = await uncaught(async () => {
        const context = await open(2, { worker: workerOf(file), ready: false });
        const early = context.async('add', 1, 2);
        const launched = context.launch('add', 1, 2);
        const error = await failure(context.ready);
        isStartError(error, reason, text, "'test'");
        await allSettled(context, error, early, launched);
      });
      assert.deepEqual(errors, []);
    });
  }

  it('gives up after a while when it never serves', async () => {
    const errors = await uncaught(async () => {
      const options = { worker: workerOf('silent.js'), startTimeout: 300 };
      const context = await open(2, { ...options, ready: false });
      const early = context.async('add', 1, 2);
      const error = await failure(context.ready);
      isStartError(error, 'timeout', '2 of 2', '300 ms', 'serve()');
      await allSettled(context, error, early);
    });
    assert.deepEqual(errors, []);
  });

  it(
    'says so when it ends at once',
    { skip: inPage && 'browsers do not tell of a worker that ends' },
    async () => {
      const worker = workerOf('ends.js');
      const context = await open(1, { worker, ready: false });
      const error = await failure(context.ready);
      isStartError(error, 'script-error', 'serve()');
      await context.close();
    },
  );

  for (const [what, make, text] of [
    ['returns nothing', () => {}, 'undefined'],
    ['returns no worker', () => ({ url: 'worker.js' }), 'an object of Object'],
  ]) {
    it(`is refused if the function ${what}`, async () => {
      const error = await failure(newFixedWorkerContext(1, 'w', { worker: make }));
      assert.instanceOf(error, TypeError);
      assert.include(error.message, '`options.worker`');
      assert.include(error.message, text);
    });
  }

  it('passes on what the function throws', async () => {
    const error = new RangeError('own');
    const make = () => {
      throw error;
    };
    assert.equal(await failure(newFixedWorkerContext(2, 'w', { worker: make })), error);
    await using(1, async (context) => {
      assert.equal(await context.async('add', 1, 2), 3);
    });
  });

  it('may be refused by another origin', { skip: inNode && 'only for pages' }, async () => {
    const url = 'https://other.invalid/worker.js';
    const make = () => new Worker(url, { type: 'module' });
    const start = async () => {
      const context = await newFixedWorkerContext(1, 'w', { worker: make });
      await context.ready;
    };
    isStartError(await failure(start()), 'cross-origin', url, 'another origin');
  });

  it('may be one of several', async () => {
    let made = 0;
    const make = () => (made++ === 1 ? workerOf('throws.js')() : worker());
    const errors = await uncaught(async () => {
      const context = await open(3, { worker: make, ready: false });
      const jobs = [1, 2, 3].map(() => context.async('wait'));
      isStartError(await failure(context.ready), 'script-error', 'thrown');
      await Promise.all(jobs.map((job) => job.join()));
      await context.close();
    });
    assert.deepEqual(errors, []);
  });

  it('does not matter to other contexts', async () => {
    await using(1, async (good) => {
      const bad = await open(1, { worker: workerOf('throws.js'), ready: false });
      await failure(bad.ready);
      assert.equal(await good.async('add', 1, 2), 3);
      assert.equal(await Main.async((scope) => scope.async(good, 'add', 3, 4)), 7);
      await bad.close();
    });
  });

  it('is told by a content security policy', { skip: inNode && 'only for pages' }, async () => {
    const frame = document.createElement('iframe');
    const message = new Promise((resolve) => {
      addEventListener('message', ({ data }) => resolve(data), { once: true });
    });
    frame.src = broken('policy.html');
    document.body.append(frame);
    const { name, reason, text } = await message;
    frame.remove();
    assert.equal(name, 'StartError', text);
    assert.equal(reason, 'content-security-policy', text);
    assert.include(text, 'worker-src');
  });

  async function allSettled(context, error, ...jobs) {
    for (const job of jobs) {
      await job.join();
      assert.isTrue(job.isCompleted);
      assert.isTrue(job.isCancelled);
      const why = job instanceof Deferred ? await failure(job) : job.getCancellationError();
      if (why !== error && why.cause !== error) {
        assert.instanceOf(why, CancellationError);
        assert.include(why.message, error.message.slice(0, 40));
      }
    }
    assert.isTrue(context.isClosed);
    for (const call of [() => context.launch('add'), () => context.async('add')]) {
      assert.equal(thrown(call), error);
    }
    assert.equal(await failure(context.ready), error);
    const { launched, completed, workers } = context.stats();
    assert.deepEqual([completed, workers], [launched, 0]);
    await context.close();
    await context.close();
    await turns(2);
  }
});

describe('a context without tasks', () => {
  it('has a worker of the package', async () => {
    const context = await newFixedWorkerContext(2, 'bare');
    await context.ready;
    const error = thrown(() => context.launch('anything'));
    assert.instanceOf(error, TypeError);
    assert.include(error.message, '`worker` option');
    await context.close();
  });
});

describe('too little memory', () => {
  it('is told by the context that asks for too much', async () => {
    const options = { ...(await nativeOptions()), memory: 2 };
    const error = await failure(newFixedWorkerContext(200, 'w', options));
    isStartError(error, 'out-of-memory', '`memory`');
    // What had been taken is given back.
    const context = await newFixedWorkerContext(1, 'w', options);
    await context.ready;
    assert.equal(await context.async('echo_int', 5), 5);
    const refused = thrown(() => context.allocate(Uint8Array, 4 << 20));
    assert.include(refused.message, '`memory`');
    await context.close();
  });

  it('does not come from contexts that come and go', async () => {
    const options = { ...(await nativeOptions()), memory: 2 };
    // Each takes a stack of 64 KiB, so that 2 MiB are for fewer than these.
    for (let i = 0; i < 40; i++) {
      const context = await newFixedWorkerContext(1, 'w', options);
      assert.equal(await context.async('echo_int', i), i);
      await context.close();
    }
  });

  it('fails launches, and lets the context go on', async () => {
    const options = { ...(await nativeOptions()), memory: 2 };
    const context = await newFixedWorkerContext(1, 'w', options);
    await context.ready; // it takes some memory, too
    const gate = context.allocate(Int32Array, 1);
    const blocker = context.async('block', gate);
    const jobs = [];
    let error;
    while (!error && jobs.length < 100_000) {
      try {
        jobs.push(context.async('echo', 'x'.repeat(500)));
      } catch (why) {
        error = why;
      }
    }
    assert.equal(error?.code, 'CW_ENOMEM', String(error));
    assert.include(error.message, '`memory`');
    Atomics.store(gate, 0, 1);
    await blocker;
    await Promise.all(jobs.map((job) => job.join()));
    assert.equal(await context.async('add', 1, 2), 3);
    await context.close();
    assert.instanceOf(
      thrown(() => context.async('add', 1, 2)),
      ContextClosedError,
    );
  });
});
