// What the host and its pages refuse of what comes over the line between two of them:
// messages, frames that the core finds in order, and what is in their payloads.

import { afterEach, beforeEach, describe, it } from 'node:test';
import { assert } from 'chai';
import { stream } from 'coworker';
import * as layout from '../../dist/layout.gen.js';
import { Pool, encode, mail, put, refusals, stateOf, take, until } from './forging.js';

// As tabs-mailbox.ts has them.
const [BESIDE, NUMBER, PAYLOAD, STATE, QUOTA] = [256, 257, 258, 259, 260];
const { WIRE_SUBMIT: SUBMIT, WIRE_CANCEL: CANCEL } = layout;
const error = { kind: 'error', name: 'Error', message: 'enough' };

let pool;
let host;
let client;
/** A page that has gone wrong. */
let rogue;

beforeEach(async () => {
  pool = new Pool();
  host = await pool.open();
  client = await pool.open();
  rogue = await pool.open();
});

afterEach(() => pool.close());

const refused = (page) => page.stats().refused;

/** Sees to it that all is as it was, and that so much was refused. */
async function changesNothing(page, count, say) {
  await Promise.all([host, client, rogue].map((one) => one.async('add', 1, 1)));
  const states = [host, client, rogue].map(stateOf);
  const before = refused(page);
  await say();
  await until(() => refused(page) >= before + count);
  for (const one of [host, client, rogue]) assert.equal(await one.async('add', 1, 2), 3);
  assert.deepEqual([host, client, rogue].map(stateOf), states);
  assert.equal(refused(page), before + count);
}

/** Says frames as a page, or as its host. */
const say = (to, frames, beside) => rogue.line.say(to, mail(rogue.line, to, frames, beside));

/** Since it has heard the host, so that its jobs do not count as begun when they are sent. */
const isLongAgo = () => (rogue.seat.crew.place.mailbox.heardAt = -Infinity);

/** The number of a job that the rogue has not submitted. */
const next = () => rogue.seat.crew.place.errands.last + 1000;

/** A task's frame, and what it was told that its job ended with. */
const submit = (task, payload, more) => ({
  ...{ kind: SUBMIT, job: next(), a: host.seat.office.hosting.tasks.indexOf(task), payload },
  ...more,
});
const settled = () =>
  rogue.line.heard.guest
    .flatMap(({ batch }) => take(batch).frames)
    .filter(({ kind, job }) => kind === layout.WIRE_SETTLED && job >= 1000);

/** Waits until a task says so of a job. */
function news(name, type = 'begun') {
  const channel = new BroadcastChannel('tabs-test');
  return new Promise((resolve) => {
    channel.onmessage = ({ data }) => {
      if (data.id !== name || data.type !== type) return;
      channel.close();
      resolve();
    };
  });
}

