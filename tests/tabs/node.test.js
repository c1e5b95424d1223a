// A shared context in Node: each context of this thread stands for a page.

import { afterEach, describe, it } from 'node:test';
import { assert } from 'chai';
import { HostLostError, TierError, newFixedWorkerContext, newJob, stream } from 'coworker';
import { SharedWorkerContext, newSharedWorkerContext } from 'coworker/tabs';
import { Worker } from 'node:worker_threads';

const worker = () => new Worker(new URL('./node-worker.js', import.meta.url));
const opened = [];
let names = 0;

afterEach(async () => {
  for (const context of opened.splice(0)) await context.close({ cancel: true, grace: 200 });
});

/** Opens contexts of one pool; the first one is host. */
async function open(count, options = {}) {
  const name = `pool ${names++}`;
  const contexts = [];
  for (let i = 0; i < count; i++) {
    const context = await newSharedWorkerContext(2, name, { worker, ...options });
    opened.push(context);
    contexts.push(context);
    await context.ready;
  }
  return contexts;
}

const failure = (promise) =>
  promise.then(
    () => assert.fail('it did not fail'),
    (error) => error,
  );

/** The next event of a task with this name and type. */
function news(type, id) {
  const channel = new BroadcastChannel('tabs-test');
  return new Promise((resolve) => {
    channel.onmessage = ({ data }) => {
      if (data.type !== type || data.id !== id) return;
      channel.close();
      resolve();
    };
  });
}

