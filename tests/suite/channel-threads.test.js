// Channels between threads: what passes through them, and what becomes of it.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  Channel,
  ClosedReceiveError,
  ClosedSendError,
  Main,
  UndeliveredElementError,
  transfer,
} from 'coworker';
import {
  failure,
  litter,
  memoryUsed,
  thrown,
  turns,
  uncaught,
  until,
  using,
} from './helpers/contexts.js';

const parcels = (channel) => channel.target.realm.parcels.size;

/** Values that come back as structured clone would give them. */
const VALUES = [
  0,
  -1,
  2 ** 31,
  0.1,
  NaN,
  '',
  'short',
  'ä longer text that needs a block of its own',
  undefined,
  null,
  true,
  2n ** 70n,
  [1, [2, { three: 3 }]],
  { deep: { text: 'x'.repeat(500) } },
  new Date(7),
  new Map([[1, new Set([2])]]),
  new Uint8Array([1, 2, 3]),
  /pattern/g, // these travel by structured clone
  new RangeError('an error'),
  { pattern: /x/, list: [new Int16Array([5])] },
];

describe('a channel between threads', () => {
  it('takes values of all kinds there', () =>
    using(1, async (context) => {
      const channel = new Channel(1);
      const job = context.async('sendValues', channel, VALUES);
      const received = [];
      for await (const value of channel) received.push(value);
      assert.deepEqual(received, VALUES);
      await job;
      assert.equal(parcels(channel), 0);
    }));

  it('takes values of all kinds here, and from worker to worker', () =>
    using(2, async (context) => {
      const [to, back] = [new Channel(), new Channel(3)];
      context.launch('echoAll', to, back);
      const sending = (async () => {
        for (const value of VALUES) await to.send(value);
        to.close();
      })();
      const received = [];
      for await (const value of back) received.push(value);
      assert.deepEqual(received, VALUES);
      await sending;
      assert.equal(parcels(back), 0);
    }));

  it('hands over what it held before it was known there', () =>
    using(1, async (context) => {
      const channel = new Channel(Channel.UNLIMITED);
      const values = [1, { pattern: /x/ }, [new Map([[1, 2]])]];
      for (const value of values) await channel.send(value);
      const waiting = new Channel();
      const sent = waiting.send({ waits: true });
      channel.close();
      assert.deepEqual(await context.async('receiveAll', channel), values);
      assert.deepEqual(await context.async('receiveOne', waiting), { waits: true });
      await sent;
      assert.equal(parcels(channel), 0);
    }));

  it('gives the very value back to the thread that has sent it before', () =>
    using(1, async (context) => {
      const channel = new Channel(Channel.UNLIMITED);
      const value = { pattern: /x/ };
      await channel.send(value);
      await context.async('keepChannel', channel);
      assert.strictEqual(await channel.receive(), value);
      await channel.send(value);
      assert.notStrictEqual(await channel.receive(), value);
      await until(() => parcels(channel) === 0);
    }));

  it('cannot be handed over with what cannot be cloned in it', () =>
    using(1, async (context) => {
      const channel = new Channel(1);
      const value = () => {};
      await channel.send(value);
      const error = thrown(() => context.launch('receiveOne', channel));
      assert.instanceOf(error, TypeError);
      assert.include(error.message, 'function value');
      assert.strictEqual(await channel.receive(), value);
      await channel.send(5);
      assert.equal(await context.async('receiveOne', channel), 5);
    }));

  it('refuses what cannot be cloned, and loses nothing', () =>
    using(1, async (context) => {
      const lost = [];
      const channel = new Channel(2, { onUndelivered: (value) => lost.push(value) });
      await context.async('keepChannel', channel);
      await channel.send('first');
      for (const send of [() => channel.send(() => {}), () => channel.trySend(Symbol('s'))]) {
        const error = thrown(send);
        assert.instanceOf(error, TypeError);
        assert.match(error.message, /function \(anonymous\)|Symbol\(s\)/);
      }
      const error = await failure(context.async('sendFunctionTo', channel));
      assert.instanceOf(error, TypeError);
      assert.equal(channel.tryReceive().value, 'first');
      assert.isTrue(channel.isEmpty);
      assert.deepEqual(lost, []);
    }));

  it('moves what is transferred', () =>
    using(1, async (context) => {
      const channel = new Channel(1);
      await context.async('keepChannel', channel);
      const buffer = new ArrayBuffer(8);
      await channel.send(transfer(buffer, [buffer]));
      assert.equal(buffer.byteLength, 0);
      assert.equal((await channel.receive()).byteLength, 8);
    }));

  it('is part of plain data, and of what is cloned', () =>
    using(2, async (context) => {
      const channel = new Channel(3);
      await context.async('nestedSend', { list: [0, { channel }] }, 'nested');
      assert.equal(await channel.receive(), 'nested');
      await context.async('sendWith', { channel, pattern: /x/g }, 'cloned');
      assert.deepEqual(await channel.receive(), [/x/g, 'cloned']);
      await context.async('passOn', channel, 'passed on');
      assert.deepEqual(await channel.receive(), [/x/g, 'passed on']);
      const twice = await context.async('list', channel, channel);
      assert.isTrue(twice[0].trySend('twice').success);
      assert.equal(twice[1].tryReceive().value, 'twice');
    }));

  it('comes as a result, and through a channel', () =>
    using(2, async (context) => {
      const { channel } = await context.async('makeChannel', { text: 'from there', p: /x/ });
      assert.deepEqual(await channel.receive(), { text: 'from there', p: /x/ });
      await channel.send('from here');
      assert.equal(await context.async('receiveOne', channel), 'from here');
      const carrier = new Channel(2);
      await context.async('keepChannel', carrier);
      await carrier.send(channel);
      await carrier.send([channel, /y/]);
      const got = await carrier.receive();
      const [also] = await carrier.receive();
      await got.send('through a channel');
      assert.equal(await also.receive(), 'through a channel');
    }));

  it('ends the waits of a task that is cancelled', () =>
    using(1, async (context) => {
      const channel = new Channel();
      const job = context.async('receiveOne', channel);
      await turns(3);
      job.cancel();
      assert.instanceOf(await failure(job), CancellationError);
      assert.isFalse(channel.trySend(1).success);
    }));

  it('serves a handle that outlives its task in no scope at all', () =>
    using(1, async (context) => {
      const channel = new Channel(1);
      await context.async('keepChannel', channel);
      assert.deepEqual(await context.async('useKeptChannel'), [
        true,
        'CancellationError',
        'IllegalStateError',
      ]);
    }));

  for (const byIterator of [false, true]) {
    const way = byIterator ? 'an iterator' : 'tryReceive()';
    it(`gives a task a channel that comes by ${way}, for as long as it runs`, () =>
      using(1, async (context) => {
        const carrier = new Channel(1);
        await context.async('keepChannel', carrier); // it is another thread's as well, then
        await carrier.send(new Channel(1));
        await context.async('keepTaken', carrier, byIterator);
        const [sent, ended] = await context.async('useKeptChannel');
        assert.isTrue(sent);
        assert.equal(ended, 'CancellationError');
      }));
  }

  it('tells of its end on all threads', () =>
    using(2, async (context) => {
      const channel = new Channel();
      const waiting = context.async('failAtChannel', channel);
      const heard = new Promise((resolve) => channel.invokeOnClose(resolve));
      await turns(2);
      assert.isTrue(await context.async('closeWith', channel, undefined));
      assert.equal((await waiting)[0], 'ClosedReceiveError');
      assert.isUndefined(await heard);
      assert.instanceOf(await failure(channel.send(1)), ClosedSendError);
      assert.instanceOf(await failure(channel.receive()), ClosedReceiveError);
      const other = new Channel();
      other.close(new RangeError('from here'));
      assert.deepEqual(await context.async('failAtChannel', other), [
        'RangeError',
        'from here',
        true,
      ]);
    }));

  it('calls the hook on its own thread', () =>
    using(1, async (context) => {
      const lost = [];
      const channel = new Channel(1, {
        overflow: 'dropOldest',
        onUndelivered: (value) => lost.push(value),
      });
      await context.async('sendNumbers', channel, 1, 3);
      await until(() => lost.length === 2);
      assert.deepEqual(lost, [1, 2]);
      await context.async('sendValues', channel, [/x/, 'last']);
      await until(() => lost.length === 4);
      assert.deepEqual(lost, [1, 2, 3, /x/]);
      assert.equal(await channel.receive(), 'last');
    }));

  it('reports a hook that fails when nobody can be told', () =>
    using(1, async (context) => {
      const broken = new RangeError('hook');
      const errors = await uncaught(async (next) => {
        const channel = new Channel(1, {
          overflow: 'dropOldest',
          onUndelivered() {
            throw broken;
          },
        });
        const reported = next();
        await context.async('sendNumbers', channel, 1, 2);
        await reported;
      });
      assert.equal(errors.length, 1);
      assert.instanceOf(errors[0], UndeliveredElementError);
      assert.strictEqual(errors[0].cause, broken);
    }));

  for (const workers of [2, 4]) {
    it(`gives each value to one of many, ${workers} workers`, () =>
      using(workers, async (context) => {
        const COUNT = 200;
        const channel = new Channel(4);
        const receivers = Array.from({ length: workers + 1 }, () =>
          context.async('receiveAll', channel),
        );
        const senders = Array.from({ length: workers }, (_, i) =>
          context.async('sendNumbers', channel, i * COUNT, COUNT),
        );
        await Promise.all(senders);
        channel.close();
        const received = (await Promise.all(receivers)).flat();
        assert.deepEqual(
          received.sort((a, b) => a - b),
          Array.from({ length: COUNT * workers }, (_, i) => i),
        );
      }));
  }

  it('keeps the order of one sender', () =>
    using(1, async (context) => {
      const channel = new Channel(8);
      const job = context.async('sendNumbers', channel, 0, 1000);
      for (let i = 0; i < 1000; i++) assert.equal(await channel.receive(), i);
      await job;
    }));

  it('is tried in a worker', () =>
    using(1, async (context) => {
      const channel = new Channel(2);
      assert.isFalse((await context.async('tryToReceive', channel)).success);
      await channel.send(/x/);
      const { success, value } = await context.async('tryToReceive', channel);
      assert.isTrue(success);
      assert.deepEqual(value, /x/);
    }));

  it('leaves nothing behind, however its tasks end', () =>
    using(2, async (context) => {
      const keep = new Channel();
      const round = async () => {
        const channel = new Channel(Channel.UNLIMITED);
        await channel.send({ before: 'x'.repeat(100) });
        const jobs = [context.async('receiveOne', channel), context.async('receiveOne', channel)];
        // These do not begin.
        const signal = AbortSignal.abort();
        jobs.push(context.async({ signal }, 'receiveOne', channel));
        jobs.push(context.async({ signal }, 'sendWith', { channel, pattern: /x/ }, 1));
        jobs.push(context.async({ start: 'lazy' }, 'receiveOne', channel));
        jobs.at(-1).cancel();
        await channel.send({ text: 'x'.repeat(100) });
        await channel.send({ left: /x/ });
        jobs[1].cancel();
        await Promise.allSettled(jobs);
        channel.dispose();
      };
      for (let i = 0; i < 5; i++) await round();
      const closing = context.close();
      await closing;
      const { launched, completed } = context.stats();
      assert.equal(launched, completed);
      await until(() => litter() && parcels(keep) === 0);
    }));

  it('is freed with the worker that forgets it', async () => {
    await Main.ready;
    const keep = new Channel();
    const round = () => using(2, (context) => context.async('forgetChannels', 200));
    await round();
    await round();
    const before = memoryUsed(keep);
    for (let i = 0; i < 4; i++) await round();
    await until(() => memoryUsed(keep) <= before + 65536);
  });
});
