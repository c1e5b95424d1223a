// Launching tasks: what they give, and what is refused.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { Deferred, Job } from 'coworker';
import { cells, failure, open, thrown, until, using } from './helpers/contexts.js';

describe('launching tasks', () => {
  it('gives the result of a function', async () => {
    await using(2, async (context) => {
      assert.equal(await context.async('add', 1, 2), 3);
    });
  });

  it('gives the result of an async function', async () => {
    await using(2, async (context) => {
      assert.deepEqual(await context.async('later', { a: [1] }), { a: [1] });
    });
  });

  it('gives the result of a thenable', async () => {
    await using(1, async (context) => {
      assert.equal(await context.async('thenable', 'value'), 'value');
    });
  });

  it('gives jobs by launch() and deferreds by async()', async () => {
    await using(1, async (context) => {
      const job = context.launch('add', 1, 2);
      assert.equal(job.constructor, Job); // and no promise
      assert.equal(job.name, 'add');
      assert.equal(await job.join(), undefined);
      const deferred = context.async('add', 1, 2);
      assert.instanceOf(deferred, Deferred);
      assert.equal(deferred.toPromise(), deferred.toPromise());
      const promise = context.withContext('add', 1, 2);
      assert.instanceOf(promise, Promise);
      assert.deepEqual(await Promise.all([deferred, promise]), [3, 3]);
    });
  });

  it('gives the result to each who awaits, before and after', async () => {
    await using(1, async (context) => {
      const job = context.async('echo', { a: 1 });
      const [one, two] = await Promise.all([job, job]);
      assert.equal(one, two);
      assert.equal(await job, one);
      let last;
      assert.equal(await job.finally(() => (last = true)), one);
      assert.isTrue(last);
      assert.equal(await job.catch(() => 'not called'), one);
      assert.equal(await job.then((value) => value.a), 1);
    });
  });

  it('takes any number of arguments', async () => {
    await using(1, async (context) => {
      assert.equal(await context.async('count'), 0);
      assert.deepEqual(await context.async('list', undefined), [undefined]);
      const many = Array.from({ length: 300 }, (_, i) => i);
      assert.deepEqual(await context.async('list', ...many), many);
    });
  });

  it('takes null as an argument, not as options', async () => {
    await using(1, async (context) => {
      assert.deepEqual(await context.async('list', null, {}), [null, {}]);
      assert.deepEqual(await context.async({}, 'list', { timeout: -1 }), [{ timeout: -1 }]);
    });
  });

  it('runs on all workers', async () => {
    await using(4, async (context) => {
      const gate = cells(context);
      const jobs = [0, 1, 2, 3].map(() => context.async('meet', gate, 4));
      assert.lengthOf([...new Set(await Promise.all(jobs))], 4);
    });
  });

  it('keeps the order on one worker', async () => {
    await using(1, async (context) => {
      const gate = cells(context);
      const ends = [];
      const jobs = Array.from({ length: 100 }, (_, i) =>
        context.async('mark', gate, 0).then(() => ends.push(i)),
      );
      await Promise.all(jobs);
      assert.deepEqual(
        ends,
        Array.from({ length: 100 }, (_, i) => i),
      );
      assert.equal(gate[0], 100);
    });
  });

  it('runs ten thousand', async () => {
    await using(2, async (context) => {
      const jobs = [];
      for (let i = 0; i < 10_000; i++) jobs.push(context.async('add', i, 1));
      const results = await Promise.all(jobs);
      assert.isTrue(results.every((value, i) => value === i + 1));
    });
  });
});

describe('refusing to launch', () => {
  const check = (error, type, ...texts) => {
    assert.equal(error.constructor, type, String(error));
    assert.match(error.message, /^coworker: /);
    for (const text of texts) assert.include(error.message, text);
  };

  it('names the tasks when one is unknown', async () => {
    await using(1, async (context) => {
      for (const call of ['launch', 'async', 'withContext']) {
        const error = thrown(() => context[call]('addd', 1));
        check(error, TypeError, "no task 'addd'", "'test'", 'add, ', 'echo, ');
        assert.notInclude(error.message, 'notATask');
      }
    });
  });

  it('fails the job when the tasks are not known yet', async () => {
    const context = await open(1, { ready: false });
    const error = await failure(context.async('addd', 1));
    check(error, TypeError, "no task 'addd'", 'add, ', 'echo, ');
    assert.notInclude(error.message, 'notATask');
    await context.close();
  });

  it('does not take what is inherited for a task', async () => {
    const context = await open(1, { ready: false });
    for (const name of ['toString', '__proto__', 'constructor', '']) {
      const call = async () => context.async(name);
      check(await failure(call()), TypeError, `no task '${name}'`);
    }
    await context.ready;
    for (const name of ['toString', 'hasOwnProperty', 'constructor', '']) {
      check(
        thrown(() => context.async(name)),
        TypeError,
        `no task '${name}'`,
      );
    }
    await context.close();
  });

  it('says what to do with functions', async () => {
    await using(1, async (context) => {
      const error = thrown(() => context.launch(function greet() {}));
      check(error, TypeError, 'function greet', 'Export it', 'Main.launch()');
    });
  });

  it('needs a string for a name', async () => {
    await using(1, async (context) => {
      check(
        thrown(() => context.launch()),
        TypeError,
        '`task`',
        'undefined',
      );
      check(
        thrown(() => context.launch(5)),
        TypeError,
        '`task`',
        'got 5',
      );
      check(
        thrown(() => context.launch({})),
        TypeError,
        '`task`',
        'undefined',
      );
      check(
        thrown(() => context.launch(Symbol('s'))),
        TypeError,
        '`task`',
        'Symbol(s)',
      );
    });
  });

  const options = [
    ['timeout', -1, RangeError],
    ['timeout', NaN, RangeError],
    ['timeout', '5', TypeError],
    ['signal', {}, TypeError],
    ['signal', null, TypeError],
    ['transfer', 'all', TypeError],
  ];
  for (const [name, value, type] of options) {
    it(`checks \`${name}\`, such as ${JSON.stringify(value)}`, async () => {
      await using(1, async (context) => {
        const error = thrown(() => context.launch({ [name]: value }, 'add', 1, 2));
        check(error, type, `\`options.${name}\``);
      });
    });
  }

  it('leaves nothing behind', async () => {
    await using(1, async (context) => {
      for (let i = 0; i < 100; i++) {
        thrown(() => context.launch('unknown'));
        thrown(() => context.launch('echo', () => {}));
      }
      await context.async('add', 1, 2);
      await until(() => context.stats().completed === 1);
      assert.equal(context.stats().launched, 1);
    });
  });
});
