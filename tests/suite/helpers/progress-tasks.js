// Tasks that report progress, and tasks that are streams.

import { library } from './library.js';

const { stream, transfer } = library;

// ---- progress

export async function report(scope, values) {
  for (const value of values) scope.progress(value);
}
/** Reports, and waits for a cell each time. */
export async function reportSlowly(scope, cells, count) {
  for (let i = 0; i < count; i++) {
    scope.progress(i);
    while (Atomics.load(cells, 0) <= i) await scope.yield();
  }
  return count;
}
export async function reportFromInside(scope) {
  scope.progress('outside');
  await scope.coroutineScope(async (inner) => {
    inner.progress('inside');
    await inner.nonCancellable((deep) => deep.progress('deep'));
  });
  await scope.withTimeout(60_000, (inner) => inner.progress('limited'));
}
export function reportFunction(scope) {
  scope.progress(() => {});
}
/** Listens to a child, and gives what that has told. */
export async function listenThere(scope, values) {
  const heard = [];
  const options = { onProgress: (value) => heard.push(value) };
  const job = scope.async(options, 'report', values);
  await job;
  const looped = [];
  const other = scope.async({ start: 'lazy' }, 'report', values);
  const all = other.progress({ scope });
  other.start();
  for await (const value of all) looped.push(value);
  return [heard, looped];
}

// ---- streams

export async function* countTo(scope, count) {
  for (let i = 1; i <= count; i++) yield i;
}
/** Notes how far it is, and that it has cleaned up. */
export async function* countCells(scope, cells) {
  try {
    for (let i = 1; ; i++) {
      Atomics.store(cells, 0, i);
      yield i;
    }
  } finally {
    Atomics.store(cells, 1, 1);
    Atomics.notify(cells, 1);
  }
}
export async function* waitInStream(scope, cells) {
  try {
    yield 1;
    await scope.awaitCancellation();
  } finally {
    Atomics.store(cells, 1, 1);
  }
}
export async function* failAfter(scope, count) {
  for (let i = 1; i <= count; i++) yield i;
  throw new RangeError('no more');
}
export function* plainGenerator() {
  yield* ['a', 'b'];
}
export async function* values(scope, list) {
  for (const one of list) yield one;
}
export async function* mapsAndTransfers() {
  yield new Map([[1, 'one']]);
  const buffer = new ArrayBuffer(8);
  yield transfer(buffer, [buffer]);
}
/** Streams from another task, and leaves early. */
export async function sumOfStream(scope, count, most) {
  let sum = 0;
  for await (const value of stream(scope, { credit: 2 }, 'countTo', count).values(scope)) {
    sum += value;
    if (value === most) break;
  }
  return sum;
}
