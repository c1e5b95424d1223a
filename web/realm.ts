/**
 * A realm is a JavaScript thread that the core runs on: the main one, or a
 * worker's. This is the part that both have: turns of the core on the event
 * loop, tokens for what is under way, values in and out of shared memory.
 *
 * @module
 */
import { DECLINED, DOES_NOT_FIT, Reader, Writer, decodeError, encodeError } from './codec.js';
import type { CarriedError, ErrorMaker } from './codec.js';
import {
  CancellationError,
  ContextClosedError,
  CoworkerError,
  NativeError,
  StartError,
  TimeoutCancellationError,
  WorkerCrashedError,
} from './errors.js';
import * as layout from './layout.gen.js';
import { Memory } from './memory.js';
import type { CoreModule, Host, NativeTaskReader, Pointer } from './module.js';
import type { RealmOptions } from './protocol.js';

/** What a token stands for. */
export interface Ticket {
  /** The job of this token has ended. */
  jobEnded?(outcome: number, data: Pointer, length: number, worker: Pointer): void;
  /** The operation of this token was fired. */
  opFired?(how: number): void;
}

/** How long a realm may go on by microtasks before others get a turn. */
const TURN_MS = 2;
const RECORD_BYTES = 8;

type WaitAsync = (
  array: Int32Array,
  index: number,
  value: number,
  timeout?: number,
) => { async: false; value: string } | { async: true; value: Promise<string> };

export abstract class Realm implements Host {
  module!: CoreModule;
  memory!: Memory;
  /** The core's record of this realm's worker. */
  self: Pointer = 0;
  reader!: Reader;
  /** There for a user's own module: the package's has no coroutines to call. */
  readNative: NativeTaskReader | undefined;

  /** Jobs run per turn, so that the event loop stays responsive; 0: no limit. */
  protected budget = 0;
  private writer!: Writer;
  private scratch: Pointer = 0;
  private scratchBytes = 0;
  private readonly tickets: (Ticket | undefined)[] = [];
  private readonly freeTokens: number[] = [];
  private open = 0;

  private pumping = false;
  private pumpQueued = false;
  private waiting = false;
  private waitingUntil = Infinity;
  private alarm: ReturnType<typeof setTimeout> | undefined;
  private turnBegan = 0;
  private waitAsync: WaitAsync | undefined;

  abstract run(job: Pointer, task: number, outcome: number, data: Pointer, length: number): number;
  abstract workerStart(worker: Pointer, name: Pointer): void;
  abstract workerEnd(worker: Pointer): void;
  abstract wake(worker: Pointer): void;
  /** The run loop is over: its context is closed and empty. */
  protected abstract finished(): void;
  /** The core itself failed on this thread. */
  protected abstract crashed(error: unknown): void;
  /** Calls back in a new turn of the event loop. */
  protected abstract nextTurn(callback: () => void): void;
  /** The number of open tokens has become zero, or is not zero any more. */
  protected abstract busyChanged(busy: boolean): void;

  /** Takes the module up; afterwards the realm can run. */
  protected attach(module: CoreModule, memory: WebAssembly.Memory, options: RealmOptions): void {
    this.module = module;
    this.memory = new Memory(memory);
    const heap = () => this.memory.refresh();
    this.reader = new Reader(heap);
    this.writer = new Writer(heap);
    if (!options.wakeByMessage) {
      this.waitAsync = (Atomics as unknown as { waitAsync?: WaitAsync }).waitAsync;
    }
    if (!this.growScratch(0)) {
      throw new StartError('out-of-memory', 'coworker: no shared memory left; raise `memory`');
    }
  }

  // ---- turns

  /** Runs the core in the next microtask. */
  schedulePump(): void {
    if (this.pumping || this.pumpQueued) return;
    this.pumpQueued = true;
    queueMicrotask(this.pumpNow);
  }

