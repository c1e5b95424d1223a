/**
 * A stream's values on their way to another core, which takes them out of turn: as
 * many as it has credit for.
 *
 * @module
 */
import type { BaseScope } from './scope.js';
import { Semaphore } from './semaphore.js';

/** Where the values of a stream go. */
export interface Sink {
  /** Sends one, waiting for room. */
  send(value: unknown, scope: BaseScope): Promise<void>;
}

export class Outlet implements Sink {
  private readonly tell: (value: unknown) => void;
  private readonly room: Semaphore | undefined;

  /**
   * @param credit - how many values may be sent that were not taken: after the last
   * one of them the sender waits
   */
  constructor(credit: number, tell: (value: unknown) => void) {
    this.tell = tell;
    if (credit === Infinity) return;
    this.room = new Semaphore(credit, { available: credit - 1 });
  }

  send(value: unknown, scope: BaseScope): Promise<void> {
    this.tell(value);
    return this.room ? this.room.acquire(scope) : Promise.resolve();
  }

  /** One was taken. */
  taken(): void {
    this.room?.release();
  }
}
