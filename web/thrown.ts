/**
 * Thrown values as errors of the core's, and back.
 *
 * What was thrown on this thread comes back as the very same object, however
 * many jobs it has passed; an error from elsewhere is one object here for as
 * long as anybody has it, and it is not followed by very many others. So errors
 * can be compared, and the core can tell whether two of them are one.
 *
 * @module
 */
import { encodeError, decodeError } from './codec.js';
import type { CarriedError, ErrorMaker } from './codec.js';
import {
  CancellationError,
  CoworkerError,
  HostLostError,
  NativeError,
  TimeoutCancellationError,
  WorkerLostError,
  describe,
  errorClasses,
} from './errors.js';
import * as layout from './layout.gen.js';
import { Memory } from './memory.js';
import type { Pointer } from './module.js';
import type { Realm } from './realm.js';

const RECORD_BYTES = 8;

/**
 * Errors from elsewhere of which a realm keeps the core's, with their stacks. Engines
 * that have little to collect do so too seldom for memory that they do not see.
 */
const MOST_KEPT = 512;

/** The object of an error from elsewhere, and the reference that it has to that. */
interface Kept {
  readonly object: WeakRef<object>;
  /** 0 once it was given back. */
  error: Pointer;
}

/** The errors of one realm. */
export class Errors {
  private readonly realm: Realm;
  /** Objects that were thrown here, for as long as the core has the errors. */
  private readonly slots: (object | undefined)[] = [];
  private readonly slotErrors: Pointer[] = [];
  private readonly freeSlots: number[] = [];
  /** The error of an object; it may have been freed if it was thrown here. */
  private readonly errors = new WeakMap<object, Pointer>();
  /** The errors from elsewhere that have objects here, the oldest first. */
  private readonly kept = new Map<Pointer, Kept>();
  private readonly registry = new FinalizationRegistry<Kept>((kept) => this.giveBack(kept));

  constructor(realm: Realm) {
    this.realm = realm;
  }

  /** The core's error for a thrown value: owned. */
  take(thrown: unknown, extra?: { task?: string; worker?: string }): Pointer {
    const { module } = this.realm;
    const isObject = typeof thrown === 'object' && thrown !== null;
    const known = isObject ? this.errors.get(thrown) : undefined;
    if (known !== undefined && module._cwb_error_revive(known)) return known;
    this.write(thrown, extra);
    const code = thrown instanceof CancellationError ? layout.CW_ECANCELED : layout.CW_EFAILED;
    const slot = isObject ? (this.freeSlots.pop() ?? this.slots.length) : -1;
    const error = module._cwb_error_new(code, slot);
    if (isObject) {
      this.slots[slot] = thrown;
      this.slotErrors[slot] = error;
      this.errors.set(thrown, error);
    }
    return error;
  }

  /** The cancellation that a cause stands for: owned, or 0 for no cause. */
  takeCause(cause: unknown): Pointer {
    if (cause === undefined) return 0;
    if (cause instanceof CancellationError) return this.take(cause);
    const why = cause instanceof Error ? cause.message : describe(cause);
    return this.take(new CancellationError(`the job was cancelled: ${why}`, { cause }));
  }

  /** What JavaScript sees of an error of the core's, which is borrowed. */
  read(error: Pointer): unknown {
    const { module } = this.realm;
    const slot = module._cwb_error_slot(error);
    let value: unknown = slot >= 0 ? this.slots[slot] : this.kept.get(error)?.object.deref();
    if (value === undefined) {
      value = this.decode(error);
      if (typeof value !== 'object' || value === null) return value;
      this.keep(error, value);
    }
    const first = module._cw_error_suppressed(error, 0);
    if (first !== 0) this.addSuppressed(value as object, error);
    return value;
  }

  /** The same for one that the caller owns, and gives back by this. */
  readOwned(error: Pointer): unknown {
    const value = this.read(error);
    this.realm.module._cw_error_release(error);
    return value;
  }

  /** The core has freed an error that was thrown here. */
  freed(slot: number): void {
    const object = this.slots[slot]!;
    this.slots[slot] = undefined;
    this.freeSlots.push(slot);
    if (this.errors.get(object) === this.slotErrors[slot]) this.errors.delete(object);
  }

  /** Has an object stand for an error from elsewhere. */
  private keep(error: Pointer, object: object): void {
    const former = this.kept.get(error);
    if (former) this.giveBack(former);
    if (this.kept.size >= MOST_KEPT) this.giveBack(this.kept.values().next().value!);
    this.realm.module._cw_error_retain(error);
    const kept = { object: new WeakRef(object), error };
    this.kept.set(error, kept);
    this.errors.set(object, error);
    this.registry.register(object, kept);
  }

