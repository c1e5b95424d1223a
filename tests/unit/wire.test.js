// Frames for other pages, through the core's module, with threads and without:
// what is sent arrives, and whatever else arrives is refused and changes nothing.
// COWORKER_FUZZ_RUNS is the number of batches that are spoilt, COWORKER_FUZZ_SEED
// where they begin.

import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assert } from 'chai';
import * as layout from '../../dist/layout.gen.js';
import { Memory } from '../../dist/memory.js';
import { Wire } from '../../dist/wire.js';
import { random } from '../suite/helpers/contexts.js';

const RUNS = Number(process.env.COWORKER_FUZZ_RUNS ?? 100_000);
const SEED = Number(process.env.COWORKER_FUZZ_SEED ?? 1);

const TASKS = 3;
const EPOCH = 2 ** 40 + 7;
const capability = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const { WIRE_HOST: HOST, WIRE_CLIENT: CLIENT, WIRE_BAD_OK: OK } = layout;

/** The core's module alone, as no context has it. */
async function load(file, shared) {
  const { default: factory } = await import(`../../dist/${file}.node.mjs`);
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 4096, shared });
  const coworker = {};
  const wasm = fileURLToPath(new URL(`../../dist/${file}.wasm`, import.meta.url));
  const module = await factory({ coworker, wasmMemory: memory, locateFile: () => wasm });
  return { module, memory: new Memory(memory) };
}

const open = ({ module, memory }, side, options) =>
  new Wire(module, memory, { side, epoch: EPOCH, capability, tasks: TASKS, ...options });

/** A copy of a frame's payload. */
const payloadOf = ({ memory }, { at, bytes }) => memory.refresh().u8.slice(at, at + bytes);

/** All frames of a batch that was opened. */
function framesOf(core, wire) {
  const frames = [];
  for (let frame; (frame = wire.next());) {
    const { kind, flags, job, a, b } = frame;
    frames.push({ kind, flags, job, a, b, payload: [...payloadOf(core, frame)] });
  }
  return frames;
}

/** A frame that `side` may send. */
function anyFrame(pick, side) {
  const kinds =
    side === CLIENT
      ? [layout.WIRE_SUBMIT, layout.WIRE_CANCEL, layout.WIRE_CREDIT, layout.WIRE_HELLO]
      : [layout.WIRE_BEGUN, layout.WIRE_SETTLED, layout.WIRE_ITEM, layout.WIRE_WELCOME];
  const kind = kinds[pick(4)];
  const bytes = [layout.WIRE_CREDIT, layout.WIRE_BEGUN].includes(kind) ? 0 : pick(40);
  const limits = { [layout.WIRE_SUBMIT]: TASKS, [layout.WIRE_SETTLED]: 4 };
  const withoutA = [layout.WIRE_CANCEL, layout.WIRE_ITEM].includes(kind);
  return {
    kind,
    flags: kind === layout.WIRE_SUBMIT ? pick(4) : 0,
    job: [layout.WIRE_HELLO, layout.WIRE_WELCOME].includes(kind) ? 0 : 2 ** 52 + pick(1000),
    a: withoutA ? 0 : kind in limits ? pick(limits[kind]) : 1 + pick(100),
    b: kind === layout.WIRE_SUBMIT ? pick(2 ** 31) : 0,
    payload: Array.from({ length: bytes }, () => pick(256)),
  };
}

const add = (wire, { kind, flags, job, a, b, payload }) =>
  wire.add(kind, flags, job, a, b, Uint8Array.from(payload));

/** Spoils a batch, at a few bytes and perhaps in its length. */
function spoil(pick, batch) {
  const bytes = new Uint8Array(batch);
  for (let count = 1 + pick(3); count > 0; count--) {
    const from = pick(4) === 0 ? 0 : 48; // mostly behind the head
    const at = from + pick(bytes.length - from);
    bytes[at] = [bytes[at] ^ (1 << pick(8)), pick(256), 0, 255][pick(4)];
  }
  if (pick(8) > 0) return batch;
  return pick(2) === 0 ? batch.slice(0, pick(bytes.length)) : new Uint8Array([...bytes, 0]).buffer;
}

