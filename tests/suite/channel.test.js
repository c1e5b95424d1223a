// Channels of one thread, and producers, which fill them.

import { before, describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  Channel,
  IllegalStateError,
  Main,
  UndeliveredElementError,
  produce,
} from 'coworker';
import { failure, memoryUsed, thrown, turns } from './helpers/contexts.js';

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
