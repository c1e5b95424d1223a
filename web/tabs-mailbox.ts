/**
 * One end of the connection between two pages: batches of frames out of and into the
 * core, which checks them, with the values beside them.
 *
 * @module
 */
import { Reader as Values } from './codec.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { Runtime } from './runtime.js';
import { openMail } from './tabs-line.js';
import type { Introduction } from './tabs-meeting.js';
import { Wire } from './wire.js';
import type { WireFrame } from './wire.js';

/** Why a frame is refused that is well-formed: what both sides add to the core's reasons. */
export const REFUSED = {
  /** What came beside it is not what its kind has. */
  beside: 256,
  /** Its job's number was used before, or never. */
  number: 257,
  /** Its payload is not what its kind has. */
  payload: 258,
  /** Its job does nothing that this could be about. */
  state: 259,
  /** There are as many jobs of its page as the host takes. */
  quota: 260,
} as const;

/** What a frame is sent with; nothing else is zero. */
export interface Content {
  readonly flags?: number;
  readonly job?: number;
  readonly a?: number;
  readonly b?: number;
  readonly bytes?: Uint8Array | undefined;
}

/** Who reads what comes. */
export interface Reader {
  /** @param value - what came beside it, if it says so */
  read(frame: WireFrame, value: unknown): void;
  /** What came was refused: it has another epoch than this end. */
  isOutdated(epoch: number): void;
}

export class Mailbox {
  readonly wire: Wire;
  /** For what came: it must not refer to memory or handles of this page. */
  readonly foreign: Values;
  private readonly introduction: Introduction;
  private readonly reader: Reader;
  private beside: unknown[] = [];
  private moved: Transferable[] = [];
  private isOpen = true;
  /** Batches that came with more or fewer values than they say, and frames that nobody can read. */
  private unmatched = 0;
  /** When something came last. */
  heardAt = performance.now();

  constructor(
    runtime: Runtime,
    introduction: Introduction,
    side: number,
    tasks: number,
    reader: Reader,
  ) {
    const { epoch, capability, line } = introduction;
    this.introduction = introduction;
    this.reader = reader;
    this.foreign = new Values(() => runtime.memory.refresh());
    this.foreign.isForeign = true;
    this.wire = new Wire(runtime.module, runtime.memory, { side, epoch, capability, tasks });
    line.listen((data) => {
      if (!this.isOpen) return;
      this.heard(data);
      runtime.pumpNow();
    });
  }

  get epoch(): number {
    return this.introduction.epoch;
  }

  /** Batches that were refused. */
  get refused(): number {
    return this.isOpen
      ? this.unmatched + this.wire.counts.refused.reduce((sum, count) => sum + count, 0)
      : this.unmatched;
  }

  // ---- sending

  /** Adds a frame to what is sent next. */
  add(kind: number, { flags = 0, job = 0, a = 0, b = 0, bytes }: Content = {}): void {
    this.put(() => this.wire.add(kind, flags, job, a, b, bytes));
  }

  /** The same with a payload that is in the core's memory. */
  addFrom(kind: number, { flags = 0, job = 0, a = 0 }: Content, at: Pointer, length: number): void {
    this.put(() => this.wire.addFrom(kind, flags, job, a, at, length));
  }

  private put(add: () => number): void {
    if (!this.isOpen) return;
    let fault = add();
    if (fault === layout.WIRE_BAD_COUNT || fault === layout.WIRE_BAD_BIG) {
      this.flush();
      fault = add();
    }
    if (fault === layout.WIRE_BAD_OK) return;
    const why = this.wire.why(fault);
    throw new RangeError(`coworker: a frame cannot be sent to another page: ${why}`);
  }

  /** The same with a value that structured clone carries. */
  addBeside(
    kind: number,
    content: Content,
    value: unknown,
    transfer: readonly Transferable[] = [],
  ): void {
    if (!this.isOpen) return;
    this.add(kind, { ...content, flags: (content.flags ?? 0) | layout.WIRE_BESIDE });
    this.beside.push(value);
    this.moved.push(...transfer);
  }

  /** Sends what has come together. */
  flush(): void {
    if (!this.isOpen) return;
    const batch = this.wire.takeShort();
    if (!batch) return;
    const { beside, moved } = this;
    this.beside = [];
    this.moved = [];
    this.introduction.line.post({ batch, beside }, moved);
  }

  // ---- receiving

  private heard(data: unknown): void {
    const { wire } = this;
    const { batch, beside } = openMail(data);
    const fault = wire.open(batch);
    if (fault !== layout.WIRE_BAD_OK) {
      const answer = wire.answer();
      if (answer) this.introduction.line.post({ batch: answer, beside: [] }, []);
      return;
    }
    this.heardAt = performance.now();
    if (wire.epoch !== this.epoch) {
      this.reader.isOutdated(wire.epoch); // an answer from somebody who knows better
      return;
    }
    if (wire.beside !== beside.length) {
      this.refuse(undefined, REFUSED.beside);
      return;
    }
    let next = 0;
    for (let frame; this.isOpen && (frame = wire.next());) {
      const value = frame.flags & layout.WIRE_BESIDE ? beside[next++] : undefined;
      try {
        this.reader.read(frame, value);
      } catch {
        this.refuse(frame, REFUSED.payload);
      }
    }
  }

  /** Counts a frame, or a whole batch, that changes nothing, and tells the other end. */
  refuse(frame: WireFrame | undefined, why: number): void {
    this.unmatched++;
    const { kind = 0, job = 0 } = frame ?? {};
    if (kind !== layout.WIRE_REFUSED) this.add(layout.WIRE_REFUSED, { job, a: why, b: kind });
  }

  /** Ends the connection; what has come together is sent. */
  close(): void {
    if (!this.isOpen) return;
    this.flush();
    this.unmatched = this.refused;
    this.isOpen = false;
    this.wire.close();
    this.introduction.line.close();
  }
}
