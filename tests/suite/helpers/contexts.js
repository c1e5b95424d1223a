// Contexts for tests, and what they watch.

import { after } from 'node:test';
import * as coworker from 'coworker';
import { library } from './library.js';

const { Main, newFixedWorkerContext, setDefaultTier } = coworker;
Object.assign(library, coworker);

export const inPage = typeof document === 'object';

/** What the tests run in. */
export const tier = inPage
  ? (new URLSearchParams(location.search).get('tier') ?? 'shared')
  : (process.env.COWORKER_TIER ?? 'shared');
setDefaultTier(tier);

/** WebKit cannot end a thread that loops in WebAssembly. */
export const endsLoopsInC = !inPage || !/AppleWebKit(?!.*Chrom)/.test(navigator.userAgent);

/** A URL of a file of these helpers, whose name differs in Node. */
export function helperUrl(name) {
  return new URL(`./${name}${inPage ? '' : '.node'}.js`, import.meta.url);
}

/** The tasks, for the tier without workers. */
export const tasks = () => import('./tasks.js');

export const worker = () => new Worker(helperUrl('worker'), { type: 'module' });

const opened = new Set();
// What a failed test has left open would keep the process.
after(() => Promise.all([...opened].map((c) => c.close({ cancel: true }))));

/** Opens a context, waits for its workers unless told otherwise. */
export async function open(workers, options = {}) {
  const { ready = true, name = 'test', ...rest } = options;
  const context = await newFixedWorkerContext(workers, name, {
    worker,
    tasks,
    ...rest,
  });
  opened.add(context);
  if (ready) await context.ready;
  return context;
}

/** Runs `body` with a context, which is closed afterwards. */
export async function using(workers, body, options) {
  const context = await open(workers, options);
  try {
    return await body(context);
  } finally {
    await context.close({ cancel: true });
  }
}

/** The factory of the suite's own module, and the worker that goes with it. */
export async function nativeOptions() {
  const folder = '../../../build/tests/';
  const load = async (name) =>
    (await import(`${folder}${name}${inPage ? '' : '.node'}.mjs`)).default;
  return {
    module: await load('native'),
    ...(tier === 'shared' ? {} : { soloModule: await load('native-solo') }),
    worker: () => new Worker(helperUrl('native-worker'), { type: 'module' }),
  };
}

/** The realm of the main thread. */
export async function mainRealm() {
  await Main.ready;
  const job = Main.launch(() => {});
  await job.join();
  return job.owner.realm;
}

/** What the core of a channel has given out, without the caches of threads. */
export const memoryUsed = (channel) => channel.target.realm.module._cw_memory_used();

/** The error that a promise is rejected with; fails if it is not. */
export async function failure(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got the value ${String(value)}`);
}

/** The error that a call throws; fails if it does not. */
export function thrown(call) {
  let value;
  try {
    value = call();
  } catch (error) {
    return error;
  }
  throw new Error(`expected an error, got the value ${String(value)}`);
}

/**
 * Calls `body` and gives the errors that the host showed as uncaught until it
 * was over, which then count for nothing else. `next()` waits for another one.
 */
export async function uncaught(body) {
  const errors = [];
  const waiting = [];
  const note = (error) => {
    errors.push(error);
    waiting.shift()?.(error);
  };
  const next = () => new Promise((resolve) => waiting.push(resolve));
  const stop = inPage ? noteInPage(note) : noteInNode(note);
  try {
    await body(next);
  } finally {
    stop();
  }
  return errors;
}

function noteInPage(note) {
  const listen = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    note(event.error ?? event.reason);
  };
  addEventListener('error', listen, true);
  addEventListener('unhandledrejection', listen, true);
  return () => {
    removeEventListener('error', listen, true);
    removeEventListener('unhandledrejection', listen, true);
  };
}

// The test runner listens, too, and would take the error for the test's.
function noteInNode(note) {
  const kinds = ['uncaughtException', 'unhandledRejection'];
  const before = kinds.map((kind) => process.listeners(kind));
  for (const kind of kinds) {
    process.removeAllListeners(kind);
    process.on(kind, note);
  }
  return () => {
    kinds.forEach((kind, index) => {
      process.removeAllListeners(kind);
      for (const listener of before[index]) process.on(kind, listener);
    });
  };
}

/** Lets so many turns of the event loop pass. */
export async function turns(count = 1) {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Lets so many turns of the queue of microtasks pass. */
export async function hop(count) {
  for (let i = 0; i < count; i++) await undefined;
}

/** Waits until something is true; for states that have no event. */
export async function until(condition) {
  while (!condition()) await turns();
}

/** Seen in 2.50: what it clones is no shared memory any more. */
const copiesShared = inPage && tier === 'isolated' && Object.hasOwn(new Error(), 'sourceURL');

/** Makes garbage: engines may wait for some before they collect what nobody refers to. */
export function litter() {
  return Array.from({ length: 100_000 }, (_, index) => ({ index })).length;
}

/** Cells of shared memory that tasks get by reference. */
export function cells(context, length = 8) {
  if (copiesShared) {
    globalThis.harness.skipTest('WebKit copies shared memory on its way to a worker');
  }
  if (tier === 'isolated') return new Int32Array(new SharedArrayBuffer(length * 4));
  return context.allocate(Int32Array, length);
}

/** Cells for C: a core of its own has no others than those at 0. */
export const addressOf = (array) => (tier === 'isolated' ? 0 : array.byteOffset);

/** Waits until tasks have noted in cells that they have begun. */
export const begun = (array, index = 0, count = 1) =>
  until(() => Atomics.load(array, index) >= count);

/** Gives cells back. */
export function free(context, array) {
  if (tier !== 'isolated') context.free(array);
}

/** Numbers that look random and are the same for the same seed. */
export function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
