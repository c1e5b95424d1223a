// Channels between threads: what passes through them, and what becomes of it.

import { before, describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  Channel,
  ClosedReceiveError,
  ClosedSendError,
  ConflatedBroadcastChannel,
  IllegalStateError,
  Main,
  UndeliveredElementError,
  produce,
  transfer,
} from 'coworker';
import { failure, litter, thrown, turns, uncaught, until, using } from './helpers/contexts.js';

/** What the core has given out, without the caches of threads. */
const memoryUsed = (channel) => channel.target.realm.module._cw_memory_used();
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

describe('a channel of one thread', () => {
  before(() => Main.ready);

  it('passes the very values', async () => {
    await Main.ready;
    const channel = new Channel(Channel.UNLIMITED);
    const values = [{}, () => {}, Symbol('unique'), new WeakMap()];
    for (const value of values) await channel.send(value);
    for (const value of values) assert.strictEqual(await channel.receive(), value);
    assert.isTrue(channel.isEmpty);
  });

  it('serves those who have no scope', async () => {
    const channel = new Channel();
    const received = channel.receive();
    await channel.send('value');
    assert.equal(await received, 'value');
    const result = channel.receiveCatching();
    channel.close();
    assert.deepEqual(await result, { success: false, closed: true, cause: undefined });
  });

  it('tells what came of an attempt', async () => {
    const channel = new Channel(1);
    assert.deepEqual(channel.tryReceive(), { success: false, closed: false });
    assert.isTrue(channel.trySend('one').success);
    assert.deepEqual(channel.trySend('two'), { success: false, closed: false });
    assert.deepEqual(channel.tryReceive(), { success: true, closed: false, value: 'one' });
    const cause = new Error('why');
    assert.isTrue(channel.close(cause));
    const closed = { success: false, closed: true, cause };
    assert.deepEqual(channel.trySend('three'), closed);
    assert.strictEqual(channel.tryReceive().cause, cause);
  });

  it('is closed with the very cause', async () => {
    const channel = new Channel();
    const cause = new RangeError('why');
    channel.close(cause);
    assert.strictEqual(await failure(channel.send(1)), cause);
    assert.strictEqual(await failure(channel.receive()), cause);
    assert.strictEqual((await channel.receiveCatching()).cause, cause);
  });

  it('makes room as it is told', async () => {
    const receivedBy = (overflow, capacity = 2) => {
      const channel = new Channel(capacity, { overflow });
      for (let i = 1; i <= 4; i++) channel.trySend(i);
      const received = [];
      for (let result; (result = channel.tryReceive()).success;) received.push(result.value);
      return received;
    };
    assert.deepEqual(receivedBy('suspend'), [1, 2]);
    assert.deepEqual(receivedBy('dropOldest'), [3, 4]);
    assert.deepEqual(receivedBy('dropLatest'), [1, 2]);
    assert.deepEqual(receivedBy('dropOldest', Channel.RENDEZVOUS), [4]);
    assert.deepEqual(receivedBy('dropLatest', Channel.BUFFERED), [1]);
    assert.deepEqual(receivedBy(undefined, Channel.CONFLATED), [4]);
  });

  it('is iterated, which does not cancel it', async () => {
    const channel = new Channel(Channel.UNLIMITED);
    for (let i = 1; i <= 4; i++) channel.trySend(i);
    const received = [];
    for await (const value of channel) {
      received.push(value);
      if (value === 2) break;
    }
    assert.isFalse(channel.isClosedForSend);
    channel.close();
    for await (const value of channel) received.push(value);
    assert.deepEqual(received, [1, 2, 3, 4]);
    const broken = new Channel(1);
    broken.trySend(1);
    const cause = new RangeError('why');
    broken.close(cause);
    const iterator = broken.values();
    assert.deepEqual(await iterator.next(), { done: false, value: 1 });
    assert.strictEqual(await failure(iterator.next()), cause);
  });

  it('is consumed, which cancels it', async () => {
    const channel = new Channel(Channel.UNLIMITED);
    for (let i = 1; i <= 4; i++) channel.trySend(i);
    const broken = new RangeError('enough');
    const received = [];
    const consuming = channel.consumeEach((value) => {
      received.push(value);
      if (value === 2) throw broken;
    });
    assert.strictEqual(await failure(consuming), broken);
    assert.deepEqual(received, [1, 2]);
    assert.isTrue(channel.isClosedForReceive);
    const error = await failure(channel.receive());
    assert.instanceOf(error, CancellationError);
    assert.strictEqual(error.cause, broken);
    const other = new Channel(1);
    assert.equal(await other.consume(() => 'result'), 'result');
    assert.isTrue(other.isClosedForSend);
  });

  it('does not ask about cancelling while there is something', async () => {
    const received = [];
    const job = Main.launch(async (scope) => {
      const channel = new Channel(Channel.UNLIMITED);
      for (let i = 1; i <= 3; i++) channel.trySend(i);
      scope.cancel();
      try {
        for await (const value of channel.in(scope)) received.push(value);
      } catch (error) {
        received.push(error.name);
      }
    });
    await job.join();
    assert.deepEqual(received, [1, 2, 3, 'CancellationError']);
  });

  it('asks an iterator as often as one likes', async () => {
    const channel = new Channel(1);
    const iterator = channel.iterator();
    channel.trySend('one');
    assert.isTrue(await iterator.hasNext());
    assert.isTrue(await iterator.hasNext());
    assert.equal(iterator.next(), 'one');
    const cause = new RangeError('why');
    channel.close(cause);
    assert.strictEqual(await failure(iterator.hasNext()), cause);
    assert.strictEqual(
      thrown(() => iterator.next()),
      cause,
    );
  });

  it('belongs to a scope, or to the one of a call', async () => {
    const channel = new Channel();
    const job = Main.async((scope) => channel.in(scope).receive());
    const other = Main.async((scope) => channel.receive(scope));
    await turns();
    job.cancel();
    other.cancel();
    assert.instanceOf(await failure(job), CancellationError);
    assert.instanceOf(await failure(other), CancellationError);
    assert.isFalse(channel.trySend(1).success);
  });

  it('calls back when it is closed', async () => {
    const heard = [];
    const channel = new Channel();
    const cause = new RangeError('why');
    channel.invokeOnClose((error) => heard.push(error));
    const second = thrown(() => channel.invokeOnClose(() => heard.push('second')));
    assert.instanceOf(second, IllegalStateError);
    channel.close(cause);
    assert.deepEqual(heard, [cause]);
    const late = new Channel();
    late.close();
    late.invokeOnClose((error) => heard.push(error));
    assert.deepEqual(heard, [cause, undefined]);
  });

  it('tells a sender that the hook has failed for what it replaced', async () => {
    const broken = new RangeError('hook');
    const onUndelivered = () => {
      throw broken;
    };
    const channel = new Channel(1, { overflow: 'dropOldest', onUndelivered });
    await channel.send(1);
    const error = await failure(channel.send(2));
    assert.instanceOf(error, UndeliveredElementError);
    assert.strictEqual(error.cause, broken);
    assert.strictEqual(thrown(() => channel.trySend(3)).cause, broken);
    assert.equal(await channel.receive(), 3);
  });

  it('refuses what makes no sense, and says so', async () => {
    const bad = [
      [-3, {}, RangeError, 'capacity'],
      [1.5, {}, RangeError, 'capacity'],
      ['1', {}, TypeError, 'capacity'],
      [1, 5, TypeError, 'options'],
      [1, { overflow: 'drop' }, TypeError, 'overflow'],
      [Channel.CONFLATED, { overflow: 'dropOldest' }, TypeError, 'conflated'],
      [1, { onUndelivered: 'log' }, TypeError, 'onUndelivered'],
    ];
    for (const [capacity, options, ErrorClass, word] of bad) {
      const error = thrown(() => new Channel(capacity, options));
      assert.instanceOf(error, ErrorClass);
      assert.include(error.message, word);
    }
    const channel = new Channel(1);
    for (const call of [
      () => channel.send(1, {}),
      () => channel.in(undefined),
      () => channel.invokeOnClose('x'),
    ]) {
      assert.instanceOf(thrown(call), TypeError);
    }
    assert.instanceOf(await failure(channel.consume(5)), TypeError);
    await channel.send(1);
    assert.equal(await channel.receive(), 1);
  });

  it('can be released, with its views', async () => {
    const channel = new Channel(1);
    const view = channel.in(await Main.async((scope) => scope));
    channel.dispose();
    channel.dispose();
    for (const call of [
      () => channel.send(1),
      () => channel.trySend(1),
      () => channel.tryReceive(),
      () => channel.close(),
      () => channel.isEmpty,
      () => view.trySend(1),
    ]) {
      const error = thrown(call);
      assert.instanceOf(error, IllegalStateError);
      assert.include(error.message, 'released');
    }
  });

  it('leaves nothing behind', async () => {
    const keep = new Channel();
    const round = async () => {
      const channel = new Channel(Channel.UNLIMITED, { onUndelivered() {} });
      channel.invokeOnClose(() => {});
      for (let i = 0; i < 100; i++) await channel.send({ i });
      for (let i = 0; i < 50; i++) await channel.receive();
      channel.dispose(); // with what is in it
    };
    await round();
    const before = memoryUsed(keep);
    for (let i = 0; i < 50; i++) await round();
    assert.isAtMost(memoryUsed(keep), before + 4096);
  });
});

