/**
 * Frames for other pages: one end of a connection, whose rules are in src/wire.h.
 *
 * @module
 */
import * as layout from './layout.gen.js';
import type { Memory } from './memory.js';
import type { CoreModule, Pointer } from './module.js';

/** A frame that came. */
export interface WireFrame {
  /** `WIRE_SUBMIT` and the like. */
  readonly kind: number;
  /** `WIRE_IDEMPOTENT` and the like. */
  readonly flags: number;
  /** The number of the job, 0 for none. */
  readonly job: number;
  readonly a: number;
  readonly b: number;
  /** Where the payload is in the core's memory until the next batch is opened. */
  readonly at: Pointer;
  /** The length of the payload. */
  readonly bytes: number;
}

/** What has come over a connection; all numbers wrap at 2^32. */
export interface WireCounts {
  /** Batches that were taken, and the frames in them. */
  readonly batches: number;
  readonly frames: number;
  /** Batches that were refused: by `WIRE_BAD_SHORT` and the like. */
  readonly refused: readonly number[];
}

/** What makes an end. */
export interface WireOptions {
  /** Who is at this end: `WIRE_HOST` or `WIRE_CLIENT`. */
  readonly side: number;
  /** The epoch of the host; below 2^53. */
  readonly epoch: number;
  /** The connection's capability: 16 random bytes, the same at both ends. */
  readonly capability: Uint8Array;
  /** How many tasks exist; a task index has to be below. */
  readonly tasks: number;
}

const WORD = 2 ** 32;
/** Batches of so many bytes go as strings, of a character for each two. */
const SHORT = 512;
const none = new Uint8Array(0);

/**
 * One end of a connection. The core checks what comes and what is sent; here
 * bytes are copied in and out.
 *
 * @example
 * ```ts
 * wire.add(layout.WIRE_SUBMIT, layout.WIRE_IDEMPOTENT, job, task, 0, args);
 * port.postMessage(wire.take());
 * port.onmessage = ({ data }) => {
 *   if (wire.open(data) !== layout.WIRE_BAD_OK) {
 *     const answer = wire.answer();
 *     if (answer) port.postMessage(answer);
 *   }
 *   for (let frame; (frame = wire.next()); ) handle(frame);
 * };
 * ```
 */
export class Wire {
  private readonly module: CoreModule;
  private readonly memory: Memory;
  private wire: Pointer;

  /** @throws RangeError if there is no memory, or the capability is of another length */
  constructor(module: CoreModule, memory: Memory, options: WireOptions) {
    const { side, epoch, capability, tasks } = options;
    if (capability.length !== layout.WIRE_CAPABILITY_BYTES) {
      throw new RangeError(
        `coworker: a capability has ${capability.length} bytes; give it ${layout.WIRE_CAPABILITY_BYTES}`,
      );
    }
    this.module = module;
    this.memory = memory;
    const scratch = module._cwb_scratch(capability.length);
    if (scratch !== 0) memory.refresh().u8.set(capability, scratch);
    this.wire = scratch && module._cwb_wire_new(side, epoch, tasks);
    if (this.wire === 0) throw new RangeError('coworker: no memory left; raise `memory`');
  }

  /** Frees the core's part; nothing else may be called afterwards. */
  close(): void {
    if (this.wire !== 0) this.module._cwb_wire_free(this.wire);
    this.wire = 0;
  }

  /** From now on so many tasks exist. */
  setTasks(tasks: number): void {
    this.module._cwb_wire_set_tasks(this.wire, tasks);
  }

  // ---- sending

  /**
   * Where the payload of the next frame may be encoded, for {@link addWritten}:
   * a multiple of 8, with room for so many bytes; 0 if there is none.
   */
  room(bytes: number): Pointer {
    return this.module._cwb_wire_room(this.wire, bytes);
  }

  /**
   * Adds a frame whose payload stands where {@link room} said.
   * @returns `WIRE_BAD_OK`; `WIRE_BAD_COUNT` or `WIRE_BAD_BIG`: this batch is full,
   * {@link take} it and add the frame again; else why the other side would refuse it
   */
  addWritten(kind: number, flags: number, job: number, a: number, b: number, bytes: number) {
    return this.module._cwb_wire_add(this.wire, kind, flags, job, a, b, bytes);
  }

  /** Adds a frame with a payload that is copied; returns the same. */
  add(kind: number, flags = 0, job = 0, a = 0, b = 0, payload: Uint8Array = none): number {
    const { length } = payload;
    if (length > layout.WIRE_MOST_PAYLOAD) return layout.WIRE_BAD_PAYLOAD;
    if (length > 0) {
      const at = this.room(length);
      if (at === 0) return layout.WIRE_BAD_MEMORY;
      this.memory.refresh().u8.set(payload, at);
    }
    return this.addWritten(kind, flags, job, a, b, length);
  }