for (const [name, file, shared] of [
  ['with threads', 'coworker', true],
  ['without threads', 'coworker-solo', false],
]) {
  describe(`frames, in a module ${name}`, () => {
    it('arrive as they were sent', async () => {
      const core = await load(file, shared);
      const pick = random(SEED);
      for (const side of [CLIENT, HOST]) {
        const sender = open(core, side);
        const receiver = open(core, CLIENT + HOST - side);
        const sent = Array.from({ length: 200 }, () => anyFrame(pick, side));
        for (const frame of sent) assert.equal(add(sender, frame), OK);
        const batch = sender.take();
        assert.equal(sender.take(), null);
        assert.equal(receiver.open(batch), OK);
        assert.deepEqual(framesOf(core, receiver), sent);
        assert.equal(receiver.epoch, EPOCH);
        assert.deepEqual(receiver.counts, {
          batches: 1,
          frames: 200,
          refused: Array(layout.WIRE_FAULT_COUNT).fill(0),
        });
        sender.close();
        receiver.close();
      }
    });

    it('may be large, and the memory may grow for them', async () => {
      const core = await load(file, shared);
      const sender = open(core, CLIENT);
      const receiver = open(core, HOST);
      const payload = new Uint8Array(layout.WIRE_MOST_PAYLOAD).fill(7);
      assert.equal(sender.add(layout.WIRE_CANCEL, 0, 1, 0, 0, payload), OK);
      assert.equal(sender.add(layout.WIRE_CANCEL, 0, 2, 0, 0, payload), layout.WIRE_BAD_BIG);
      assert.equal(receiver.open(sender.take()), OK);
      const frame = receiver.next();
      assert.equal(frame.bytes, payload.length);
      assert.isTrue(payloadOf(core, frame).every((byte) => byte === 7));
      const longer = new Uint8Array(payload.length + 1);
      assert.equal(sender.add(layout.WIRE_CANCEL, 0, 1, 0, 0, longer), layout.WIRE_BAD_PAYLOAD);
      assert.equal(receiver.open(new ArrayBuffer(2 ** 23 + 1)), layout.WIRE_BAD_BIG);
      assert.equal(receiver.counts.refused[layout.WIRE_BAD_BIG], 1);
      sender.close();
      receiver.close();
    });

    it('are not sent if they would be refused', async () => {
      const core = await load(file, shared);
      const client = open(core, CLIENT);
      const submit = (job, task) => client.add(layout.WIRE_SUBMIT, 0, job, task);
      assert.equal(submit(1, TASKS), layout.WIRE_BAD_TASK);
      for (const job of [0, -1, 2 ** 53, NaN, Infinity]) {
        assert.equal(submit(job, 0), layout.WIRE_BAD_JOB, `job ${job}`);
      }
      assert.equal(client.add(layout.WIRE_RESIGN), layout.WIRE_BAD_DIRECTION);
      assert.equal(client.add(99), layout.WIRE_BAD_KIND);
      assert.equal(client.take(), null);
      client.setTasks(TASKS + 1);
      assert.equal(submit(1, TASKS), OK);
      assert.match(client.why(layout.WIRE_BAD_TASK), /task that does not exist/);
      client.close();
      assert.throws(() => open(core, CLIENT, { capability: new Uint8Array(15) }), /15 bytes/);
    });

    it('of an old host are refused, and it learns the new epoch', async () => {
      const core = await load(file, shared);
      const oldHost = open(core, HOST);
      const client = open(core, CLIENT, { epoch: EPOCH + 1 });
      oldHost.add(layout.WIRE_BEGUN, 0, 1, 0);
      assert.equal(client.open(oldHost.take()), layout.WIRE_BAD_STALE);
      assert.equal(client.next(), null);
      assert.equal(oldHost.open(client.answer()), OK);
      assert.equal(oldHost.epoch, EPOCH + 1);
      const [{ kind, a }] = framesOf(core, oldHost);
      assert.deepEqual([kind, a], [layout.WIRE_REFUSED, layout.WIRE_BAD_STALE]);
      assert.equal(oldHost.answer(), null);
      oldHost.close();
      client.close();
    });

    it('are strings if they are short, and checked as all others', async () => {
      const core = await load(file, shared);
      const pick = random(SEED);
      const sender = open(core, CLIENT);
      const receiver = open(core, HOST);
      const kinds = new Set();
      for (let round = 0; round < 100; round++) {
        const sent = Array.from({ length: 1 + pick(12) }, () => anyFrame(pick, CLIENT));
        for (const frame of sent) assert.equal(add(sender, frame), OK);
        const batch = sender.takeShort();
        kinds.add(typeof batch);
        assert.equal(receiver.open(batch), OK);
        assert.deepEqual(framesOf(core, receiver), sent);
      }
      assert.sameMembers([...kinds], ['string', 'object']);
      assert.equal(add(sender, anyFrame(pick, CLIENT)), OK);
      const text = sender.takeShort();
      assert.equal(receiver.open(text.slice(0, -1)), layout.WIRE_BAD_SHORT);
      assert.equal(receiver.open(`${text}\0`), layout.WIRE_BAD_LONG);
      assert.equal(receiver.open(`\u0100${text.slice(1)}`), layout.WIRE_BAD_MAGIC);
      assert.equal(receiver.open('x'.repeat(2 ** 22 + 1)), layout.WIRE_BAD_BIG);
      assert.equal(receiver.next(), null);
      sender.close();
      receiver.close();
    });

    it('are nothing that is neither', async () => {
      const core = await load(file, shared);
      const host = open(core, HOST);
      for (const other of [undefined, null, 'text', { byteLength: 72 }, new Uint8Array(72)]) {
        assert.equal(host.open(other), layout.WIRE_BAD_SHORT);
      }
      assert.equal(host.counts.refused[layout.WIRE_BAD_SHORT], 5);
      host.close();
    });

    it('that are spoilt are refused as a whole, counted, and change nothing', async () => {
      const core = await load(file, shared);
      let taken = 0;
      for (const side of [CLIENT, HOST]) {
        const sender = open(core, side);
        const receiver = open(core, CLIENT + HOST - side);
        let before = receiver.counts;
        for (let run = 0; run < RUNS / 4; run++) {
          const seed = SEED + run;
          const pick = random(seed);
          for (let count = 1 + pick(4); count > 0; count--) add(sender, anyFrame(pick, side));
          const batch = spoil(pick, sender.take());
          const fault = receiver.open(batch);
          const frames = framesOf(core, receiver);
          const { batches, refused, frames: all } = receiver.counts;
          const expected = [...before.refused];
          let right;
          if (fault === OK) {
            taken++;
            // What was taken could have been sent.
            for (const frame of frames) right = add(sender, frame) === OK;
            right &&= Buffer.compare(Buffer.from(sender.take()), Buffer.from(batch)) === 0;
            right &&= batches === before.batches + 1 && all === before.frames + frames.length;
          } else {
            expected[fault]++;
            right = frames.length === 0 && batches === before.batches && all === before.frames;
          }
          right &&= refused.every((count, index) => count === expected[index]);
          if (!right) assert.fail(`COWORKER_FUZZ_SEED=${seed}: fault ${receiver.why(fault)}`);
          before = { batches, refused, frames: all };
        }
        sender.close();
        receiver.close();
      }
      // Some stay good: those whose payloads were changed, or nothing at all.
      assert.isAbove(taken, RUNS / 100);
      assert.isBelow(taken, RUNS / 4);
    });
  });
}