describe('a producer', () => {
  it('is received from by those who have no scope', async () => {
    await Main.ready;
    await Main.async(async (scope) => {
      const numbers = produce(scope, async (_scope, channel) => {
        for (let n = 0; n < 3; n++) await channel.send(n);
      });
      assert.equal(await numbers.receive(), 0);
      assert.equal(await numbers.receive(scope), 1);
      assert.equal((await numbers.receiveCatching()).value, 2);
    });
  });

  it('fills a channel that ends with it', async () => {
    const received = await Main.async(async (scope) => {
      const numbers = produce(scope, { capacity: 2 }, async (scope, channel) => {
        scope.launch(async (scope) => {
          await scope.yield();
          await channel.send('of a child', scope);
        });
        for (let i = 0; i < 3; i++) await channel.send(i);
      });
      assert.isTrue(numbers.isActive);
      const list = [];
      for await (const value of numbers.in(scope)) list.push(value);
      await numbers.join();
      assert.isTrue(numbers.isCompleted);
      return list;
    });
    assert.sameMembers(received, [0, 1, 2, 'of a child']);
  });

  it('is a child of its scope', async () => {
    const broken = new RangeError('producer');
    const job = Main.async(async (scope) => {
      const channel = produce(scope, () => {
        throw broken;
      });
      await failure(channel.receive(scope));
      await scope.awaitCancellation();
    });
    assert.strictEqual(await failure(job), broken);
  });

  it('refuses what is no scope, or no function', () =>
    Main.async(async (scope) => {
      assert.include(thrown(() => produce({}, () => {})).message, 'scope');
      assert.include(thrown(() => produce(scope, 5)).message, 'function');
    }));
});

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

