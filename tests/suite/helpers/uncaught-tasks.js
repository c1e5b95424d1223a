// Tasks that leave something behind, or do not catch what they throw.

// ---- what tasks leave behind

export function leaveTimer(scope, cells, index) {
  setTimeout(() => Atomics.add(cells, index, 1), 1);
}
export function leavePromise(scope, cells, index) {
  void (async () => {
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    Atomics.add(cells, index, 1);
  })();
}
export function leaveMicrotasks(scope, cells, index) {
  void (async () => {
    for (let turn = 0; turn < 50; turn++) await null;
    Atomics.add(cells, index, 1);
  })();
}
export function leaveFetch(scope, url, cells, index) {
  const done = () => Atomics.add(cells, index, 1);
  fetch(url).then(done, done);
}
export function leaveRejection(scope, message) {
  void Promise.reject(new RangeError(message));
}
export function leaveThrow(scope, message) {
  setTimeout(() => {
    throw new RangeError(message);
  });
}

// ---- errors that nobody catches

const never = () => new Promise(() => {});
const throwLater = (message) =>
  setTimeout(() => {
    throw new RangeError(message);
  });

/** Waits for what never comes, since its callback throws. */
export async function crashInTimer(scope, message) {
  throwLater(message);
  await never();
}
/** The same by a promise that nobody looks at. */
export async function crashByPromise(scope, message) {
  void Promise.reject(new RangeError(message));
  await never();
}
/** Throws what is no error. */
export async function crashWithText(scope, text) {
  setTimeout(() => {
    throw text;
  });
  await never();
}
/** Crashes deep inside of scopes, with children on this worker and elsewhere; counts what is cleaned up. */
export function crashInside(scope, message, cells) {
  const cleaned = async (child, wait) => {
    try {
      await wait(child);
    } finally {
      Atomics.add(cells, 0, 1);
    }
  };
  const start = 'undispatched';
  return cleaned(scope, () =>
    scope.coroutineScope(async (inner) => {
      inner.launch({ start }, (child) => cleaned(child, () => child.delay(1e9)));
      inner.launch('delayAndMark', cells);
      await inner.withTimeout(1e9, async (limited) => {
        limited.launch({ start }, (child) => cleaned(child, () => child.awaitCancellation()));
        limited.signal.addEventListener('abort', () => Atomics.add(cells, 1, 1));
        throwLater(message);
        await limited.delay(1e9);
      });
    }),
  );
}
/** Waits, and counts that it has ended, however it does. */
export async function delayAndMark(scope, cells) {
  try {
    await scope.delay(1e9);
  } finally {
    Atomics.add(cells, 2, 1);
  }
}
/** Crashes, and goes on afterwards as if nothing had happened. */
export async function crashAndGoOn(scope, message, cells) {
  throwLater(message);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const child = scope.launch('add', 1, 2);
  const own = scope.launch(() => {});
  const waited = await scope.delay(1).catch((error) => error.name);
  const inside = await scope.coroutineScope(() => scope.yield()).catch((error) => error.name);
  const went = child.isCancelled && own.isCancelled && !scope.isActive;
  Atomics.store(cells, 0, went && waited === inside ? 1 : 2);
  return new Map([[message, message]]);
}
/** Crashes, or loops for ever, with a permit and a mutex. */
export function crashWithin(scope, semaphore, mutex, cells, loops) {
  return semaphore.withPermit(scope, () =>
    mutex.withLock(scope, async () => {
      Atomics.store(cells, 0, 1);
      while (loops);
      throwLater('within');
      await never();
    }),
  );
}
/** Leaves the crash to a function of its own. */
export function crashByChild(scope, message) {
  return scope.supervisorScope(async (inner) => {
    inner.launch({ name: 'child' }, async () => {
      throwLater(message);
      await never();
    });
  });
}
