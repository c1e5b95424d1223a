// What producers and their channels have to do, case by case, on the main thread's loop.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { CancellationError, Channel, IllegalStateError, newSupervisorJob, produce } from 'coworker';
import { failure, thrown } from './helpers/contexts.js';
import { onMain } from './helpers/marks.js';

describe('channels', () => {
  it('case 175: a consumer cancels its producer', () =>
    onMain(8, async (scope, mark) => {
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
    onMain(2, async (scope, mark) => {
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
    onMain(3, async (scope, mark) => {
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
    onMain(2, async (scope, mark) => {
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
    onMain(6, async (scope, mark) => {
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
