/**
 * Whoever locks, as a number: the core compares addresses only.
 *
 * @module
 */
import type { Realm } from './realm.js';

/** The owners of one thread. */
class Owners {
  private readonly objects = new WeakMap<object, number>();
  /** What cannot be collected, and is the same for the same value. */
  private readonly others = new Map<unknown, number>();

  find(owner: unknown): number | undefined {
    return this.tableFor(owner).get(owner as object);
  }

  add(owner: unknown, number: number): void {
    this.tableFor(owner).set(owner as object, number);
  }

  private tableFor(owner: unknown) {
    const isObject = (typeof owner === 'object' && owner !== null) || typeof owner === 'function';
    return isObject ? this.objects : this.others;
  }
}

const tables = new WeakMap<Realm, Owners>();

/** The number of an owner, which it keeps; 0 for undefined: no owner. */
export function ownerNumber(realm: Realm, owner: unknown): number {
  if (owner === undefined) return 0;
  let table = tables.get(realm);
  if (!table) tables.set(realm, (table = new Owners()));
  let number = table.find(owner);
  if (number === undefined) {
    number = realm.module._cwb_owner_new();
    table.add(owner, number);
  }
  return number;
}
