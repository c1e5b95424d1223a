// Broadcasts: everybody gets the latest value.

import { before, describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  Channel,
  ClosedSendError,
  ConflatedBroadcastChannel,
  IllegalStateError,
  Main,
} from 'coworker';
import { failure, memoryUsed, thrown, using } from './helpers/contexts.js';

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