for (const to of ['host', 'guest']) {
  describe(`the ${to === 'host' ? 'host' : 'page'} refuses`, () => {
    const page = () => (to === 'host' ? host : rogue);
    const back = to === 'host' ? 'guest' : 'host';

    it('what is no message', async () => {
      const shared = new SharedArrayBuffer(96);
      const none = [undefined, null, 7, 'text', {}, [], { batch: 'text' }, { batch: shared }];
      const large = [{ batch: new ArrayBuffer(layout.WIRE_MOST_BATCH + 8), beside: [] }];
      const all = [...none, ...large, { batch: new ArrayBuffer(96), beside: 7 }];
      const say = () => all.forEach((one) => rogue.line.say(to, one));
      await changesNothing(page(), all.length, say);
    });

    it('batches of other connections and epochs, and says so', async () => {
      const spoil = (at) => {
        const one = mail(rogue.line, to, [{ kind: to === 'host' ? 1 : layout.WIRE_RESIGN }]);
        new Uint8Array(one.batch)[at]++;
        return one;
      };
      const all = [0, 4, 8, 16, 24, 39, 44].map(spoil);
      await changesNothing(page(), all.length, () => all.forEach((one) => rogue.line.say(to, one)));
      const answers = refusals(rogue.line, back).filter(({ job }) => job === 0);
      assert.isAtLeast(answers.length, 2);
    });

    it('what another page was sent', async () => {
      await client.async('add', 5, 5);
      const all = client.line.heard[to].map((one) => structuredClone(one));
      await changesNothing(page(), all.length, () => all.forEach((one) => rogue.line.say(to, one)));
    });

    it('more or fewer values than a batch says', async () => {
      const kind = to === 'host' ? SUBMIT : layout.WIRE_ITEM;
      const frame = { kind, job: next(), flags: layout.WIRE_BESIDE };
      await changesNothing(page(), 2, () => {
        say(to, [frame], []);
        say(to, [frame], [1, 2]);
      });
      const whys = refusals(rogue.line, back).map(({ why }) => why);
      assert.deepEqual(whys, [BESIDE, BESIDE]);
    });

    it('frames about jobs that there never were', async () => {
      const kinds =
        to === 'host'
          ? [CANCEL, layout.WIRE_PROGRESS_ON, layout.WIRE_GO]
          : [layout.WIRE_BEGUN, layout.WIRE_ITEM, layout.WIRE_PROGRESS, layout.WIRE_SETTLED];
      const frames = kinds.map((kind) => ({ kind, job: next() }));
      await changesNothing(page(), frames.length, () => say(to, frames));
      const whys = refusals(rogue.line, back).map(({ why, kind }) => [why, kind]);
      assert.deepEqual(
        whys,
        kinds.map((kind) => [NUMBER, kind]),
      );
    });

    it('to take what means nothing for a sign of life', async () => {
      if (to === 'host') return;
      await changesNothing(rogue, 1, async () => {
        const { heardAt } = rogue.seat.crew;
        const before = refused(rogue);
        rogue.line.say('guest', { batch: new ArrayBuffer(8), beside: [] });
        await until(() => refused(rogue) > before);
        assert.equal(rogue.seat.crew.heardAt, heardAt);
      });
    });
  });
}