  /** From then on an object that is still there stands for itself alone. */
  private giveBack(kept: Kept): void {
    const { error } = kept;
    if (error === 0) return;
    kept.error = 0;
    this.kept.delete(error);
    const object = kept.object.deref();
    if (object) this.errors.delete(object);
    if (!this.realm.isOver) this.realm.module._cw_error_release(error);
  }

  private addSuppressed(value: object, error: Pointer): void {
    const suppressed: unknown[] = [];
    for (;;) {
      const other = this.realm.module._cw_error_suppressed(error, suppressed.length);
      if (other === 0) break;
      suppressed.push(this.read(other));
    }
    Object.defineProperty(value, 'suppressed', {
      value: suppressed,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }

  /** Puts a thrown value into the scratch buffer as an error record. */
  private write(thrown: unknown, extra?: { task?: string; worker?: string }): void {
    const { realm } = this;
    const limit = thrown instanceof TimeoutCancellationError && { limit: thrown.limit };
    const carried = encodeError(thrown, limit ? { ...extra, ...limit } : extra);
    const text =
      carried.kind === 'error' ? `${carried.name}: ${carried.message}` : String(carried.value);
    const message = Memory.encode(text.slice(0, 500));
    const payloadAt = RECORD_BYTES + ((message.length + 8) & ~7);
    const payload = realm.encodeOne(carried, payloadAt);
    const { u8, u32 } = realm.memory.refresh();
    const at = realm.scratchAt;
    u32[at >>> 2] = message.length + 1;
    u32[(at >>> 2) + 1] = Math.max(payload, 0);
    u8.set(message, at + RECORD_BYTES);
    u8[at + RECORD_BYTES + message.length] = 0;
  }

  private decode(error: Pointer): unknown {
    const { module, memory, reader } = this.realm;
    const code = module._cw_error_code(error);
    const bytes = module._cwb_error_payload_bytes(error);
    if (bytes > 0) {
      const at = module._cwb_error_payload(error);
      return decodeError(reader.readOne(at, bytes) as CarriedError, makers);
    }
    const message = memory.text(module._cw_error_message(error));
    const cause = module._cw_error_cause(error);
    if (code === layout.CW_ECANCELED) {
      if (cause === 0) return new CancellationError();
      const why = module._cw_error_code(cause);
      if (why === layout.CW_ETIMEDOUT || why === layout.CW_EOVERDUE) {
        const limit = why === layout.CW_EOVERDUE ? 'deadline' : 'timeout';
        const text = memory.text(module._cw_error_message(cause));
        return new TimeoutCancellationError(`the job was cancelled: ${text}`, { limit });
      }
      if (why === layout.CW_ELOST || why === layout.CW_EHOSTLOST) {
        const text = memory.text(module._cw_error_message(cause));
        const deeper = module._cw_error_cause(cause);
        const options = deeper === 0 ? {} : { cause: this.read(deeper) };
        const ErrorClass = why === layout.CW_ELOST ? WorkerLostError : HostLostError;
        return new ErrorClass(`coworker: ${text}`, options);
      }
      const inner = this.read(cause);
      const text = inner instanceof Error ? inner.message : String(inner);
      return new CancellationError(`the job was cancelled: ${text}`, { cause: inner });
    }
    const options = cause === 0 ? {} : { cause: this.read(cause) };
    let name = memory.text(module._cw_status_name(code));
    if (name === 'CW_E?') name += `(${code})`;
    const make = makersByCode.get(name);
    if (make) return make(message, options);
    const ErrorClass = code === layout.CW_ENOMEM ? CoworkerError : NativeError;
    return new ErrorClass(message, { ...options, code: name });
  }
}

/** The package's own errors may be causes of others. */
export const makers = new Map<string, ErrorMaker>(
  Object.entries(errorClasses).map(([name, ErrorClass]) => [
    name,
    (message, options) => new ErrorClass(message, options),
  ]),
);

/** Those that the core raises itself. */
const makersByCode = new Map<string, ErrorMaker>(
  [
    'ContextClosedError',
    'QueueFullError',
    'IllegalStateError',
    'ClosedSendError',
    'ClosedReceiveError',
    'UndeliveredElementError',
    'MutexOwnerError',
    'MutexPoisonedError',
  ].map((name) => {
    const make = makers.get(name)!;
    return [(make('', {}) as Error & { code: string }).code, make];
  }),
);
