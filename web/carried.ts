/**
 * Errors of one core on their way to another: as structured clone carries them.
 *
 * @module
 */
import { decodeError, encodeError } from './codec.js';
import type { CarriedError, ErrorExtra } from './codec.js';
import { TierError } from './errors.js';
import type { Pointer } from './module.js';
import type { Realm } from './realm.js';
import { makers } from './thrown.js';

/** An error, and those that were met while it was dealt with. */
export interface Carried {
  readonly error: CarriedError;
  readonly suppressed: readonly CarriedError[];
  /** Nobody has thrown it to whoever was to get it: a trap, or one that nobody caught. */
  readonly isCrash?: boolean;
}

/** What an error of the core's was made of, if it was thrown in JavaScript, or else is read as. */
function partsOf(realm: Realm, error: Pointer, where?: ErrorExtra): CarriedError {
  const bytes = realm.module._cwb_error_payload_bytes(error);
  if (bytes === 0) return encodeError(realm.errors.read(error), where);
  return realm.reader.readOne(realm.module._cwb_error_payload(error), bytes) as CarriedError;
}

/**
 * Takes an error of the core's, which is borrowed, apart.
 * @param where - it comes from, if it does not know itself
 */
export function carry(realm: Realm, error: Pointer, where?: ErrorExtra): Carried {
  const suppressed: CarriedError[] = [];
  for (;;) {
    const other = realm.module._cw_error_suppressed(error, suppressed.length);
    if (other === 0) break;
    suppressed.push(partsOf(realm, other));
  }
  const isCrash = realm.module._cwb_error_is_crash(error) !== 0;
  return { error: partsOf(realm, error, where), suppressed, ...(isCrash && { isCrash }) };
}

/** The same for what was thrown here. */
export function carryThrown(thrown: unknown): Carried {
  return { error: encodeError(thrown), suppressed: [] };
}

/** Puts it together again. */
export function revive({ error, suppressed }: Carried): unknown {
  const value = decodeError(error, makers);
  if (suppressed.length > 0 && typeof value === 'object' && value !== null) {
    Object.assign(value, { suppressed: suppressed.map((one) => decodeError(one, makers)) });
  }
  return value;
}

/** The error for a handle on its way between cores that share nothing. */
export function handlesError(what: string): TierError {
  return new TierError(
    `coworker: ${what} holds a handle to a channel, mutex, semaphore or broadcast, which cannot ` +
      "leave its thread in tier 'isolated'; pass plain data, or use tier 'shared'",
  );
}