  /** Runs what there is to do; then sleeps, or comes back in a later turn. */
  readonly pumpNow = (): void => {
    this.pumpQueued = false;
    if (this.pumping) return;
    this.pumping = true;
    let why: number;
    try {
      why = this.module._cwb_run(this.budget);
    } catch (error) {
      this.crashed(error);
      return;
    } finally {
      this.pumping = false;
    }
    if (why === layout.RUN_SLEEP) this.sleep();
    else if (why === layout.RUN_VISIT) this.visit();
    else this.finished();
  };

  /** Lets the event loop have a turn: a small one, now and then a whole one. */
  private visit(): void {
    const now = performance.now();
    if (this.budget === 0 && now - this.turnBegan < TURN_MS) {
      this.schedulePump();
    } else {
      this.pumpQueued = true;
      this.nextTurn(this.newTurn);
    }
  }

  private readonly newTurn = (): void => {
    if (this.budget === 0) this.turnBegan = performance.now(); // see visit()
    this.pumpNow();
  };

  /**
   * Waits for the worker's word without blocking. A wait that is still under
   * way from an earlier sleep serves for this one, too; a second one would
   * stay behind for ever.
   */
  private sleep(): void {
    const ms = this.module._cwb_sleep_ms();
    const until = ms < 0 ? Infinity : performance.now() + ms;
    if (this.waitAsync && !this.waiting) {
      const index = (this.self + layout.WORKER_WORD) >>> 2;
      const wait = this.waitAsync.call(Atomics, this.memory.i32, index, 0, ms < 0 ? Infinity : ms);
      if (!wait.async) {
        this.schedulePump();
        return;
      }
      this.waiting = true;
      this.waitingUntil = until;
      void wait.value.then(this.woken);
      return;
    }
    if (until < this.waitingUntil || (!this.waitAsync && until !== Infinity)) {
      clearTimeout(this.alarm);
      this.alarm = setTimeout(this.newTurn, Math.max(0, ms));
    }
  }

  private readonly woken = (): void => {
    this.waiting = false;
    this.waitingUntil = Infinity;
    this.newTurn();
  };

  // ---- tokens

  /** Takes a token for something that will come back to this realm. */
  takeToken(ticket: Ticket): number {
    if (this.open++ === 0) this.busyChanged(true);
    const token = this.freeTokens.pop() ?? this.tickets.length;
    this.tickets[token] = ticket;
    return token;
  }

  /** Gives it back; the core does not know it any more. */
  dropToken(token: number): Ticket | undefined {
    const ticket = this.tickets[token];
    this.tickets[token] = undefined;
    this.freeTokens.push(token);
    if (--this.open === 0) this.busyChanged(false);
    return ticket;
  }

  /** All that is under way. */
  protected *openTickets(): Iterable<[number, Ticket]> {
    for (let token = 0; token < this.tickets.length; token++) {
      const ticket = this.tickets[token];
      if (ticket) yield [token, ticket];
    }
  }

  jobEnded(token: number, outcome: number, data: Pointer, length: number, worker: Pointer): void {
    this.dropToken(token)?.jobEnded?.(outcome, data, length, worker);
  }

  opFired(token: number, how: number): void {
    this.dropToken(token)?.opFired?.(how);
  }

  // ---- values

  /** Room in the scratch buffer for at least so many bytes. */
  private growScratch(bytes: number): boolean {
    const size = Math.max(bytes, 16 * 1024);
    const at = this.module._cwb_scratch(size);
    if (at === 0) return false;
    this.scratch = at;
    this.scratchBytes = size;
    return true;
  }

  /**
   * Encodes an argument list into the scratch buffer.
   * @returns the number of bytes, or -1 if it takes structured clone
   */
  encodeList(values: readonly unknown[]): number {
    let length = this.writer.write(values, this.scratch, this.scratchBytes);
    if (length === DOES_NOT_FIT) {
      if (!this.growScratch(this.writer.needed)) return -1;
      length = this.writer.write(values, this.scratch, this.scratchBytes);
    }
    return length === DECLINED ? -1 : length;
  }

