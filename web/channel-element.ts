/**
 * The elements of channels: values on their way.
 *
 * As long as only this thread knows a channel, the very value passes through it,
 * and the core has a token for it. Later values are encoded, or travel by
 * structured clone.
 *
 * @module
 */
import { describe } from './errors.js';
import type { LaunchRealm } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { Transfer } from './parcels.js';
import type { Ticket } from './tokens.js';
import { support } from './references.js';
import type { Sent } from './references.js';

/** How many local values there have been: each has a number of its own. */
let count = 0;

/** A value that is on its way within this thread. */
export class LocalValue implements Ticket {
  readonly value: unknown;
  private readonly realm: LaunchRealm;
  private readonly token: number;
  /** The others in the same channel. */
  private readonly siblings: Set<LocalValue>;
  /** Where others can get a copy. */
  private parcel: string | undefined;
  private isMine = false;
  private taken: (() => void) | undefined;
  private readonly number = ++count >>> 0;

  /** @param taken - is called when it is received, or dropped */
  constructor(realm: LaunchRealm, value: unknown, siblings: Set<LocalValue>, taken?: () => void) {
    this.taken = taken;
    this.realm = realm;
    this.value = value;
    this.siblings = siblings;
    this.token = realm.takeToken(this, false);
    siblings.add(this);
  }

  /** The element's head. */
  write(): number {
    this.realm.writePointer(this.number);
    return (this.token << layout.ELEMENT_LENGTH_SHIFT) | layout.ELEMENT_LOCAL;
  }

  /** Lets other threads have a copy. */
  share(): void {
    if (this.parcel !== undefined) return;
    const { realm, value, number } = this;
    const name = parcelName(realm.home, number);
    try {
      realm.deposit(contentOf(value)[0], [], name); // it may be received here
    } catch (error) {
      throw new TypeError(
        `coworker: the channel holds ${describe(value)}, which cannot be sent to a worker: ` +
          `hand the channel over before you send that. ${String(error)}`,
        { cause: error },
      );
    }
    this.parcel = name;
  }

  /** It is received here. */
  take(): unknown {
    this.isMine = true;
    this.isOver();
    return contentOf(this.value)[0];
  }

  private isOver(): void {
    const { taken } = this;
    this.taken = undefined;
    taken?.();
  }

  /** It was taken by somebody, or dropped. */
  handled(news: number): void {
    this.isOver();
    const { realm, parcel } = this;
    realm.dropToken(this.token, false);
    this.siblings.delete(this);
    if (parcel !== undefined && (this.isMine || news === layout.NEWS_DROPPED)) {
      realm.discard(parcel);
    }
  }
}

function parcelName(home: Pointer, number: number): string {
  return `element:${home}:${number}`;
}

/** A value, and what of it is to be moved. */
function contentOf(value: unknown): [unknown, readonly Transferable[]] {
  return value instanceof Transfer ? [value.value, value.list] : [value, []];
}

/**
 * Puts a value into the scratch buffer for all threads.
 * @returns the element's head
 * @throws TypeError if it cannot be sent
 */
export function writeElement(realm: LaunchRealm, value: unknown): number {
  const { references } = realm;
  let length = value instanceof Transfer ? -1 : realm.encodeOne(value, 0, references);
  let head = 0;
  if (length < 0 || length > layout.ELEMENT_MAX_BYTES) {
    let sent: Sent;
    try {
      const [content, list] = contentOf(value);
      sent = support.handles?.deposit(realm, content, list) ?? realm.deposit(content, list);
    } catch (error) {
      throw new TypeError(
        `coworker: ${describe(value)} cannot be sent to a worker. Send plain data, typed arrays, ` +
          `or whatever structured clone takes: ${String(error)}`,
        { cause: error },
      );
    }
    length = realm.encodeOne(sent, 0, references);
    head = layout.ELEMENT_PARCEL;
  }
  if (references.length > 0) head |= layout.ELEMENT_REFERS;
  return (length << layout.ELEMENT_LENGTH_SHIFT) | head;
}

/**
 * Reads an element, which is gone then. `take` is called with the value: later,
 * if it has to be fetched from another thread.
 */
export function takeElement(realm: LaunchRealm, at: Pointer, take: (value: unknown) => void): void {
  const { memory, module } = realm;
  let head = memory.word(at + layout.ELEMENT_HEAD);
  let from = at;
  if (head & layout.ELEMENT_COUNTED) {
    from = memory.word(at + layout.ELEMENT_DATA); // others read it, too
    head = memory.word(from + layout.ELEMENT_HEAD);
  }
  const kind = head & layout.ELEMENT_KIND;
  if (kind === layout.ELEMENT_LOCAL) {
    const home = memory.word(at + layout.ELEMENT_HOME);
    if (home === realm.home) {
      const token = memory.word(at + layout.ELEMENT_TOKEN);
      const value = (realm.ticketOf(token) as LocalValue).take();
      module._cwb_element_read(at);
      take(value);
    } else {
      realm.claim(parcelName(home, memory.word(at + layout.ELEMENT_NUMBER)), take);
      module._cwb_element_read(at);
    }
    return;
  }
  let value: unknown;
  try {
    value = encoded(realm, from, head);
  } finally {
    module._cwb_element_read(at);
  }
  if (head & layout.ELEMENT_PARCEL) support.handles!.claim(realm, value as Sent, take);
  else take(value);
}

function encoded(realm: LaunchRealm, at: Pointer, head: number): unknown {
  const { memory, module, reader } = realm;
  let data = at + layout.ELEMENT_DATA;
  if ((head & layout.ELEMENT_KIND) !== layout.ELEMENT_SMALL) data = memory.word(data);
  return reader.readOne(data, module._cwb_element_length(at));
}

/** The value of an element, or a promise of it if it has to be fetched. */
export function readElement<T, R = T>(
  realm: LaunchRealm,
  at: Pointer,
  wrap = (value: T) => value as unknown as R,
): R | Promise<R> {
  let result: R;
  let isThere = false;
  let later: ((result: R) => void) | undefined;
  takeElement(realm, at, (value) => {
    result = wrap(value as T);
    isThere = true;
    later?.(result);
  });
  return isThere ? result! : new Promise<R>((resolve) => (later = resolve));
}

/** Forgets the value of an element that is dropped, which comes by a parcel. */
export function discardElement(realm: LaunchRealm, at: Pointer): void {
  const sent = encoded(realm, at, realm.memory.word(at + layout.ELEMENT_HEAD)) as Sent;
  // It may still be on its way.
  realm.claim([sent].flat()[0] as string, () => {});
}