  /** The same with a payload that is copied from elsewhere in the core's memory. */
  addFrom(kind: number, flags: number, job: number, a: number, from: Pointer, bytes: number) {
    if (bytes > layout.WIRE_MOST_PAYLOAD) return layout.WIRE_BAD_PAYLOAD;
    if (bytes > 0) {
      const at = this.room(bytes);
      if (at === 0) return layout.WIRE_BAD_MEMORY;
      this.memory.refresh().u8.copyWithin(at, from, from + bytes);
    }
    return this.addWritten(kind, flags, job, a, 0, bytes);
  }

  /** The batch of all frames added since the last one, to be posted; null without any. */
  take(): ArrayBuffer | null {
    return this.taken((at, bytes) => this.copy(at, bytes));
  }

  /** The same; a short one as a string, which engines clone faster. */
  takeShort(): ArrayBuffer | string | null {
    return this.taken((at, bytes) => (bytes > SHORT ? this.copy(at, bytes) : this.text(at, bytes)));
  }

  private taken<T>(make: (at: Pointer, bytes: number) => T): T | null {
    const bytes = this.module._cwb_wire_seal(this.wire);
    if (bytes === 0) return null;
    const batch = make(this.word(layout.WIRE_OUT), bytes);
    this.module._cwb_wire_clear(this.wire);
    return batch;
  }

  // ---- receiving

  /**
   * Takes a batch that came. What is neither an ArrayBuffer nor a string counts as an
   * empty one.
   * @returns `WIRE_BAD_OK`: {@link next} gives its frames; else why it is refused
   */
  open(batch: unknown): number {
    const isText = typeof batch === 'string';
    const bytes = batch instanceof ArrayBuffer ? new Uint8Array(batch) : none;
    const length = isText ? batch.length * 2 : bytes.length;
    const at = this.module._cwb_wire_take_in(this.wire, length);
    if (at === 0) {
      return length > layout.WIRE_MOST_BATCH ? layout.WIRE_BAD_BIG : layout.WIRE_BAD_MEMORY;
    }
    const { u8 } = this.memory.refresh();
    if (!isText) u8.set(bytes, at);
    for (let i = 0, to = at; i < length / 2 && isText; i++) {
      const unit = batch.charCodeAt(i);
      u8[to++] = unit;
      u8[to++] = unit >>> 8;
    }
    return this.module._cwb_wire_open(this.wire, length);
  }

  /** The next frame of the batch; null after the last, and if it was refused. */
  next(): WireFrame | null {
    if (this.module._cwb_wire_next(this.wire) === 0) return null;
    const { u32 } = this.memory.refresh();
    const at = this.wire >>> 2;
    return {
      kind: u32[at + layout.WIRE_FRAME_KIND / 4]!,
      flags: u32[at + layout.WIRE_FRAME_FLAGS / 4]!,
      job: this.number(layout.WIRE_FRAME_JOB),
      a: u32[at + layout.WIRE_FRAME_A / 4]!,
      b: u32[at + layout.WIRE_FRAME_B / 4]!,
      at: u32[at + layout.WIRE_FRAME_PAYLOAD / 4]!,
      bytes: u32[at + layout.WIRE_FRAME_BYTES / 4]!,
    };
  }

  /** The epoch that the batch opened last is of, also if it was refused for that. */
  get epoch(): number {
    return this.number(layout.WIRE_EPOCH);
  }

  /** How many values came beside that batch, for its frames with `WIRE_BESIDE`, in order. */
  get beside(): number {
    return this.word(layout.WIRE_COUNT_BESIDE);
  }

  /** What tells the sender that the batch opened last was refused; null if nothing does. */
  answer(): ArrayBuffer | null {
    const at = this.module._cwb_wire_answer(this.wire);
    return at === 0 ? null : this.copy(at, layout.WIRE_ANSWER_BYTES);
  }

  /** What has come so far. */
  get counts(): WireCounts {
    return {
      batches: this.word(layout.WIRE_BATCHES),
      frames: this.word(layout.WIRE_FRAMES),
      refused: Array.from({ length: layout.WIRE_FAULT_COUNT }, (_, fault) =>
        this.word(layout.WIRE_REFUSALS + 4 * fault),
      ),
    };
  }

  /** What a fault means, as the end of a sentence about a batch. */
  why(fault: number): string {
    return this.memory.text(this.module._cwb_wire_why(fault));
  }

  // ---- memory

  private word(offset: number): number {
    return this.memory.word(this.wire + offset);
  }

  private number(offset: number): number {
    return this.word(offset) + this.word(offset + 4) * WORD;
  }

  private text(at: Pointer, bytes: number): string {
    const { u32 } = this.memory.refresh();
    const units = new Array<number>(bytes >>> 1);
    for (let i = 0, from = at >>> 2; i < units.length; i += 2) {
      const word = u32[from++]!;
      units[i] = word & 0xffff;
      units[i + 1] = word >>> 16;
    }
    return String.fromCharCode.apply(null, units);
  }

  private copy(at: Pointer, bytes: number): ArrayBuffer {
    const batch = new ArrayBuffer(bytes);
    new Uint8Array(batch).set(this.memory.refresh().u8.subarray(at, at + bytes));
    return batch;
  }
}
