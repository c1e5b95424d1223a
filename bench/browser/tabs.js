// A page that shares a pool with others: `bench/tabs.mjs` calls these functions.

import { newSharedWorkerContext } from '../../dist/tabs.js';
import { batch, oneAtATime } from '../comparison.js';
import { rawMessages } from '../raw.js';
import { median, takeTurns } from '../rounds.js';

const WORKERS = 2;
/** Longer than any measurement. */
const KEPT_MS = 60_000;

let context;

async function open(name) {
  context = await newSharedWorkerContext(WORKERS, name, {
    worker: () =>
      new Worker(new URL('../tasks/tabs.worker.js', import.meta.url), { type: 'module' }),
    patience: 60_000, // a busy machine is no frozen page
  });
  await context.ready;
}

const coworker = { name: 'coworker', call: (a, b) => context.async('add', a, b) };

/** A port to another page, which does the same. */
function meet() {
  const { port } = new SharedWorker(new URL('./introduce.js', import.meta.url), { type: 'module' });
  return new Promise((resolve) => {
    port.onmessage = ({ ports }) => resolve(ports[0]);
  });
}

/** Answers another page's messages, as a worker would its own page's. */
async function answer() {
  const port = await meet();
  port.onmessage = ({ data: { id, a, b } }) => port.postMessage({ id, result: a + b });
}

let raw;

async function ask() {
  raw = { ...(await rawMessages(meet)), name: 'raw MessagePort' };
}

/** Thousands of tasks per second, many at a time. */
async function many(options) {
  const { coworker: ms, ...peers } = await takeTurns(
    { coworker: batch(coworker), 'raw MessagePort': batch(raw) },
    options,
  );
  const rate = (samples) => 1000 / median(samples);
  return { coworker: rate(ms), 'raw MessagePort': rate(peers['raw MessagePort']) };
}

// ---- losing the host

/** Holds a lock as long as the page lives: so others see when it is gone. */
function live(name) {
  return new Promise((resolve) => {
    void navigator.locks.request(name, () => {
      resolve();
      return new Promise(() => {});
    });
  });
}

const lost = {};

/** Keeps both workers; fulfilled once they have begun. */
function keep() {
  const begun = Array.from(
    { length: WORKERS },
    () =>
      new Promise((resolve) => {
        context.async({ onProgress: resolve }, 'keep', KEPT_MS).catch(() => {});
      }),
  );
  return Promise.all(begun).then(() => {});
}

/** Launches what has to wait for them, and notes when the first of it is done. */
function wait(name) {
  lost.done = context.async({ idempotent: true }, 'add', 1, 2).then(() => Date.now());
  lost.free = navigator.locks.request(name, { mode: 'shared' }, () => Date.now());
  lost.host = Promise.race([
    new Promise((resolve) => {
      context.addEventListener('rolechange', () => resolve(Date.now()), { once: true });
    }),
    lost.done.then(() => undefined),
  ]);
}

const outcome = async () => ({
  free: await lost.free,
  host: await lost.host,
  done: await lost.done,
});

globalThis.bench = {
  open,
  answer,
  ask,
  one: (where, options) =>
    oneAtATime(where, [coworker, raw], { raw: 'raw MessagePort', toRaw: 1.3 }, options),
  many,
  live,
  keep,
  wait,
  outcome,
};
