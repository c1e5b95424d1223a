// What jobs, handles and elements use up is given back.

import { describe, it } from 'node:test';
import { assert } from 'chai';
import { ContextKey, Main, newCompletableDeferred, newSupervisorJob } from 'coworker';
import { litter, mainRealm, thrown, turns, until, using } from './helpers/contexts.js';

describe('what is used up', () => {
  /** Runs rounds until the memory in use stays as it is; fails if it never does. */
  async function settles(round) {
    const { module } = await mainRealm();
    let calm = 0;
    for (let rounds = 0; rounds < 60 && calm < 5; rounds++) {
      const before = module._cw_memory_used();
      for (let i = 0; i < 100; i++) await round();
      litter();
      await turns();
      calm = module._cw_memory_used() === before ? calm + 1 : 0;
    }
    assert.equal(calm, 5, 'memory grows on and on');
  }

  // The core's own errors, which are not those, stay until the collector comes.
  it('is given back: jobs, handles, thrown errors, elements', async () => {
    await Main.ready;
    const realm = await mainRealm();
    const handles = realm.watched.size;
    const tokens = [...realm.openTickets()].length;
    const handler = () => {};
    const key = new ContextKey('leak');
    await settles(async () => {
      const supervisor = newSupervisorJob();
      const deferred = newCompletableDeferred(supervisor);
      const failing = Main.launch({ job: supervisor, handler, name: 'leak' }, () => {
        throw new Error('A');
      });
      const elements = { job: supervisor, values: [key.with('value')] };
      const waiting = Main.async(elements, async (scope) => {
        await scope.withTimeout(60_000, (inner) => inner.yield());
        assert.equal(scope.get(key), 'value');
        assert.strictEqual(scope.job.parent, supervisor);
        scope.launch({ start: 'lazy' }, () => {}).start();
        await scope.await(deferred);
      });
      supervisor.invokeOnCompletion(() => {}).dispose();
      supervisor.invokeOnCompletion(() => {}, { onCancelling: true });
      thrown(() => Main.launch({ handler, values: [key.with(() => {})] }, () => {}));
      await failing.join();
      deferred.complete(5);
      await waiting;
      supervisor.complete();
      await supervisor.join();
    });
    assert.equal(realm.watched.size, handles, 'handles');
    assert.lengthOf([...realm.openTickets()], tokens, 'tokens');
  });

  it('is given back, of tasks on workers, too', async () => {
    await using(2, async (context) => {
      const key = new ContextKey('leak');
      await settles(async () => {
        const values = [key.with('value')];
        // Errors that cross threads stay until the collector comes, so not those.
        const jobs = [
          context.async('handlesBelow'),
          context.async({ values }, 'valueThere', 'leak'),
          context.async('scopeThere'),
          context.async('failingScopeThere'),
        ];
        await Promise.all(jobs);
      });
      await until(() => context.stats().completed === context.stats().launched);
    });
  });
});