describe('the host refuses of a page', () => {
  it('a job once more that it had', async () => {
    const begun = [];
    const channel = new BroadcastChannel('tabs-test');
    channel.onmessage = ({ data }) => begun.push(data.id);
    assert.equal(await rogue.async('work', 'once', 0), 'once');
    const [again] = rogue.line.heard.host.filter(
      ({ batch }) => take(batch).frames[0].kind === SUBMIT,
    );
    await changesNothing(host, 1, () => rogue.line.say('host', structuredClone(again)));
    assert.include(refusals(rogue.line, 'guest')[0], { why: NUMBER, kind: SUBMIT });
    assert.deepEqual(begun, ['once']);
    channel.close();
  });

  it('luggage that is none', async () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(8));
    const none = { args: undefined, bytes: undefined, inherited: undefined, isAtomic: false };
    const all = [undefined, 7, {}, none, { ...none, args: 7 }, { ...none, bytes }];
    all.push({ ...none, args: [], isAtomic: 1 }, { ...none, args: [], inherited: [1] });
    all.push({ ...none, args: [], bytes: new Uint8Array(8) });
    await changesNothing(host, all.length, () => {
      for (const one of all)
        say('host', [submit('add', new Uint8Array(0), { flags: layout.WIRE_BESIDE })], [one]);
    });
    const whys = refusals(rogue.line, 'guest').map(({ why }) => why);
    assert.deepEqual(whys, Array(all.length).fill(BESIDE));
  });

  it('more jobs than it takes at a time', async () => {
    const first = next();
    const frames = Array.from({ length: 1030 }, (_, i) =>
      submit('wait', encode(rogue, [`q${i}`]), { job: first + i }),
    );
    const before = refused(host);
    say('host', frames);
    await until(() => refused(host) === before + 6);
    const whys = refusals(rogue.line, 'guest').map(({ why, job }) => [why, job]);
    assert.deepEqual(
      whys,
      Array.from({ length: 6 }, (_, i) => [QUOTA, first + 1024 + i]),
    );
    assert.equal(await client.async('add', 1, 2), 3);
  });

  it('what a job that is there does not do', async () => {
    const begins = news('state');
    const job = rogue.async('wait', 'state');
    await begins;
    const { last } = rogue.seat.crew.place.errands;
    const frames = [
      { kind: layout.WIRE_CREDIT, job: last, a: 5 },
      { kind: layout.WIRE_GO, job: last },
    ];
    await changesNothing(host, 2, () => say('host', frames));
    assert.isTrue(job.isActive);
    job.cancel();
  });

  it('a cancellation without a cause, and an unknown wish', async () => {
    const begins = news('cause');
    const job = rogue.async('wait', 'cause');
    await begins;
    const { last } = rogue.seat.crew.place.errands;
    const causes = [7, [], [true], [false, 7], [false, { error: 7, suppressed: [] }]];
    causes.push([false, { error, suppressed: 7 }], [1, { error, suppressed: [] }]);
    causes.push([false, { error: { ...error, cause: 7 }, suppressed: [] }]);
    causes.push([false, { error: { ...error, errors: 7 }, suppressed: [] }]);
    causes.push([false, { error: { ...error, extra: { a: {} } }, suppressed: [] }]);
    const frames = causes.map((one) => ({ kind: CANCEL, job: last, payload: encode(rogue, one) }));
    frames.push({ kind: CANCEL, job: last, payload: new Uint8Array([255, 255, 255, 255]) });
    frames.push({ kind: layout.WIRE_HELLO, a: 8 }, { kind: layout.WIRE_HELLO, a: 2 });
    await changesNothing(host, frames.length, () => say('host', frames));
    const whys = refusals(rogue.line, 'guest').map(({ why }) => why);
    assert.deepEqual(whys, [...causes.map(() => PAYLOAD), PAYLOAD, STATE, STATE]);
    assert.isTrue(job.isActive);
    job.cancel();
  });

  it('calls of what the task module does not export, and arguments that are none', async () => {
    const stream = 'coworker:stream';
    const frames = [
      submit(stream, encode(rogue, ['free', 1, 8])),
      submit(stream, encode(rogue, [stream, 1, 'count', 1, 5])),
      submit(stream, encode(rogue, [7, 1])),
      submit(stream, encode(rogue, ['count', 'x', 5])),
      submit(stream, encode(rogue, ['count', NaN, 5])),
      submit('add', new Uint8Array([11, 0, 0, 0x80])),
      submit('add', encode(rogue, 7)),
    ].map((frame, i) => ({ ...frame, job: frame.job + i }));
    const none = { args: [], bytes: undefined, isAtomic: false };
    const bad = new Uint8Array([255, 255, 255, 255, 1, 0, 0, 0]);
    say('host', frames);
    const beside = submit('add', new Uint8Array(0), { flags: layout.WIRE_BESIDE });
    say('host', [{ ...beside, job: beside.job + frames.length }], [{ ...none, inherited: bad }]);
    // Those that stand in line ask whether they may begin.
    await until(() => {
      const asked = rogue.line.heard.guest.flatMap(({ batch }) => take(batch).frames);
      for (const { kind, job } of asked)
        if (kind === layout.WIRE_BEGUN && job >= 1000 && !settled().some((one) => one.job === job))
          say('host', [{ kind: layout.WIRE_GO, job }]);
      return settled().length === frames.length + 1;
    });
    assert.deepEqual(
      settled().map(({ a }) => a),
      Array(frames.length + 1).fill(layout.WIRE_ERROR),
    );
    assert.equal(await client.async('add', 1, 2), 3);
  });
});

