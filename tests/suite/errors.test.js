// Failures of tasks, as the caller sees them.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import {
  CancellationError,
  ContextClosedError,
  CoworkerError,
  IsolationError,
  NativeError,
  StartError,
  TimeoutCancellationError,
  WorkerCrashedError,
} from 'coworker';
import { failure, turns, uncaught, using } from './helpers/contexts.js';

describe('the error of a failed task', () => {
  it('has the class, name, message and stack of the original', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('fail', 'out of range'));
      assert.equal(error.constructor, RangeError);
      assert.equal(error.name, 'RangeError');
      assert.equal(error.message, 'out of range');
      assert.match(error.stack, /\bfail\b/, 'the function that threw it');
      assert.include(error.stack, 'tasks.js');
    });
  });

  it('says which task failed, and where', async () => {
    await using(
      1,
      async (context) => {
        const error = await failure(context.async('failLater', 'x'));
        assert.equal(error.task, 'failLater');
        assert.equal(error.worker, 'kitchen');
      },
      { name: 'kitchen' },
    );
  });

  it('has its causes', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('failWithCause'));
      assert.equal(error.message, 'outer');
      assert.instanceOf(error.cause, TypeError);
      assert.equal(error.cause.message, 'middle');
      assert.equal(error.cause.cause, 'inner');
    });
  });

  it('may be an AggregateError', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('failWithAggregate'));
      assert.instanceOf(error, AggregateError);
      assert.equal(error.message, 'several');
      assert.instanceOf(error.errors[0], RangeError);
      assert.equal(error.errors[1], 'two');
    });
  });

  it('keeps name and code of a class that is not here', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('failWithClass'));
      assert.instanceOf(error, Error);
      assert.equal(error.name, 'CustomError');
      assert.equal(error.code, 'E_CUSTOM');
      assert.equal(error.message, 'mine');
    });
  });

  it('may be any value', async () => {
    await using(1, async (context) => {
      for (const value of ['text', 0, null, false, { reason: [1] }, 5n]) {
        let got = 'nothing';
        await context.async('throwValue', value).catch((v) => (got = v));
        assert.deepEqual(got, value);
      }
      let got = 'nothing';
      await context.async('rejectFalsy').catch((v) => (got = v));
      assert.isUndefined(got);
    });
  });

  it('says what a value was that cannot be sent', async () => {
    await using(1, async (context) => {
      const error = await failure(context.async('throwFunction'));
      assert.instanceOf(error, Error);
      assert.include(error.message, 'cannot be sent');
      assert.include(error.message, 'named');
    });
  });

  it('is one object for all who await', async () => {
    await using(1, async (context) => {
      const job = context.async('fail', 'x');
      const errors = await Promise.all([
        failure(job),
        failure(job),
        failure(job.toPromise()),
        failure(job.finally(() => {})),
      ]);
      errors.push(await failure(job));
      assert.lengthOf([...new Set(errors)], 1);
      assert.isTrue(await context.async('errorTwiceSafely'));
    });
  });

  it('comes through parents unchanged', async () => {
    await using(2, async (context) => {
      const error = await failure(context.async('callThere', 'callThere', 'fail', 'deep'));
      assert.instanceOf(error, RangeError);
      assert.equal(error.message, 'deep');
      assert.equal(error.task, 'fail');
      assert.match(error.stack, /\bfail\b/);
    });
  });

  it('takes nothing of the shared memory for long, whoever keeps it', async () => {
    await using(1, async (context) => {
      // More than there is room for, if each stayed there until it was collected.
      const text = 'x'.repeat(30_000);
      const errors = [];
      for (let i = 0; i < 2500; i++) errors.push(await failure(context.async('fail', text)));
      for (const { message } of errors) assert.lengthOf(message, text.length);
      assert.equal(new Set(errors).size, errors.length);
    });
  });

  it('has long messages, and none', async () => {
    await using(1, async (context) => {
      for (const message of ['', 'λ'.repeat(100_000)]) {
        const error = await failure(context.async('fail', message));
        assert.equal(error.message, message);
      }
    });
  });
});

describe('a failure that nobody awaits', () => {
  it('is reported if the job was launched', async () => {
    await using(1, async (context) => {
      const errors = await uncaught(async (next) => {
        const reported = next();
        const job = context.launch('fail', 'nobody waits');
        await job.join();
        await reported;
        assert.isTrue(job.isCancelled);
      });
      assert.lengthOf(errors, 1);
      assert.instanceOf(errors[0], RangeError);
      assert.equal(errors[0].message, 'nobody waits');
      assert.equal(errors[0].task, 'fail');
    });
  });

  it('is reported once for a tree', async () => {
    await using(2, async (context) => {
      const errors = await uncaught(async (next) => {
        const reported = next();
        await context.launch('manyFail', 5).join();
        await reported;
        await turns(5);
      });
      assert.lengthOf(errors, 1);
      assert.match(errors[0].message, /^child \d$/);
    });
  });

  it('is not reported if it is there for whoever awaits', async () => {
    await using(1, async (context) => {
      const errors = await uncaught(async () => {
        await context.async('fail', 'quiet').join();
        context.withContext('fail', 'quiet').catch(() => {});
        await context.async('add', 1, 2);
        await turns(5);
      });
      assert.lengthOf(errors, 0);
    });
  });

  it('is not reported if it is a cancellation', async () => {
    await using(1, async (context) => {
      const errors = await uncaught(async () => {
        const job = context.launch('wait');
        await job.cancelAndJoin(new Error('why'));
        await context.launch({ timeout: 1 }, 'wait').join();
        await turns(5);
      });
      assert.lengthOf(errors, 0);
    });
  });

  it('is an unhandled rejection of a plain promise', async () => {
    await using(1, async (context) => {
      const errors = await uncaught(async (next) => {
        const reported = next();
        void context.withContext('fail', 'plain');
        await reported;
      });
      assert.equal(errors[0].message, 'plain');
    });
  });
});

describe('error classes', () => {
  it('have names, codes and one base', () => {
    const errors = [
      [new CoworkerError('m'), 'CoworkerError', 'CW_EFAILED'],
      [new CancellationError('m'), 'CancellationError', 'CW_ECANCELED'],
      [new TimeoutCancellationError('m'), 'TimeoutCancellationError', 'CW_ECANCELED'],
      [new ContextClosedError('m'), 'ContextClosedError', 'CW_ECLOSED'],
      [new NativeError('m', { code: 'CW_EBUSY' }), 'NativeError', 'CW_EBUSY'],
      [new IsolationError('m'), 'IsolationError', 'CW_ENOTSUP'],
      [new StartError('timeout', 'm'), 'StartError', 'CW_ESTART'],
      [new WorkerCrashedError('m'), 'WorkerCrashedError', 'CW_EFAILED'],
    ];
    for (const [error, name, code] of errors) {
      assert.instanceOf(error, CoworkerError);
      assert.instanceOf(error, Error);
      assert.equal(error.name, name);
      assert.equal(error.code, code);
      assert.equal(error.message, 'm');
    }
    assert.instanceOf(new TimeoutCancellationError('m'), CancellationError);
    assert.equal(new StartError('timeout', 'm').reason, 'timeout');
  });
});