describe('a shared context', () => {
  it('has one host, and clients that use its workers', async () => {
    const contexts = await open(3);
    assert.deepEqual(
      contexts.map(({ role }) => role),
      ['host', 'client', 'client'],
    );
    const workers = new Set();
    for (const context of [...contexts, ...contexts]) workers.add(await context.async('where'));
    assert.isAtMost(workers.size, 2);
    const [host, client] = contexts;
    assert.instanceOf(client, SharedWorkerContext);
    assert.equal(client.tier, 'isolated');
    assert.include(host.stats(), { epoch: 1, clients: 3, refused: 0, hostTier: 'shared' });
    assert.include(client.stats(), { epoch: 1, clients: 0, workers: 2 });
  });

  it('carries values, errors, progress and streams', async () => {
    for (const context of await open(2)) {
      const value = { map: new Map([[1, new Set(['a'])]]), list: [1n, null, undefined, 'ä'] };
      assert.deepEqual(await context.async('echo', value), value);
      const error = await failure(context.async('fail'));
      assert.instanceOf(error, RangeError);
      assert.equal(error.message, 'no good');
      assert.equal(error.task, 'fail');
      const told = [];
      await context.async({ onProgress: (i) => told.push(i) }, 'tell', 5);
      assert.deepEqual(told, [0, 1, 2, 3, 4]);
      const items = [];
      for await (const item of stream(context, { credit: 2 }, 'count', 20)) items.push(item);
      assert.deepEqual(
        items,
        Array.from({ length: 20 }, (_, i) => i),
      );
    }
  });

  it('ends a stream that waits for its loop to take more', { timeout: 60_000 }, async () => {
    const [host, client] = await open(2, { handover: 600_000 });
    for await (const item of stream(client, { credit: 1 }, 'count', Infinity)) {
      assert.equal(item, 0);
      break;
    }
    const values = stream(client, { credit: 1 }, 'count', Infinity).values();
    await values.next();
    await client.close({ cancel: true, grace: 1000 });
    await host.close(); // which waits for what has begun
  });

  it('sends arrays of megabytes, and many jobs at a time', async () => {
    const [, client] = await open(2);
    const large = new Float64Array(1_000_000).fill(3);
    assert.equal((await client.async('echo', large))[999_999], 3);
    const jobs = Array.from({ length: 5000 }, (_, i) => client.async('add', i, 1));
    assert.deepEqual(
      await Promise.all(jobs),
      jobs.map((_, i) => i + 1),
    );
  });

  it('cancels what it has launched, and keeps time', async () => {
    const [, client] = await open(2);
    const cancelled = news('cancelled', 'c');
    const begun = news('begun', 'c');
    const parent = newJob();
    const job = client.async({ job: parent }, 'wait', 'c');
    await begun;
    parent.cancel();
    await cancelled;
    assert.equal((await failure(job)).name, 'CancellationError');
    const late = await failure(client.async({ timeout: 10 }, 'wait', 't'));
    assert.equal(late.name, 'TimeoutCancellationError');
  });

  it('lets tasks wait without keeping workers', async () => {
    const [host, client] = await open(2);
    const waiting = [host, client].flatMap((context) =>
      Array.from({ length: 50 }, (_, i) => context.async('wait', `w${i}`)),
    );
    assert.equal(await client.async('add', 1, 2), 3);
    for (const job of waiting) job.cancel();
  });

  it('gives pages their turns', async () => {
    const [host, client] = await open(2);
    let before = 0;
    const many = Array.from({ length: 200 }, (_, i) => host.async('work', i, 2));
    for (const job of many) job.then(() => before++);
    await client.async('add', 1, 1);
    assert.isBelow(before, 100);
    await Promise.all(many);
  });

  it('hands over when the host is closed, and lets end what has begun', async () => {
    const [host, client] = await open(2);
    const begun = news('begun', 'h');
    const job = client.async('wait', 'h', 50);
    await begun;
    const change = new Promise((resolve) => {
      client.addEventListener('rolechange', resolve, { once: true });
    });
    await host.close();
    assert.equal(await job, 'h');
    const { role, epoch } = await change;
    assert.deepEqual([role, epoch], ['host', 2]);
    assert.equal(await client.async('add', 1, 2), 3);
  });

  it('launches again what it took for begun, and had to wait', async () => {
    const [host, client] = await open(2);
    const begun = news('begun', 'l');
    const last = client.async('wait', 'l', 100);
    await begun;
    assert.equal(await client.async('add', 1, 1), 2);
    // The host has answered just now, and begins nothing more.
    const closed = host.close();
    assert.equal(await client.async('add', 2, 1), 3);
    assert.equal(await last, 'l');
    await closed;
  });

  it('launches again what is idempotent, and what had not begun', async () => {
    const [host, client] = await open(2, { handover: 0 });
    const begun = news('begun', 'b');
    const plain = client.async('wait', 'a', 200);
    const again = client.async({ idempotent: true }, 'wait', 'b', 200);
    await begun;
    const kept = ['k1', 'k2'].map((id) => client.async({ idempotent: true }, 'work', id, 200));
    const queued = Array.from({ length: 10 }, (_, i) => client.async('add', i, 1));
    await host.close();
    const error = await failure(plain);
    assert.instanceOf(error, HostLostError);
    assert.match(error.message, /^coworker: the page that hosted context 'pool \d+' .* 'wait'$/);
    assert.equal(await again, 'b');
    assert.deepEqual(await Promise.all(kept), ['k1', 'k2']);
    const settled = await Promise.allSettled(queued);
    const lost = settled.filter(({ status }) => status === 'rejected');
    assert.isAtMost(lost.length, 2); // a worker may be about to begin one each
  });

  it('cancels what a client has launched that closes', async () => {
    const [host, client] = await open(2);
    const cancelled = news('cancelled', 'x');
    const begun = news('begun', 'x');
    client.async('wait', 'x').catch(() => {});
    await begun;
    await client.close({ cancel: true, grace: 1000 });
    await cancelled;
    assert.equal(await host.async('add', 1, 1), 2);
  });

  it('keeps pools of other names apart', async () => {
    const [a] = await open(1);
    const [b] = await open(1);
    assert.deepEqual([a.role, b.role], ['host', 'host']);
  });

  it('says what it cannot do', async () => {
    const [, client] = await open(2);
    assert.throws(() => client.allocate(Float64Array, 4), TierError, /share with other pages/);
    assert.throws(() => client.launch({ killable: { grace: 1 } }, 'where'), TierError, /killable/);
    assert.throws(() => client.launch('nothing'), TypeError, /has no task 'nothing'/);
    const bad = async (options, type, text) => {
      const error = await failure(newSharedWorkerContext(1, 'bad', { worker, ...options }));
      assert.instanceOf(error, type);
      assert.match(error.message, text);
    };
    await bad({ broker: 'pigeon' }, TypeError, /`options.broker`.*'pigeon'/);
    await bad({ patience: 5 }, RangeError, /`options.patience`.*100 to 60000.*5/);
    await bad({ handover: 'x' }, TypeError, /`options.handover`/);
    await bad({ trace: true }, TypeError, /`options.trace`/);
    const fixed = await newFixedWorkerContext(1, 'fixed', { worker });
    opened.push(fixed);
    const wrong = () => fixed.launch({ idempotent: 1 }, 'where');
    assert.throws(wrong, TypeError, /`options.idempotent`/);
  });

  it('fails where its workers cannot start', async () => {
    const broken = () => new Worker(new URL('./missing.js', import.meta.url));
    const context = await newSharedWorkerContext(1, 'broken', { worker: broken });
    opened.push(context);
    assert.equal((await failure(context.ready)).name, 'StartError');
  });
});