describe('a page refuses of its host', () => {
  it('a welcome that says nothing', async () => {
    const good = { tasks: ['add'], tier: 'shared', quota: 4 };
    const all = [7, {}, { ...good, tasks: 7 }, { ...good, tasks: [7] }, { ...good, tier: 'best' }];
    all.push({ ...good, quota: 0 }, { ...good, quota: 1.5 }, { ...good, quota: Infinity });
    const frames = all.map((one) => ({
      kind: layout.WIRE_WELCOME,
      payload: encode(rogue, one),
    }));
    await changesNothing(rogue, all.length, () => say('guest', frames));
  });

  it('values of what is no stream', async () => {
    const begins = news('item');
    const job = rogue.async('wait', 'item', 100);
    await begins;
    const { last } = rogue.seat.crew.place.errands;
    const payload = encode(rogue, 7);
    say('guest', [{ kind: layout.WIRE_ITEM, job: last, payload }]);
    assert.equal(await job, 'item');
    assert.equal(refused(rogue), 1);
    await until(() => refusals(rogue.line, 'host').length === 1);
    const told = { job: last, why: STATE, kind: layout.WIRE_ITEM };
    assert.deepEqual(refusals(rogue.line, 'host'), [told]);
  });

  it('ends that say nothing: the job fails, since it has ended there', async () => {
    const payloads = [7, { error: 7, suppressed: [] }, { error, suppressed: {} }];
    const bad = [...payloads.map((one) => encode(rogue, one)), new Uint8Array([31, 0, 0, 0])];
    for (const payload of bad) {
      const { last } = rogue.seat.crew.place.errands;
      const job = rogue.async('wait', 'bad end');
      await until(() => rogue.seat.crew.place.errands.last > last);
      say('guest', [{ kind: layout.WIRE_SETTLED, job: last + 1, a: layout.WIRE_ERROR, payload }]);
      assert.instanceOf(await job.catch((failure) => failure), Error);
    }
    assert.equal(refused(rogue), bad.length);
    assert.equal(await client.async('add', 1, 2), 3);
  });

  it('to believe in a later host that no lock knows', async () => {
    const { head, frames } = take(mail(rogue.line, 'guest', [{ kind: 13, a: 1 }]).batch);
    const view = new DataView(head);
    view.setUint16(6, 1, true); // an answer
    view.setBigUint64(16, 99n, true);
    const batch = put({ head, frames });
    await changesNothing(rogue, 1, () => rogue.line.say('guest', { batch, beside: [] }));
  });

  it('nothing that it is told of a job that the host does not take: that fails', async () => {
    const { last } = rogue.seat.crew.place.errands;
    const job = rogue.async('wait', 'not taken');
    await until(() => rogue.seat.crew.place.errands.last > last);
    say('guest', [{ kind: layout.WIRE_REFUSED, job: last + 1, a: QUOTA, b: SUBMIT }]);
    const failure = await job.catch((one) => one);
    assert.match(failure.message, /has refused a job/);
  });

  it('no values of a stream', async () => {
    const items = [];
    for await (const item of stream(rogue, { credit: 2 }, 'count', 20)) items.push(item);
    assert.lengthOf(items, 20);
    assert.equal(refused(rogue) + refused(host), 0);
  });
});

describe('a page that does not hear its host', () => {
  it('has nothing begun there twice, whichever host it goes to', async () => {
    const begun = [];
    const channel = new BroadcastChannel('tabs-test');
    channel.onmessage = ({ data }) => begun.push(data.id);
    const kinds = [];
    rogue.line.change = (to, { batch }) => {
      if (to === 'guest') kinds.push(...take(batch).frames.map(({ kind }) => kind));
      return [];
    };
    isLongAgo();
    const send = rogue.line.heard.host.length;
    const job = rogue.async('work', 'once', 0);
    await until(() => rogue.line.heard.host.length > send);
    rogue.line.say('host', rogue.line.heard.host.at(-1));
    await until(() => kinds.includes(layout.WIRE_BEGUN));
    assert.equal(await client.async('add', 1, 2), 3);
    // The old host is there still, and has asked whether it may begin.
    await rogue.seat.office.usurp(1);
    assert.equal(await job, 'once');
    assert.equal(await client.async('add', 1, 2), 3);
    assert.deepEqual(begun, ['once']);
    channel.close();
  });

  it('keeps no places from others', async () => {
    rogue.line.change = (to, one) => (to === 'guest' ? [] : [one]);
    for (let i = 0; i < 50; i++) rogue.async('add', i, 1).catch(() => {});
    await until(() => host.seat.office.hosting.asked.size > 0);
    assert.equal(await client.async('add', 1, 2), 3);
    assert.equal(await client.async({ idempotent: true }, 'work', 'other', 0), 'other');
  });
});
