/**
 * What goes from one core to another in one message: entries of three numbers,
 * and the bytes that belong to them, one after the other.
 *
 * @module
 */

/** As it is sent. An entry's numbers: whom it is for, what it is, how many bytes. */
export interface Packed {
  readonly entries: readonly number[];
  readonly bytes: Uint8Array;
}

/** More is moved instead of copied. */
const COPIED = 4096;

/** Collects entries. */
export class Batch {
  private entries: number[] = [];
  private bytes = new Uint8Array(256);
  private used = 0;

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Adds an entry with bytes of a memory. */
  add(id: number, what: number, from?: Uint8Array, at = 0, length = 0): void {
    this.entries.push(id, what, length);
    if (length === 0) return;
    const needed = this.used + length;
    if (needed > this.bytes.length) {
      const more = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      more.set(this.bytes.subarray(0, this.used));
      this.bytes = more;
    }
    this.bytes.set(from!.subarray(at, at + length), this.used);
    this.used = needed;
  }

  /** All of it; the batch is empty afterwards. What is in `moved` is to be transferred. */
  take(moved: Transferable[]): Packed {
    const bytes = this.bytes.slice(0, this.used);
    const { entries } = this;
    this.entries = [];
    this.used = 0;
    if (bytes.length > COPIED) {
      moved.push(bytes.buffer);
      this.bytes = new Uint8Array(256);
    }
    return { entries, bytes };
  }
}

/** Calls back with each entry and its bytes. */
export function unpack(
  { entries, bytes }: Packed,
  each: (id: number, what: number, bytes: Uint8Array) => void,
): void {
  let at = 0;
  for (let i = 0; i < entries.length; i += 3) {
    const length = entries[i + 2]!;
    each(entries[i]!, entries[i + 1]!, bytes.subarray(at, at + length));
    at += length;
  }
}
