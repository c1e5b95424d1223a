// What pages, hosts and the broker refuse of what others say: unknown, oversized,
// malformed, forged and stale messages are counted, answered where there is somebody to
// answer, and change nothing.

import { afterEach, beforeEach, describe, it } from 'node:test';
import { assert } from 'chai';
import { Broker, Pool, said, stateOf, until } from './forging.js';

const id = () => crypto.randomUUID();
const capability = () => crypto.getRandomValues(new Uint8Array(16));
/** Later than all that a page may know. */
const LATER = 2 ** 52;

let pool;
let host;
let client;

beforeEach(async () => {
  pool = new Pool();
  host = await pool.open();
  client = await pool.open();
});

afterEach(() => pool.close());

const refused = (page) => page.stats().refused;

/** Says things, each of which so many pages refuse, and looks whether anything has changed. */
async function isRefused(pages, say, count = 1) {
  await client.async('add', 1, 1);
  const states = [host, client].map(stateOf);
  const before = pages.map(refused);
  await say();
  await until(() => pages.every((page, i) => refused(page) >= before[i] + count));
  assert.equal(await client.async('add', 1, 2), 3);
  assert.deepEqual([host, client].map(stateOf), states);
  assert.deepEqual(
    pages.map(refused),
    before.map((one) => one + count),
  );
}

/** A job that has begun and goes on until it is cancelled. */
async function begun(name) {
  const channel = new BroadcastChannel('tabs-test');
  const begins = new Promise((resolve) => {
    channel.onmessage = ({ data }) => data.id === name && data.type === 'begun' && resolve();
  });
  const job = client.async('wait', name);
  await begins;
  channel.close();
  return { job };
}

describe('pages refuse of what is told to all', () => {
  it('what makes no sense', async () => {
    const news = [
      ...[undefined, null, 7, 'seek', [], {}, { type: 'nothing' }, { type: 'want', from: id() }],
      { type: 'seek', from: 'me', address: '', seek: id() },
      { type: 'seek', from: id(), address: 7, seek: id() },
      { type: 'seek', from: 'x'.repeat(1e6), address: '', seek: id() },
      { type: 'host', epoch: 1.5 },
      { type: 'host', epoch: 0 },
      { type: 'host', epoch: 2 ** 53 },
      { type: 'offer' },
      { type: 'yours', to: client.seat.page },
      { type: 'soon', to: client.seat.page },
      { type: 'sent', to: client.seat.page, seek: id(), invitation: 'x'.repeat(1e6) },
    ];
    const say = () => news.forEach((one) => pool.tell(one));
    await isRefused([host, client], say, news.length);
  });

  it('lines of other names and with other capabilities', async () => {
    const line = { type: 'line', to: client.seat.page, seek: id(), epoch: 1 };
    const name = `${pool.key} ${id()}`;
    const news = [
      { ...line, name, capability: new Uint8Array(15) },
      { ...line, name, capability: new Uint8Array(new SharedArrayBuffer(16)) },
      { ...line, name, capability: [...capability()] },
      { ...line, name: 'tabs-test', capability: capability() },
      { ...line, name: pool.key, capability: capability() },
    ];
    await isRefused([host, client], () => news.forEach((one) => pool.tell(one)), news.length);
  });

  it('a host of an epoch that no page knows', async () => {
    const { job } = await begun('epoch');
    await isRefused([client], () => pool.tell({ type: 'host', epoch: LATER }));
    assert.isTrue(job.isActive);
    job.cancel();
  });

  it('answers to what nobody has asked', async () => {
    const to = client.seat.page;
    const name = `${pool.key} ${id()}`;
    const say = () => {
      pool.tell({ type: 'soon', to, seek: id() });
      pool.tell({ type: 'sent', to, seek: id(), invitation: id() });
      pool.tell({ type: 'line', to, seek: id(), name, epoch: 1, capability: capability() });
    };
    await isRefused([client], say, 3);
  });

  it('a host that no lock knows, by whoever knows what was asked', async () => {
    let answered = 0;
    pool.channel.onmessage = ({ data }) => {
      if (data.type !== 'seek') return;
      const name = `${pool.key} ${id()}`;
      const answer = { to: data.from, seek: data.seek, name, capability: capability() };
      for (const epoch of [LATER, 2]) pool.tell({ type: 'line', epoch, ...answer });
      answered++;
    };
    const third = await pool.open();
    assert.equal(await third.async('add', 1, 2), 3);
    assert.isAbove(answered, 0);
    assert.include(third.stats(), { epoch: 1, refused: 2 * answered });
    assert.equal(await third.seat.office.highest(), 1);
  });

  it('to be the heir of a host that has not said so', async () => {
    const to = client.seat.page;
    await isRefused([client], () => pool.tell({ type: 'yours', to, epoch: 1 }));
    // Nor by that alone if it has asked.
    client.seat.want({ isShared: false, isVisible: false });
    pool.tell({ type: 'yours', to, epoch: 1 });
    await until(() => client.seat.heir.named === 1);
    assert.equal(await client.async('add', 1, 2), 3);
    assert.deepEqual([host.role, client.role], ['host', 'client']);
  });

  it('to invite pages that there are not', async () => {
    const say = () => {
      for (let i = 0; i < 50; i++)
        pool.tell({ type: 'seek', from: id(), address: i % 2 ? id() : '', seek: id() });
    };
    await isRefused([host], say, 50);
  });

  it('an offer to be host, which changes nothing', async () => {
    pool.tell({ type: 'offer', epoch: 1 });
    pool.tell({ type: 'offer', epoch: LATER });
    assert.equal(await client.async('add', 1, 2), 3);
    assert.equal(host.role, 'host');
  });
});

describe('the broker refuses', () => {
  /** What it says to somebody new who says this. */
  async function answer(data, given = []) {
    const { port } = new Broker();
    const answers = new Promise((resolve) => {
      port.onmessage = ({ data }) => resolve(data);
    });
    port.postMessage(data, given);
    return answers;
  }

  it('what makes no sense', async () => {
    const { port1 } = new MessageChannel();
    for (const data of [
      undefined,
      7,
      'text',
      null,
      {},
      { address: 7 },
      { address: 'x'.repeat(1e6) },
    ])
      assert.deepEqual(await answer(data), { refused: 'message' });
    assert.deepEqual(await answer({ to: id() }), { refused: 'message' });
    assert.deepEqual(await answer({ to: 'x'.repeat(1e6) }, [port1]), { refused: 'address' });
  });

  it('an address that somebody has', async () => {
    const { address } = client.seat.meeting;
    assert.deepEqual(await answer({ address }), { refused: 'address' });
    // What is for that page comes to it still.
    const { length } = said;
    const { port } = new Broker();
    port.postMessage({ to: address }, [new MessageChannel().port1]);
    await until(() => refused(client) === 1);
    assert.equal(await client.async('add', 1, 2), 3);
    assert.deepEqual(said.slice(length), [{ to: address }]);
  });
});
