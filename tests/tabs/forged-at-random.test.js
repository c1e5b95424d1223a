// Good conversations between pages, spoilt at random: COWORKER_FORGERIES (10,000) messages,
// by COWORKER_SEED. What an outsider says changes nothing. What a page says that has gone
// wrong, or its host, may change what becomes of that page's jobs, and nothing else:
// others' jobs run as ever, and nothing is thrown where nobody catches it.

import { after, describe, it } from 'node:test';
import { assert } from 'chai';
import { Worker } from 'node:worker_threads';
import { stream } from 'coworker';
import * as layout from '../../dist/layout.gen.js';
import { random } from '../suite/helpers/contexts.js';
import { Broker, Pool, lines, put, stateOf, take, toText, until } from './forging.js';

const COUNT = Number(process.env.COWORKER_FORGERIES ?? 10_000);
const SEED = Number(process.env.COWORKER_SEED ?? Date.now() % 1e6);
/** Messages between two looks at what has become of all. */
const ROUND = 500;
/** So many rounds a page that has gone wrong stays. */
const STAYS = 4;
const worker = () => new Worker(new URL('./forged-worker.js', import.meta.url));

const pick = random(SEED);
const anyOf = (list) => list[pick(list.length)];
const ODD = [
  0,
  1,
  -1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 53,
  NaN,
  Infinity,
  null,
  undefined,
  '',
  'x',
  true,
];
const odd = () =>
  anyOf([...ODD, [], {}, [[[[]]]], new Map([[1, 2]]), new Uint8Array(3), 'x'.repeat(5000)]);

/** Takes the place of one part of a value. */
function spoilValue(value) {
  if (typeof value !== 'object' || value === null || pick(4) === 0) return odd();
  if (value instanceof Uint8Array) return spoilBytes(value);
  const keys = Object.keys(value);
  if (keys.length === 0) return odd();
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const key = anyOf(keys);
  if (pick(5) === 0) delete copy[key];
  else copy[key] = spoilValue(copy[key]);
  return copy;
}

function spoilBytes(bytes) {
  const copy = bytes.slice(0, pick(8) === 0 ? pick(bytes.length + 1) : bytes.length);
  for (let count = 1 + pick(3); count > 0 && copy.length > 0; count--)
    copy[pick(copy.length)] = anyOf([pick(256), 0, 255, 1 << pick(8)]);
  return copy;
}

/** One thing of a frame is another, and all that the core looks at may still be right. */
function spoilFrame(frame) {
  switch (pick(7)) {
    case 0:
      return { ...frame, kind: pick(layout.WIRE_REFUSED + 2) };
    case 1:
      return { ...frame, job: Math.max(0, frame.job + pick(7) - 3) };
    case 2:
      return { ...frame, job: anyOf([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1, frame.job + 1000]) };
    case 3:
      return { ...frame, a: anyOf([pick(8), 256 + pick(8), 2 ** 32 - 1]) };
    case 4:
      return { ...frame, flags: pick(16) };
    case 5:
      return { ...frame, b: pick(300) };
    default:
      return { ...frame, payload: spoilBytes(frame.payload) };
  }
}

function spoilMail({ batch, beside }) {
  switch (pick(12)) {
    case 0:
      return spoilValue({ batch, beside });
    case 1:
      return { batch: spoilBytes(new Uint8Array(batch)).buffer, beside };
    case 2:
      return { batch, beside: [...beside, odd()] };
    case 3:
      return { batch, beside };
    case 4:
      return { batch, beside: spoilValue(beside) };
    case 5:
      return toText(spoilBytes(new Uint8Array(batch)).buffer.slice(0, 512));
    default: {
      const { head, frames } = take(batch);
      const whole = frames.slice(0, 4);
      const at = pick(whole.length);
      if (pick(6) === 0) whole.push(whole[at]);
      else whole[at] = spoilFrame(whole[at]);
      // Mostly with as many values as there are to be.
      const values = whole
        .filter(({ flags }) => flags & layout.WIRE_BESIDE)
        .map((_, i) => beside[i] ?? odd());
      return { batch: put({ head, frames: whole }), beside: values };
    }
  }
}

/** What a page may say of the kinds of a capability that it does not have. */
function ofOutsider(mails) {
  const mail = structuredClone(anyOf(mails));
  if (pick(4) === 0) return spoilMail(mail);
  return pick(2) === 0 ? odd() : mail;
}

