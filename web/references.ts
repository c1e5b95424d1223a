/**
 * How values refer to objects of the core's. The modules of such objects put in
 * here what the codec and the realms need of them, so that a page without them
 * loads none.
 *
 * @module
 */
import type { JobRealm } from './job-end.js';
import type { LaunchRealm } from './launch.js';
import type { Pointer } from './module.js';

/** An object: what kind it is of, and its address. */
export interface Reference {
  readonly kind: number;
  readonly at: Pointer;
}

/** The method that tells what a handle refers to, for the codec of a realm. */
export const refer = Symbol('coworker.refer');

/** An object that has it. */
export interface Referable {
  [refer]?(realm: unknown): Reference;
}

/**
 * What is encoded in place of a value that travels by structured clone: the
 * parcel with it, or a list of that and the handles in it, which cannot be cloned.
 */
export type Sent = string | [parcel: string, ...handles: unknown[]];

/** What there is when handles are. */
export interface HandleSupport {
  /** Makes a handle. */
  read(realm: LaunchRealm, kind: number, at: Pointer): unknown;
  /** As that of the realm, for values with handles in them: see {@link Sent}. */
  deposit(realm: LaunchRealm, value: unknown, transfer: readonly Transferable[]): Sent;
  /** Fetches what this has stored. */
  claim(realm: JobRealm, sent: Sent, take: (value: unknown) => void): void;
  /** Forgets an element of a channel that nobody reads. */
  discard?(realm: LaunchRealm, element: Pointer): void;
  /** The thread ends: gives back what its handles refer to. */
  end(): void;
}

/** Is filled in by handle.ts. */
export const support: { handles?: HandleSupport } = {};
