// The task of the pool that all tabs share. What begins is told to all of them,
// as the drawing shows the jobs of others, too.

const news = new BroadcastChannel('coworker-demo-tabs');

/** Long enough to be seen; short where it keeps a page from all else. */
const WORK_MS = globalThis.document ? 15 : 250;

/** Keeps its worker busy for a while. */
export function work(scope, tab, id) {
  const worker = Number(/-(\d+)$/.exec(scope.workerName)?.[1] ?? 1);
  news.postMessage({ type: 'begun', tab, id, worker });
  const end = performance.now() + WORK_MS;
  while (performance.now() < end);
}
