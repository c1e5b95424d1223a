// What channels have to do, case by case, on the main thread's loop, where the
// order of everything is fixed.

import { before, describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  Channel,
  ClosedReceiveError,
  ClosedSendError,
  IllegalStateError,
  Main,
  UndeliveredElementError,
  newSupervisorJob,
  produce,
} from 'coworker';
import { failure, thrown } from './helpers/contexts.js';

/** Runs a case whose steps call `mark` with 1, 2, 3 and so on, in this order. */
async function scenario(last, body) {
  let marks = 0;
  const mark = (number) => assert.equal(number, ++marks, 'the order of marks');
  await Main.async((scope) => body(scope, mark));
  assert.equal(marks, last, 'marks');
}

describe('channels', () => {
  before(() => Main.ready);

  it('case 151: trying and waiting in turns at a rendezvous', () =>
    scenario(11, async (scope, mark) => {
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
    scenario(12, async (scope, mark) => {
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
    scenario(2, async (scope, mark) => {
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
    scenario(5, async (scope, mark) => {
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
    scenario(10, async (scope, mark) => {
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
    scenario(12, async (scope, mark) => {
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
    scenario(4, async (scope, mark) => {
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
    scenario(0, async (scope) => {
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
    scenario(0, async (scope) => {
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
    scenario(7, async (scope, mark) => {
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
    scenario(7, async (scope, mark) => {
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

  it('case 166: conflated elements and the hook', () =>
    scenario(0, async (scope) => {
      const lost = [];
      const onUndelivered = (value) => lost.push(value);
      const channel = new Channel(Channel.CONFLATED, { onUndelivered });
      await channel.send('A', scope);
      assert.deepEqual(lost, []);
      await channel.send('B', scope);
      assert.deepEqual(lost, ['A']);
      channel.close();
      assert.deepEqual(lost, ['A']);
      channel.cancel();
      assert.deepEqual(lost, ['A', 'B']);
    }));

  it('case 167: only send() gives a refused element to the hook', () =>
    scenario(0, async (scope) => {
      const lost = [];
      const channel = new Channel(0, { onUndelivered: (value) => lost.push(value) });
      channel.close();
      assert.instanceOf(await failure(channel.send(7, scope)), ClosedSendError);
      assert.deepEqual(lost, [7]);
      assert.isTrue(channel.trySend(8).closed);
      assert.deepEqual(lost, [7]);
    }));

  it('case 169: a hook that fails for a cancelled receiver', () =>
    scenario(2, async (scope, mark) => {
      const broken = new RangeError('hook');
      const lost = [];
      const told = [];
      const channel = new Channel(0, {
        onUndelivered(value) {
          lost.push(value);
          throw broken;
        },
      });
      const options = { job: newSupervisorJob(), handler: (error) => told.push(error) };
      const receiver = scope.launch(options, async (scope) => {
        await channel.receive(scope);
        assert.fail('it was received');
      });
      await scope.yield();
      await channel.send(5, scope);
      mark(1);
      assert.deepEqual(lost, []);
      receiver.cancel();
      await scope.join(receiver);
      assert.deepEqual(lost, [5]);
      assert.isTrue(receiver.isCancelled);
      assert.equal(told.length, 1);
      assert.instanceOf(told[0], UndeliveredElementError);
      assert.strictEqual(told[0].cause, broken);
      mark(2);
    }));

  it('case 170: a hook that fails while the channel is cancelled', () =>
    scenario(0, async (scope) => {
      const broken = new RangeError('hook');
      let calls = 0;
      const channel = new Channel(Channel.UNLIMITED, {
        onUndelivered() {
          calls++;
          throw broken;
        },
      });
      await channel.send(5, scope);
      await channel.send(6, scope);
      const error = thrown(() => channel.cancel());
      assert.instanceOf(error, UndeliveredElementError);
      assert.strictEqual(error.cause, broken);
      assert.equal(calls, 2);
    }));

  it('case 172: a function for the end that fails', () =>
    scenario(2, async (_scope, mark) => {
      const broken = new RangeError('handler');
      const channel = new Channel();
      channel.invokeOnClose((cause) => {
        assert.isUndefined(cause);
        mark(1);
        throw broken;
      });
      assert.strictEqual(
        thrown(() => channel.close()),
        broken,
      );
      mark(2);
      assert.isTrue(channel.isClosedForSend);
      assert.isTrue(channel.isClosedForReceive);
      assert.isFalse(channel.close());
    }));

  it('case 173: next() needs hasNext()', () =>
    scenario(0, async (scope) => {
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

  it('case 175: a consumer cancels its producer', () =>
    scenario(8, async (scope, mark) => {
      const channel = produce(scope, async (_scope, channel) => {
        mark(2);
        await channel.send(1);
        mark(3);
        const error = await failure(channel.send(2));
        mark(7);
        assert.instanceOf(error, CancellationError);
        throw error;
      });
      mark(1);
      assert.equal(await channel.receive(scope), 1);
      mark(4);
      channel.cancel();
      mark(5);
      assert.instanceOf(await failure(channel.receive(scope)), CancellationError);
      mark(6);
      await scope.yield();
      mark(8);
      await channel.join();
      assert.isTrue(channel.isCancelled);
    }));

  it('case 176: what was sent before a failure is received', () =>
    scenario(2, async (scope, mark) => {
      const broken = new RangeError('after five');
      const options = { capacity: Channel.UNLIMITED, job: newSupervisorJob() };
      const channel = produce(scope, options, async (_scope, channel) => {
        for (let i = 0; i < 5; i++) await channel.send(i);
        throw broken;
      });
      for (let i = 0; i < 5; i++) assert.equal(await channel.receive(scope), i);
      mark(1);
      assert.strictEqual(await failure(channel.receive(scope)), broken);
      mark(2);
    }));

  it('case 178: awaiting the end only once', () =>
    scenario(3, async (scope, mark) => {
      const channel = produce(scope, async (_scope, channel) => {
        await channel.awaitClose();
        mark(2);
        assert.instanceOf(await failure(channel.awaitClose()), IllegalStateError);
        mark(3);
      });
      await scope.yield();
      assert.instanceOf(
        thrown(() => channel.invokeOnClose(() => assert.fail('it was called'))),
        IllegalStateError,
      );
      mark(1);
      channel.close();
      await channel.join();
      assert.isFalse(channel.isCancelled);
    }));

  it('case 178: awaiting the end not with a function for it', () =>
    scenario(2, async (scope, mark) => {
      const channel = produce(scope, async (_scope, channel) => {
        channel.invokeOnClose(() => {});
        assert.instanceOf(await failure(channel.awaitClose()), IllegalStateError);
        mark(1);
      });
      await channel.join();
      mark(2);
      assert.isTrue(channel.isClosedForReceive);
    }));

  it('case 179: cancelling a closed channel cancels its producer', () =>
    scenario(6, async (scope, mark) => {
      const channel = produce(scope, async (scope, channel) => {
        mark(2);
        scope.launch(async (scope) => {
          mark(3);
          try {
            await scope.awaitCancellation();
          } finally {
            mark(5);
          }
        });
        assert.isTrue(channel.close());
      });
      mark(1);
      await scope.yield();
      await scope.yield();
      mark(4);
      assert.isTrue(channel.isClosedForSend);
      channel.cancel();
      await channel.join();
      mark(6);
    }));
});
