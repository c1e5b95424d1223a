// What channels have to do, case by case, on the main thread's loop, where the
// order of everything is fixed.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  Channel,
  ClosedReceiveError,
  ClosedSendError,
  IllegalStateError,
} from 'coworker';
import { failure, thrown } from './helpers/contexts.js';
import { onMain } from './helpers/marks.js';

describe('channels', () => {
  it('case 151: trying and waiting in turns at a rendezvous', () =>
    onMain(11, async (scope, mark) => {
      const channel = new Channel();
      assert.isFalse(channel.trySend(1).success);
      mark(1);
      scope.launch(async (scope) => {
        mark(3);
        assert.isFalse(channel.tryReceive().success);
        mark(4);
        assert.equal(await channel.receive(scope), 2);
        mark(7);
        assert.isFalse(channel.tryReceive().success);
        await scope.yield();
        mark(9);
        assert.equal(channel.tryReceive().value, 3);
        mark(10);
      });
      mark(2);
      await scope.yield();
      mark(5);
      assert.isTrue(channel.trySend(2).success);
      mark(6);
      await scope.yield();
      mark(8);
      await channel.send(3, scope);
      mark(11);
    }));

  it('case 152: a suspended sender survives closing', () =>
    onMain(12, async (scope, mark) => {
      const channel = new Channel(Channel.RENDEZVOUS);
      mark(1);
      const sender = scope.launch(async (scope) => {
        mark(3);
        await channel.send(42, scope);
        mark(11);
      });
      mark(2);
      await scope.yield();
      mark(4);
      assert.isTrue(channel.close());
      mark(5);
      const receiver = scope.launch(async (scope) => {
        mark(7);
        assert.equal((await channel.receiveCatching(scope)).value, 42);
        mark(8);
        assert.isTrue((await channel.receiveCatching(scope)).closed);
        mark(9);
        assert.isTrue(channel.isClosedForReceive);
        mark(10);
      });
      mark(6);
      await scope.joinAll([sender, receiver]);
      mark(12);
    }));

  it('case 154: cancelling refuses ten senders', () =>
    onMain(2, async (scope, mark) => {
      const channel = new Channel();
      const senders = Array.from({ length: 10 }, () =>
        scope.launch(async (scope) => {
          await channel.send(1, scope);
          assert.fail('it was sent');
        }),
      );
      await scope.yield();
      channel.cancel();
      assert.isTrue(channel.isClosedForSend);
      assert.isTrue(channel.isClosedForReceive);
      assert.instanceOf(await failure(channel.receive(scope)), CancellationError);
      mark(1);
      await scope.joinAll(senders);
      for (const sender of senders) assert.isTrue(sender.isCancelled);
      mark(2);
    }));

  it('case 155: a waiting receiver hears of closing', () =>
    onMain(5, async (scope, mark) => {
      const channel = new Channel();
      const receiver = scope.launch(async (scope) => {
        assert.equal((await channel.receiveCatching(scope)).value, 42);
        mark(3);
        const result = await channel.receiveCatching(scope);
        assert.isTrue(result.closed);
        assert.isUndefined(result.cause);
        mark(4);
      });
      await scope.yield();
      mark(1);
      await channel.send(42, scope);
      assert.isTrue(channel.close());
      assert.isFalse(channel.isEmpty);
      mark(2);
      await scope.join(receiver);
      mark(5);
    }));

  it('case 157: receiving moves a waiting element into the buffer', () =>
    onMain(10, async (scope, mark) => {
      const channel = new Channel(1);
      mark(1);
      const sender = scope.launch(async (scope) => {
        mark(4);
        await channel.send(1, scope);
        mark(5);
        await channel.send(2, scope);
        mark(9);
      });
      mark(2);
      const receiver = scope.launch(async (scope) => {
        mark(6);
        assert.equal(await channel.receive(scope), 1);
        mark(7);
        assert.equal(await channel.receive(scope), 2);
        mark(8);
      });
      mark(3);
      await scope.join(sender);
      await scope.join(receiver);
      assert.isTrue(channel.isEmpty);
      mark(10);
    }));

  it('case 158: the waiting receiver first, then the buffer, then refusal', () =>
    onMain(12, async (scope, mark) => {
      const channel = new Channel(1);
      assert.isTrue(channel.trySend(1).success);
      mark(1);
      scope.launch(async (scope) => {
        mark(3);
        assert.equal(channel.tryReceive().value, 1);
        mark(4);
        assert.isFalse(channel.tryReceive().success);
        mark(5);
        assert.equal(await channel.receive(scope), 2);
        mark(9);
        assert.equal(channel.tryReceive().value, 3);
        mark(10);
        assert.isFalse(channel.tryReceive().success);
        mark(11);
      });
      mark(2);
      await scope.yield();
      mark(6);
      assert.isTrue(channel.trySend(2).success);
      mark(7);
      assert.isTrue(channel.trySend(3).success);
      mark(8);
      assert.isFalse(channel.trySend(4).success);
      await scope.yield();
      mark(12);
    }));

  it('case 160: the errors of a closed channel', () =>
    onMain(4, async (scope, mark) => {
      const channel = new Channel(1);
      scope.launch(async (scope) => {
        mark(1);
        assert.instanceOf(await failure(channel.receive(scope)), ClosedReceiveError);
        mark(3);
      });
      await scope.yield();
      assert.isTrue(channel.close());
      mark(2);
      await scope.yield();
      assert.instanceOf(await failure(channel.send(42, scope)), ClosedSendError);
      mark(4);
    }));

  it('case 161: a closed conflated channel still has its element', () =>
    onMain(0, async (scope) => {
      const channel = new Channel(Channel.CONFLATED);
      await channel.send(1, scope);
      channel.close();
      assert.isTrue(channel.isClosedForSend);
      assert.isFalse(channel.isClosedForReceive);
      assert.equal(await channel.receive(scope), 1);
      assert.isTrue(channel.isClosedForReceive);
      assert.isTrue((await channel.receiveCatching(scope)).closed);
    }));

  it('case 163: without a limit, in order, and closed once', () =>
    onMain(0, async (scope) => {
      const channel = new Channel(Channel.UNLIMITED);
      await channel.send(1, scope);
      assert.isTrue(channel.trySend(2).success);
      await channel.send(3, scope);
      assert.isTrue(channel.close());
      assert.isFalse(channel.close());
      for (let i = 1; i <= 3; i++) assert.equal(await channel.receive(scope), i);
      assert.isTrue((await channel.receiveCatching(scope)).closed);
    }));

  it('case 164: receivers hear of closing in order', () =>
    onMain(7, async (scope, mark) => {
      const channel = new Channel();
      mark(1);
      for (const number of [5, 6]) {
        scope.launch(async (scope) => {
          assert.instanceOf(await failure(channel.receive(scope)), ClosedReceiveError);
          mark(number);
        });
      }
      mark(2);
      await scope.yield();
      mark(3);
      channel.close();
      mark(4);
      await scope.yield();
      mark(7);
    }));

  it('case 164: senders hear of cancelling in order', () =>
    onMain(7, async (scope, mark) => {
      const channel = new Channel();
      mark(1);
      for (const number of [5, 6]) {
        scope.launch(async (scope) => {
          assert.instanceOf(await failure(channel.send(1, scope)), CancellationError);
          mark(number);
        });
      }
      mark(2);
      await scope.yield();
      mark(3);
      channel.cancel();
      mark(4);
      await scope.yield();
      mark(7);
    }));

  it('case 173: next() needs hasNext()', () =>
    onMain(0, async (scope) => {
      const channel = new Channel();
      const iterator = channel.iterator(scope);
      assert.instanceOf(
        thrown(() => iterator.next()),
        IllegalStateError,
      );
      channel.close();
      assert.isFalse(await iterator.hasNext());
      assert.instanceOf(
        thrown(() => iterator.next()),
        ClosedReceiveError,
      );
      assert.instanceOf(
        thrown(() => iterator.next()),
        IllegalStateError,
      );
    }));
});
