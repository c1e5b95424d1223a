// A page of the chaos: what it is and hears goes into the ledger.

import { newSharedWorkerContext } from '../../dist/tabs.js';
import { Writer, write } from './ledger.js';

const {
  name: pool,
  page,
  patience,
  broker = 'auto',
} = Object.fromEntries(new URLSearchParams(location.search));
const own = new URL(`./chaos-worker.js?${new URLSearchParams({ page, pool })}`, import.meta.url);
const worker = () => new Worker(own, { type: 'module' });
const context = await newSharedWorkerContext(2, pool, {
  worker,
  broker,
  patience: Number(patience),
  handover: 500,
});
const told = new Writer(pool);
const tabs = { context, launched: 0, events: [], news: [] };
/** Jobs that have not settled. */
const open = new Set();

// Before anybody can use its pool.
context.addEventListener('rolechange', ({ role, epoch }) => {
  tabs.events.push({ role, epoch });
  if (role === 'host') write(pool, { type: 'reign', page, epoch });
});

/** Even ones may begin again, and each seventh is cancelled, at once or later. */
tabs.launch = () => {
  const number = tabs.launched++;
  const id = `${page}:${number}`;
  const how = { idempotent: number % 2 === 0 };
  const calls = [
    ['work', id, 5],
    ['wait', id, 10],
    ['plain', id],
    ['plain', id],
    ['wait', id, 0],
  ];
  const job = context.async(how, ...calls[number % calls.length]);
  open.add(id);
  const settle = (outcome) => {
    open.delete(id);
    const isNext = context.seat.office.isHeld;
    const { epoch } = context.stats();
    told.add({ type: 'settled', job: id, epoch, isNext, ...outcome });
  };
  job.then(
    (value) => settle({ value }),
    (error) => settle({ error: error.name }),
  );
  if (number % 7 === 0) setTimeout(() => job.cancel('enough'), number % 3 === 0 ? 0 : 30);
};

tabs.volley = (count) => {
  for (let i = 0; i < count; i++) tabs.launch();
};
tabs.isOver = () => open.size === 0 && told.isIdle;
tabs.outcomes = () => [...open].slice(0, 5);
/** Closes the context, which cancels what it has launched. */
tabs.shut = () => {
  write(pool, { type: 'closes', page });
  return context.close({ cancel: true });
};
/** Takes the place of a host that goes on until it learns that; whether that was so. */
tabs.usurp = async () => {
  await context.seat.office.usurp(context.seat.epoch);
  return context.role === 'host';
};

globalThis.tabs = tabs;