  /** The same for a single value. */
  encodeOne(value: unknown): number {
    let length = this.writer.writeOne(value, this.scratch, this.scratchBytes);
    if (length === DOES_NOT_FIT) {
      if (!this.growScratch(this.writer.needed)) return -1;
      length = this.writer.writeOne(value, this.scratch, this.scratchBytes);
    }
    return length === DECLINED ? -1 : length;
  }

  /** Puts raw bytes into the scratch buffer. */
  writeBytes(bytes: Uint8Array): void {
    if (bytes.length > this.scratchBytes && !this.growScratch(bytes.length)) {
      throw new RangeError('coworker: out of shared memory; raise the `memory` option');
    }
    this.memory.refresh().u8.set(bytes, this.scratch);
  }

  /** Where the scratch buffer is, for reading what a call left there. */
  get scratchAt(): Pointer {
    return this.scratch;
  }

  /** Puts a thrown value into the scratch buffer as an error record. */
  writeError(thrown: unknown, extra?: { task?: string; worker?: string }): void {
    const carried = encodeError(thrown, extra);
    const text =
      carried.kind === 'error' ? `${carried.name}: ${carried.message}` : String(carried.value);
    const message = Memory.encode(text.slice(0, 500));
    const payloadAt = RECORD_BYTES + ((message.length + 8) & ~7);
    let payload: number;
    for (;;) {
      payload = this.writer.writeOne(
        carried,
        this.scratch + payloadAt,
        this.scratchBytes - payloadAt,
      );
      if (payload !== DOES_NOT_FIT) break;
      if (!this.growScratch(payloadAt + this.writer.needed)) break;
    }
    const { u8, u32 } = this.memory.refresh();
    u32[this.scratch >>> 2] = message.length + 1;
    u32[(this.scratch >>> 2) + 1] = Math.max(payload, 0);
    u8.set(message, this.scratch + RECORD_BYTES);
    u8[this.scratch + RECORD_BYTES + message.length] = 0;
  }

  /** The JavaScript form of an error of the core's. Does not take it over. */
  readError(error: Pointer): unknown {
    const { module } = this;
    const code = module._cw_error_code(error);
    const bytes = module._cwb_error_payload_bytes(error);
    if (bytes > 0) {
      const at = module._cwb_error_payload(error);
      const value = decodeError(this.reader.readOne(at, bytes) as CarriedError, ownErrors);
      if (code !== layout.CW_ECANCELED) return value;
      const why = value instanceof Error ? value.message : String(value);
      return new CancellationError(`the job was cancelled: ${why}`, { cause: value });
    }
    const message = this.memory.text(module._cw_error_message(error));
    const cause = module._cw_error_cause(error);
    if (code === layout.CW_ECANCELED) {
      if (cause === 0) return new CancellationError();
      if (module._cw_error_code(cause) === layout.CW_ETIMEDOUT) {
        return new TimeoutCancellationError('the job was cancelled: its timeout ran out');
      }
      const inner = this.readError(cause);
      const why = inner instanceof Error ? inner.message : String(inner);
      return new CancellationError(`the job was cancelled: ${why}`, { cause: inner });
    }
    const options = cause === 0 ? {} : { cause: this.readError(cause) };
    if (code === layout.CW_ECLOSED) return new ContextClosedError(message, options);
    let name = this.memory.text(module._cw_status_name(code));
    if (name === 'CW_E?') name += `(${code})`;
    const ErrorClass = code === layout.CW_ENOMEM ? CoworkerError : NativeError;
    return new ErrorClass(message, { ...options, code: name });
  }
}

/** The package's own errors may be causes of others. */
const ownErrors = new Map<string, ErrorMaker>([
  ['CoworkerError', (message, options) => new CoworkerError(message, options)],
  ['CancellationError', (message, options) => new CancellationError(message, options)],
  [
    'TimeoutCancellationError',
    (message, options) => new TimeoutCancellationError(message, options),
  ],
  ['ContextClosedError', (message, options) => new ContextClosedError(message, options)],
  ['NativeError', (message, options) => new NativeError(message, options)],
  ['WorkerCrashedError', (message, options) => new WorkerCrashedError(message, options)],
]);
