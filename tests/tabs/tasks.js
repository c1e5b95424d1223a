// What the pool of the tests runs. Each worker has a number, so that tests see
// where a task ran; what begins and ends is told to all pages.

const worker = crypto.randomUUID();
const news = new BroadcastChannel('tabs-test');

export const add = (scope, a, b) => a + b;
export const echo = (scope, value) => value;
export const where = () => worker;

export function fail() {
  throw new RangeError('no good');
}

/** Waits until somebody says that it is enough, or so long. */
export async function wait(scope, id, ms = Infinity) {
  news.postMessage({ type: 'begun', id, worker });
  try {
    await scope.delay(ms);
  } finally {
    news.postMessage({ type: scope.isActive ? 'ended' : 'cancelled', id, worker });
  }
  return id;
}

/** Keeps its worker so long. */
export function work(scope, id, ms) {
  news.postMessage({ type: 'begun', id, worker });
  const end = performance.now() + ms;
  while (performance.now() < end);
  return id;
}

export async function tell(scope, count) {
  for (let i = 0; i < count; i++) {
    scope.progress(i);
    await scope.yield();
  }
  return 'told';
}

export async function* count(scope, to) {
  for (let i = 0; i < to; i++) yield i;
}
