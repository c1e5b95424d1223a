// What pages tell each other, in Node, in the hands of tests: they hear all of it, hold
// it back, change it, and say what no page has said. Each context stands for a page.

import { Worker } from 'node:worker_threads';
import { newSharedWorkerContext } from 'coworker/tabs';
import * as layout from '../../dist/layout.gen.js';
import '../../dist/shared-worker.js';

const worker = () => new Worker(new URL('./node-worker.js', import.meta.url));

/** Hears what comes out of a port, without keeping the process. */
function hear(port, listener) {
  port.onmessage = listener;
  port.unref();
  return port;
}

/** A port between the host and a page, with the test in the middle. */
export class Line {
  /** What went each way, copied: the last of it. */
  heard = { host: [], guest: [] };
  /** What is handed on in place of something. */
  change = (to, mail) => [mail];
  #ends;

  /** @param host - whose other end the host has; @param guest - the page */
  constructor(host, guest) {
    this.#ends = { host, guest };
    hear(host, ({ data }) => this.#pass('guest', data));
    hear(guest, ({ data }) => this.#pass('host', data));
  }

  #pass(to, data) {
    const heard = this.heard[to];
    const mail = typeof data === 'string' ? { batch: fromText(data), beside: [] } : data;
    heard.push(structuredClone(mail));
    if (heard.length > 200) heard.shift();
    for (const one of this.change(to, mail)) this.say(to, one);
  }

  /** Says something to one of the two. */
  say(to, data) {
    this.#ends[to].postMessage(data);
  }
}

/** Lines in the order in which they came about, and what the broker has said to pages. */
export const lines = [];
export const said = [];

/** The broker, on this thread: each one that is made is a connection to the same. */
export class Broker {
  constructor() {
    const { port1, port2 } = new MessageChannel();
    globalThis.onconnect({ ports: [port1] });
    port1.unref();
    const { port } = this;
    hear(port2, ({ data, ports: [given] }) => {
      said.push(data);
      if (!given) {
        port.onmessage?.({ data, ports: [] });
        return;
      }
      const own = new MessageChannel();
      lines.push(new Line(given, own.port1));
      port.onmessage?.({ data, ports: [own.port2] });
    });
    port.postMessage = (...message) => port2.postMessage(...message);
    port.close = () => port2.close();
  }

  port = {};
}

globalThis.SharedWorker = Broker;

export const keyOf = (name) => `coworker ${layout.VERSION} ${layout.ABI} ${name}`;

let names = 0;

/** Pages of one pool; the first one is host. Others have their `line`, unless they broadcast. */
export class Pool {
  name = `forged ${names++}`;
  key = keyOf(this.name);
  pages = [];
  #options;

  constructor(options = {}) {
    this.#options = options;
    this.channel = hear(new BroadcastChannel(this.key), () => {});
  }

  async open(options = {}) {
    const context = await newSharedWorkerContext(2, this.name, {
      worker,
      patience: 60_000,
      ...this.#options,
      ...options,
    });
    const before = lines.length;
    this.pages.push(context);
    await context.ready;
    context.line = lines[before];
    return context;
  }

  /** Says something to all pages. */
  tell(news) {
    this.channel.postMessage(news);
  }

  async close() {
    for (const page of this.pages.reverse()) await page.close({ cancel: true, grace: 200 });
    this.channel.close();
  }
}

/** What must not change because of what is refused. */
export function stateOf({ seat, role, ...context }) {
  const { epoch, crew, office } = seat;
  return {
    role,
    epoch,
    isConnected: crew.isConnected,
    hasOffice: office.isHeld,
    guests: office.hosting ? [...office.hosting.guests.keys()] : [],
    invited: office.hosting ? office.hosting.invited.size : 0,
    jobs: office.hosting ? office.hosting.jobs.size : 0,
    parcels: context.runtime.parcels.size,
    errands: crew.errands.size,
    hasBroker: seat.meeting.broker !== undefined,
  };
}

/** A value in the bytes that frames have. */
export function encode(context, value) {
  const { runtime } = context;
  const length = runtime.encodeOne(value);
  return runtime.memory.refresh().u8.slice(runtime.scratchAt, runtime.scratchAt + length);
}

// ---- batches

const HEAD = 48;
const FRAME = 24;

/** A batch as it goes if it is short, and nothing is beside it. */
export const toText = (batch) =>
  String.fromCharCode(...new Uint16Array(batch, 0, batch.byteLength >>> 1));
// By index: what iterates over a string takes two surrogates that happen to fit for one.
const fromText = (text) =>
  Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)).buffer;

/** A batch in parts, see src/wire.h. */
export function take(batch) {
  const view = new DataView(batch);
  const frames = [];
  for (let at = HEAD; at < batch.byteLength;) {
    const bytes = view.getUint32(at + 4, true);
    frames.push({
      kind: view.getUint8(at),
      flags: view.getUint8(at + 1),
      job: Number(view.getBigUint64(at + 8, true)),
      a: view.getUint32(at + 16, true),
      b: view.getUint32(at + 20, true),
      payload: new Uint8Array(batch.slice(at + FRAME, at + FRAME + bytes)),
    });
    at += FRAME + ((bytes + 7) & ~7);
  }
  return { head: batch.slice(0, HEAD), frames };
}

/** And put together. */
export function put({ head, frames }) {
  const size = frames.reduce((sum, { payload }) => sum + FRAME + ((payload.length + 7) & ~7), HEAD);
  const batch = new ArrayBuffer(size);
  new Uint8Array(batch).set(new Uint8Array(head));
  const view = new DataView(batch);
  view.setUint32(12, frames.length, true);
  view.setUint32(40, size, true);
  let at = HEAD;
  for (const { kind, flags, job, a, b, payload } of frames) {
    view.setUint8(at, kind);
    view.setUint8(at + 1, flags);
    view.setUint32(at + 4, payload.length, true);
    view.setBigUint64(at + 8, BigInt(job), true);
    view.setUint32(at + 16, a, true);
    view.setUint32(at + 20, b, true);
    new Uint8Array(batch).set(payload, at + FRAME);
    at += FRAME + ((payload.length + 7) & ~7);
  }
  return batch;
}

/** A message of frames as the other end of a line would send it. */
export function mail(line, to, frames, beside = []) {
  const { head } = take(line.heard[to].at(-1).batch);
  new DataView(head).setUint16(6, 0, true);
  const whole = frames.map((frame) => ({
    ...{ flags: 0, job: 0, a: 0, b: 0, payload: new Uint8Array(0) },
    ...frame,
  }));
  return { batch: put({ head, frames: whole }), beside };
}

/** What the host or the page was told of refusals. */
export function refusals(line, to) {
  return line.heard[to]
    .flatMap(({ batch }) => take(batch).frames)
    .filter(({ kind }) => kind === layout.WIRE_REFUSED)
    .map(({ job, a, b }) => ({ job, why: a, kind: b }));
}

/** Waits until something is so, one turn of messages after the other. */
export async function until(is) {
  while (!is()) await new Promise((done) => setImmediate(done));
}
