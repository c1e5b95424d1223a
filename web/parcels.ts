/**
 * Values that shared memory does not carry travel by structured clone. The main
 * realm keeps each such parcel until the realm that needs it asks for it: which
 * worker that will be is not known before a worker takes the job.
 *
 * @module
 */

/** The main realm's store. */
export class Parcels {
  private readonly stored = new Map<string, { value: unknown; transfer: Transferable[] }>();
  private readonly wanted = new Map<string, (value: unknown, transfer: Transferable[]) => void>();

  /** Stores a parcel, or hands it over if it has been asked for. */
  deposit(parcel: string, value: unknown, transfer: Transferable[]): void {
    const take = this.wanted.get(parcel);
    if (take) {
      this.wanted.delete(parcel);
      take(value, transfer);
    } else {
      this.stored.set(parcel, { value, transfer });
    }
  }

  /** Asks for a parcel: `take` is called once it is there, perhaps at once. */
  claim(parcel: string, take: (value: unknown, transfer: Transferable[]) => void): void {
    const found = this.stored.get(parcel);
    if (found) {
      this.stored.delete(parcel);
      take(found.value, found.transfer);
    } else {
      this.wanted.set(parcel, take);
    }
  }

  /** Forgets a parcel that nobody will ask for. */
  drop(parcel: string): void {
    this.stored.delete(parcel);
    this.wanted.delete(parcel);
  }

  /** How many parcels are waiting to be asked for. */
  get size(): number {
    return this.stored.size;
  }
}

/** A value with the objects in it that are to be moved instead of copied. */
export class Transfer {
  readonly value: unknown;
  readonly list: Transferable[];
  constructor(value: unknown, list: Transferable[]) {
    this.value = value;
    this.list = list;
  }
}

/**
 * Makes a task's result move the given objects to the receiver instead of
 * copying them: `return transfer(bitmap, [bitmap])`.
 */
export function transfer<T>(value: T, list: Transferable[]): T {
  return new Transfer(value, list) as unknown as T;
}

/**
 * Takes a copy of `value` as it is now, moving what is in `list`, and finds the
 * moved objects in the copy.
 */
export function snapshot(
  value: unknown,
  list: readonly Transferable[],
): { value: unknown; transfer: Transferable[] } {
  if (list.length === 0) return { value: structuredClone(value), transfer: [] };
  const copy = structuredClone({ value, list }, { transfer: [...list] });
  return { value: copy.value, transfer: copy.list as Transferable[] };
}
