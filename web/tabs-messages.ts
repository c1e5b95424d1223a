/**
 * What pages tell each other besides frames, and what the payloads of frames hold: types,
 * and whether something that came is what it says it is. It may come from a page of
 * another version, or one that has gone wrong, so nothing of it is used before.
 *
 * @module
 */
import type { Carried } from './carried.js';
import type { CarriedError } from './codec.js';

/** What is told to all. */
export type News =
  /**
   * A page looks for the host; `address`: where a port reaches it, empty if none does.
   * All answers have the number of what they answer.
   */
  | { type: 'seek'; from: string; address: string; seek: string }
  /** There is a new host, to which everybody may come. */
  | { type: 'host'; epoch: number }
  /** The host is there, and opens its pool. */
  | { type: 'soon'; to: string; seek: string }
  /** A port was sent to a page, with this invitation. */
  | { type: 'sent'; to: string; seek: string; invitation: string }
  /** The host would rather have another page take its place. */
  | { type: 'offer'; epoch: number }
  /** A page that has asked for that may be host, after the host of this epoch. */
  | { type: 'yours'; to: string; epoch: number }
  /** A page and the host talk over the channel of this name. */
  | {
      type: 'line';
      to: string;
      seek: string;
      name: string;
      epoch: number;
      capability: Uint8Array;
    };

/** What comes with a port. */
export interface Invitation {
  /** The address of the page. */
  readonly to: string;
  readonly seek: string;
  readonly id: string;
  readonly epoch: number;
  readonly capability: Uint8Array;
}

/** What the host says of itself, with a WELCOME. */
export interface Welcome {
  /** The names of the tasks, by their indexes. */
  readonly tasks: readonly string[];
  readonly tier: string;
  /** So many jobs of this page the host takes at a time; the others wait here. */
  readonly quota: number;
}

/** What a task is sent with that takes more than its encoded arguments. */
export interface Luggage {
  /** The list of arguments, or else ... */
  readonly args: unknown;
  /** ... the same encoded. */
  readonly bytes: Uint8Array | undefined;
  readonly inherited: Uint8Array | undefined;
  /** It was cancelled, but begins. */
  readonly isAtomic: boolean;
}

/** What a CANCEL says: whether only what is below the job is meant, and why. */
export type Cause = readonly [children: boolean, cause: Carried];

export const CAPABILITY_BYTES = 16;
/** Jobs of one page that a host takes at a time, at most. */
const MOST_JOBS = 1 << 20;
/** Names of tasks are known to be shorter, and errors to have fewer levels and parts. */
const MOST_NAME = 1 << 16;
const MOST_LEVELS = 64;
const MOST_SUPPRESSED = 1 << 16;

type Fields = Record<string, unknown>;

const isFields = (one: unknown): one is Fields => typeof one === 'object' && one !== null;
const isText = (one: unknown, most = MOST_NAME): one is string =>
  typeof one === 'string' && one.length <= most;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Pages, addresses, invitations: all are random. */
export const isId = (one: unknown): one is string => typeof one === 'string' && UUID.test(one);
const isEpoch = (one: unknown): one is number => Number.isSafeInteger(one) && (one as number) > 0;
const isCapability = (one: unknown): one is Uint8Array =>
  isBytes(one) && one.length === CAPABILITY_BYTES;
/** Memory that only this page has: others cannot change it after a look. */
const isBytes = (one: unknown): one is Uint8Array =>
  one instanceof Uint8Array && one.buffer instanceof ArrayBuffer;

/** @param key - that names of lines begin with */
export function isNews(data: unknown, key: string): data is News {
  if (!isFields(data)) return false;
  const { type, from, to, address, seek, invitation, name, epoch, capability } = data;
  switch (type) {
    case 'seek':
      return isId(from) && isId(seek) && (address === '' || isId(address));
    case 'host':
    case 'offer':
      return isEpoch(epoch);
    case 'yours':
      return isId(to) && isEpoch(epoch);
    case 'soon':
      return isId(to) && isId(seek);
    case 'sent':
      return isId(to) && isId(seek) && isId(invitation);
    case 'line': {
      const isLine = isText(name) && name.startsWith(`${key} `) && isId(name.slice(key.length + 1));
      return isId(to) && isId(seek) && isLine && isEpoch(epoch) && isCapability(capability);
    }
    default:
      return false;
  }
}

export function isInvitation(data: unknown): data is Invitation {
  if (!isFields(data)) return false;
  const { to, seek, id, epoch, capability } = data;
  return isId(to) && isId(seek) && isId(id) && isEpoch(epoch) && isCapability(capability);
}

export function isWelcome(data: unknown): data is Welcome {
  if (!isFields(data)) return false;
  const { tasks, tier, quota } = data;
  const isQuota =
    Number.isInteger(quota) && (quota as number) >= 1 && (quota as number) <= MOST_JOBS;
  const isTier = tier === 'shared' || tier === 'isolated' || tier === 'inline';
  return Array.isArray(tasks) && tasks.every((one) => isText(one)) && isTier && isQuota;
}

export function isLuggage(data: unknown): data is Luggage {
  if (!isFields(data)) return false;
  const { args, bytes, inherited, isAtomic } = data;
  const hasArgs = bytes === undefined ? Array.isArray(args) : args === undefined && isBytes(bytes);
  return (
    hasArgs && (inherited === undefined || isBytes(inherited)) && typeof isAtomic === 'boolean'
  );
}

export function isCause(data: unknown): data is Cause {
  return (
    Array.isArray(data) && data.length === 2 && typeof data[0] === 'boolean' && isCarried(data[1])
  );
}

export function isCarried(data: unknown): data is Carried {
  if (!isFields(data)) return false;
  const { error, suppressed, isCrash } = data;
  return (
    isError(error, 0) &&
    Array.isArray(suppressed) &&
    suppressed.length <= MOST_SUPPRESSED &&
    suppressed.every((one) => isError(one, 0)) &&
    (isCrash === undefined || typeof isCrash === 'boolean')
  );
}

function isError(data: unknown, level: number): data is CarriedError {
  if (!isFields(data) || level > MOST_LEVELS) return false;
  if (data.kind === 'value') return true;
  const { kind, name, message, stack, code, cause, errors, extra } = data;
  const isOptional = (one: unknown) => one === undefined || typeof one === 'string';
  return (
    kind === 'error' &&
    typeof name === 'string' &&
    typeof message === 'string' &&
    isOptional(stack) &&
    (isOptional(code) || typeof code === 'number') &&
    (cause === undefined || isError(cause, level + 1)) &&
    (errors === undefined ||
      (Array.isArray(errors) && errors.every((one) => isError(one, level + 1)))) &&
    (extra === undefined || isExtra(extra))
  );
}

/** Plain values, none of which takes the place of what every error has. */
function isExtra(data: unknown): boolean {
  if (!isFields(data)) return false;
  return Object.entries(data).every(([, one]) => !isFields(one) && typeof one !== 'bigint');
}
