/**
 * A task that was sent to a worker with a core of its own, and what its job there is
 * launched with.
 *
 * @module
 */
import { StartError } from './errors.js';
import type { Pointer } from './module.js';
import type { Outlet } from './outlet.js';
import type { MoreWork } from './protocol.js';
import type { Realm } from './realm.js';
import type { Ticket } from './tokens.js';

/** Hears of the end of a task's job. */
interface Hears {
  answer(errand: Errand, outcome: number, data: Pointer, length: number): void;
}

/** A task that was sent here. */
export class Errand implements Ticket {
  readonly id: number;
  private readonly hears: Hears;
  readonly name: string;
  at: Pointer = 0;
  wasCancelled = false;
  /** Its job has time limits, which are those of the job that it stands for. */
  isLimited = false;
  /** Nothing has been told of it. */
  isFresh = true;
  /** The page is told when it begins, before it does. */
  tells = false;
  /** Somebody listens to its progress. */
  isHeard = false;
  /** Of a stream: where its values go. */
  outlet: Outlet | undefined;

  constructor(hears: Hears, id: number, name: string) {
    this.name = name;
    this.hears = hears;
    this.id = id;
  }

  jobEnded(outcome: number, data: Pointer, length: number): void {
    this.hears.answer(this, outcome, data, length);
  }
}

export type Limits = MoreWork['limits'][number];

/** What comes with it. */
export interface Order {
  /** Flags as of {@link WORK_ATOMIC}. */
  readonly what: number;
  /** The list of arguments, encoded: where it begins, and its length in bytes. Or else ... */
  readonly words: Int32Array;
  readonly at: number;
  readonly length: number;
  /** ... the list itself. */
  readonly value: unknown;
  readonly inherited: Uint8Array | undefined;
  readonly limits: Limits | undefined;
}

export const noRoom = () =>
  new StartError('out-of-memory', 'coworker: no memory left; raise `memory`');

/** The core's elements for values that a job inherits, and time limits: owned, 0 for none. */
export function elementsFor(
  realm: Realm,
  inherited: Uint8Array | undefined,
  limits: Limits | undefined,
): Pointer {
  const set = inherited ? valuesOf(realm, inherited) : 0;
  if (!limits) return set;
  const { module } = realm;
  const [, timeout, deadline] = limits;
  const made = module._cwb_elements_terms(set, timeout, Math.ceil(deadline), 0, -1);
  if (set !== 0) module._cw_elements_release(set);
  if (made === 0) throw noRoom();
  return made;
}

function valuesOf(realm: Realm, inherited: Uint8Array): Pointer {
  const { module } = realm;
  const view = new DataView(inherited.buffer, inherited.byteOffset, inherited.byteLength);
  let set: Pointer = 0;
  for (let at = 0; at < inherited.length;) {
    const [name, value] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    at += 8;
    realm.writeBytes(inherited.subarray(at, (at += name)));
    const key = module._cwb_key(name);
    realm.writeBytes(inherited.subarray(at, (at += value)));
    const next = module._cwb_elements_value(set, key, value);
    if (set !== 0) module._cw_elements_release(set);
    set = next;
  }
  return set;
}
