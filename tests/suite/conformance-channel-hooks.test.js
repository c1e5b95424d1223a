// What becomes of elements that nobody receives, and of functions that hear of a channel's
// end, case by case, on the main thread's loop.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { Channel, ClosedSendError, UndeliveredElementError, newSupervisorJob } from 'coworker';
import { failure, thrown } from './helpers/contexts.js';
import { onMain } from './helpers/marks.js';

describe('channels', () => {
  it('case 166: conflated elements and the hook', () =>
    onMain(0, async (scope) => {
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
    onMain(0, async (scope) => {
      const lost = [];
      const channel = new Channel(0, { onUndelivered: (value) => lost.push(value) });
      channel.close();
      assert.instanceOf(await failure(channel.send(7, scope)), ClosedSendError);
      assert.deepEqual(lost, [7]);
      assert.isTrue(channel.trySend(8).closed);
      assert.deepEqual(lost, [7]);
    }));

  it('case 169: a hook that fails for a cancelled receiver', () =>
    onMain(2, async (scope, mark) => {
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
    onMain(0, async (scope) => {
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
    onMain(2, async (_scope, mark) => {
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
});