describe('a broadcast', () => {
  before(() => Main.ready);

  it('has the latest value', async () => {
    const broadcast = new ConflatedBroadcastChannel();
    assert.instanceOf(
      thrown(() => broadcast.value),
      IllegalStateError,
    );
    assert.isUndefined(broadcast.valueOrUndefined);
    await broadcast.send(1);
    assert.isTrue(broadcast.trySend({ latest: 'value of some length' }).success);
    assert.deepEqual(broadcast.value, { latest: 'value of some length' });
    assert.equal(new ConflatedBroadcastChannel({ value: 5 }).value, 5);
    assert.instanceOf(
      thrown(() => broadcast.send(() => {})),
      TypeError,
    );
    assert.isTrue(broadcast.close());
    assert.isFalse(broadcast.close());
    assert.isTrue(broadcast.isClosedForSend);
    assert.isTrue(broadcast.trySend(2).closed);
    assert.instanceOf(await failure(broadcast.send(2)), ClosedSendError);
    assert.isUndefined(broadcast.valueOrUndefined);
  });

  it('gives it to everybody, and skips for the slow', async () => {
    const broadcast = new ConflatedBroadcastChannel({ value: { n: 1 } });
    const [one, two] = [broadcast.openSubscription(), broadcast.openSubscription()];
    assert.deepEqual(await one.receive(), { n: 1 });
    await broadcast.send({ n: 2 });
    assert.deepEqual(await one.receive(), { n: 2 });
    await broadcast.send({ n: 3 });
    assert.deepEqual(await two.receive(), { n: 3 });
    two.cancel();
    const cause = new RangeError('why');
    broadcast.close(cause);
    assert.deepEqual(await one.receive(), { n: 3 });
    assert.strictEqual(await failure(one.receive()), cause);
    const late = new ConflatedBroadcastChannel();
    const cancelled = late.openSubscription();
    late.cancel();
    assert.instanceOf(await failure(cancelled.receive()), CancellationError);
  });

  it('reaches all threads', () =>
    using(3, async (context) => {
      const broadcast = new ConflatedBroadcastChannel({ value: { number: 0 } });
      const seen = [1, 2].map(() => context.async('subscribe', broadcast));
      const here = broadcast.openSubscription();
      await context.async('broadcastNumbers', broadcast, 100);
      const last = [];
      for await (const { number } of here) last.push(number);
      assert.equal(last.at(-1), 100);
      for (const numbers of await Promise.all(seen)) {
        assert.deepEqual(
          numbers,
          [...new Set(numbers)].sort((a, b) => a - b),
        );
      }
    }));

  it('leaves nothing behind', async () => {
    const keep = new Channel();
    const round = async () => {
      const broadcast = new ConflatedBroadcastChannel();
      const subscriptions = [1, 2, 3].map(() => broadcast.openSubscription());
      for (let i = 0; i < 10; i++) await broadcast.send({ text: 'x'.repeat(200), i });
      await subscriptions[0].receive();
      subscriptions[1].cancel();
      for (const subscription of subscriptions) subscription.dispose();
      broadcast.dispose();
    };
    await round();
    const before = memoryUsed(keep);
    for (let i = 0; i < 100; i++) await round();
    assert.isAtMost(memoryUsed(keep), before + 4096);
  });
});