describe(`COWORKER_FORGERIES=${COUNT} COWORKER_SEED=${SEED}`, () => {
  const pool = new Pool({ worker });
  const news = [];
  const invitations = [];
  let host;
  let good;
  let rogue;
  const uncaught = [];
  const caught = (error) => uncaught.push(error);
  process.on('uncaughtException', caught);
  process.on('unhandledRejection', caught);

  after(async () => {
    await pool.close();
    process.off('uncaughtException', caught);
    process.off('unhandledRejection', caught);
  });

  /** Work of all kinds, whatever becomes of it. */
  function converse(page) {
    const ignore = () => {};
    page.async('add', 1, 2).catch(ignore);
    page.async({ idempotent: true }, 'echo', { list: [1, 'a', null] }).catch(ignore);
    page.async('echo', new Map([[1, new Uint8Array(4)]])).catch(ignore);
    page.async('fail', 'no good').catch(ignore);
    page.async({ onProgress: ignore }, 'tell', 3).catch(ignore);
    const job = page.async('wait');
    job.catch(ignore);
    setImmediate(() => job.cancel('enough'));
    const take = async () => {
      for await (const item of stream(page, { credit: 2 }, 'count', 5)) ignore(item);
    };
    take().catch(ignore);
  }

  /** The good page's jobs, all of which have to end as they should. */
  async function work() {
    const sums = Array.from({ length: 5 }, (_, i) => good.async('add', i, 1));
    assert.deepEqual(await Promise.all(sums), [1, 2, 3, 4, 5]);
    assert.deepEqual(await good.async('echo', new Map([[1, 2]])), new Map([[1, 2]]));
    assert.equal(await good.async('fail', 'as told').catch(String), 'RangeError: as told');
    assert.equal(await host.async({ idempotent: true }, 'add', 2, 2), 4);
  }

  /** What nobody's messages may change. */
  const lasting = (page) => {
    const { role, epoch, isConnected, hasOffice, errands } = stateOf(page);
    return { role, epoch, isConnected, hasOffice, errands };
  };

  async function openRogue() {
    rogue = await pool.open();
    converse(rogue);
    await until(() => rogue.line.heard.guest.length > 4 && rogue.line.heard.host.length > 3);
  }

  async function closeRogue() {
    pool.pages.splice(pool.pages.indexOf(rogue), 1);
    await rogue.close({ cancel: true, grace: 100 });
    const { hosting } = host.seat.office;
    await until(() => hosting.guests.size === 2);
    await work();
    await until(() => hosting.jobs.size === 0 && hosting.asked.size === 0);
    assert.isAtMost(hosting.invited.size, 2);
  }

  function forge(broker) {
    const line = lines.at(-1);
    const to = anyOf(['host', 'guest']);
    switch (pick(8)) {
      case 0:
        pool.tell(spoilValue(anyOf(news)));
        break;
      case 1:
        broker.port.postMessage(spoilValue(anyOf(invitations)));
        break;
      case 2:
        broker.port.postMessage(spoilValue(anyOf(invitations)), [new MessageChannel().port1]);
        break;
      case 3:
        good.line.say(to, ofOutsider(rogue.line.heard[to]));
        break;
      case 4:
        rogue.line.say(to, ofOutsider(good.line.heard[to]));
        break;
      default:
        line.say(to, spoilMail(structuredClone(anyOf(rogue.line.heard[to]))));
    }
  }

  // What hangs has to fail, and say its seed.
  const timeout = 60_000 + COUNT * 10;
  it('changes nothing for others', { timeout }, async () => {
    pool.channel.onmessage = ({ data }) => {
      if (news.length < 100 && typeof data?.type === 'string') news.push(data);
    };
    host = await pool.open();
    good = await pool.open();
    const before = [host, good].map(lasting);
    const { address } = good.seat.meeting;
    const seek = crypto.randomUUID();
    const capability = new Uint8Array(16);
    invitations.push({ address }, { to: address, seek, id: seek, epoch: 1, capability }, null);
    const page = good.seat.page;
    news.push({ type: 'host', epoch: 2 }, { type: 'offer', epoch: 1 });
    news.push({ type: 'yours', to: page, epoch: 1 }, { type: 'soon', to: page, seek });
    news.push({ type: 'sent', to: page, seek, invitation: seek });
    news.push({ type: 'line', to: page, seek, name: `${pool.key} ${seek}`, epoch: 1, capability });
    const broker = new Broker();
    await work();
    for (let said = 0, round = 0; said < COUNT; round++) {
      if (round % STAYS === 0) await openRogue();
      else converse(rogue);
      for (let i = 0; i < ROUND && said < COUNT; i++, said++) forge(broker);
      await work();
      assert.deepEqual([host, good].map(lasting), before);
      assert.deepEqual(uncaught, []);
      if (round % STAYS === STAYS - 1 || said >= COUNT) await closeRogue();
    }
    const refused = host.stats().refused + good.stats().refused;
    assert.isAbove(refused, COUNT / 10);
    console.log(`  ${COUNT} messages, ${refused} refused by the host and the good page`);
  });
});
