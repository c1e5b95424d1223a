// Tasks about what a scope tells and does.

export async function scopeState(scope) {
  return [scope.isActive, scope.isStopped, scope.signal.aborted];
}
export async function delays(scope) {
  const began = performance.now();
  await scope.delay(0);
  await scope.delay(-5);
  await scope.delay(30);
  const took = performance.now() - began;
  let wrong;
  try {
    await scope.delay(NaN);
  } catch (error) {
    wrong = [error.name, error.message];
  }
  return [took >= 28, wrong];
}
export async function order(scope, cells, who) {
  const take = () => Atomics.add(cells, 0, 1);
  const first = take();
  await scope.yield();
  return [who, first, take()];
}
export async function launchTwo(scope, cells) {
  const one = scope.async('order', cells, 'one');
  const two = scope.async('order', cells, 'two');
  return [await one, await two];
}
export async function ensureActive(scope, cells) {
  scope.ensureActive();
  Atomics.store(cells, 0, 1);
  while (!scope.isStopped);
  try {
    scope.ensureActive();
  } catch (error) {
    Atomics.store(cells, 1, error.name === 'CancellationError' ? 1 : 2);
    throw error;
  }
}
let kept;
export function keepScope(scope) {
  kept = scope;
}
export async function useKeptScope() {
  const errors = [];
  const attempt = async (call) => {
    try {
      await call();
      errors.push('none');
    } catch (error) {
      errors.push(error.name);
    }
  };
  await attempt(() => kept.launch('echo', 1));
  await attempt(() => kept.async('echo', 1));
  await attempt(() => kept.delay(1));
  await attempt(() => kept.ensureActive());
  return [errors, kept.isActive, kept.isStopped, kept.signal.aborted];
}
export async function callThere(scope, ...call) {
  return scope.async(...call);
}
export function withContextThere(scope, ...call) {
  const promise = scope.withContext(...call);
  return [promise instanceof Promise, promise].reduce(async (is, result) => [is, await result]);
}

// ---- on which worker

export const where = (scope) => [scope.workerName, scope.taskName];

/** On which workers it runs, and what it launches, after waiting, too. */
export async function whereAll(scope) {
  const names = [scope.workerName];
  await scope.delay(1);
  const children = [1, 2, 3].map(() => scope.async('where'));
  const local = scope.async((inner) => inner.workerName);
  names.push(...(await scope.awaitAll(children)).map(([name]) => name), await local);
  await scope.yield();
  names.push(scope.workerName, await scope.withContext('whereDeeper'));
  return names;
}
export const whereDeeper = async (scope) => (await scope.async('where'))[0];
