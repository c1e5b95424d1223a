/**
 * Things by numbers that are used again: where things come and go one at a time,
 * that takes a small part of what a Map does.
 *
 * @module
 */

/** Things with numbers. */
export interface Numbered<T> extends Iterable<T> {
  /** How many there are. */
  readonly size: number;
  /** Takes one up, and gives its number. */
  add(one: T): number;
  /** The one of a number, if there is one. */
  get(number: number): T | undefined;
  /** Gives a number back that is in use. */
  delete(number: number): void;
}

/** Numbers from 0 on, each of which is used again as soon as it is free. */
export class Slots<T> implements Numbered<T> {
  private readonly all: (T | undefined)[] = [];
  private readonly free: number[] = [];

  get size(): number {
    return this.all.length - this.free.length;
  }

  add(one: T): number {
    const number = this.free.pop() ?? this.all.length;
    this.all[number] = one;
    return number;
  }

  get(number: number): T | undefined {
    return this.all[number];
  }

  delete(number: number): void {
    this.all[number] = undefined;
    this.free.push(number);
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const one of this.all) if (one !== undefined) yield one;
  }
}

const MOST_SERIAL = 0x7fffffff;

/** Whether a number of {@link Serials} was given after another one, not too long ago; 0 comes before all. */
export function isLaterSerial(number: number, before: number): boolean {
  const ahead = (number - before + MOST_SERIAL) % MOST_SERIAL;
  return number <= MOST_SERIAL && ahead > 0 && ahead < MOST_SERIAL / 2;
}

/** Numbers from 1 on, none of which is used again for a very long time. */
export class Serials<T> implements Numbered<T> {
  private readonly all = new Map<number, T>();
  private last = 0;
  private hasWrapped = false;

  get size(): number {
    return this.all.size;
  }

  add(one: T): number {
    if (this.last === MOST_SERIAL) this.hasWrapped = true;
    this.last = (this.last % MOST_SERIAL) + 1;
    this.all.set(this.last, one);
    return this.last;
  }

  get(number: number): T | undefined {
    return this.all.get(number);
  }

  delete(number: number): void {
    this.all.delete(number);
  }

  /** Whether something has had that number, or has it. */
  wasGiven(number: number): boolean {
    return number <= this.last || this.hasWrapped;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.all.values();
  }
}
