/**
 * What is under way between a realm and the core: by numbers, its tokens.
 *
 * @module
 */
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';

/** What a token stands for. */
export interface Ticket {
  /** The job of this token has ended. */
  jobEnded?(outcome: number, data: Pointer, length: number, worker: Pointer): void;
  /** What a body waits for has come to an end: with an error unless that is 0. */
  settled?(error: Pointer, data: Pointer, length: number): void;
  /** The core waits for whoever has this continuation, which is owned. */
  readonly suspended?: ((continuation: Pointer) => void) | undefined;
  /**
   * There is news for a function; it gives the token back itself. An element is
   * its to read. What it throws it returns as an owned error, else 0 or nothing.
   */
  readonly handled?:
    ((news: number, data: Pointer, token: number, element: Pointer) => unknown) | undefined;
}

/** The tokens of a realm. */
export abstract class Tokens {
  private readonly tickets: (Ticket | undefined)[] = [];
  private readonly freeTokens: number[] = [];
  private open = 0;
  /** Those that would hold the process, but must not. */
  private readonly unheld = new Set<number>();

  /** The number of open tokens has become zero, or is not zero any more. */
  protected abstract busyChanged(busy: boolean): void;

  /**
   * Takes a token for something that will come back to this realm.
   * @param holds - a Node process does not end before that
   */
  takeToken(ticket: Ticket, holds = true): number {
    if (holds && this.open++ === 0) this.busyChanged(true);
    const token = this.freeTokens.pop() ?? this.tickets.length;
    this.tickets[token] = ticket;
    return token;
  }

  /** Gives it back; the core does not know it any more. */
  dropToken(token: number, holds = true): Ticket | undefined {
    const ticket = this.tickets[token];
    this.tickets[token] = undefined;
    this.freeTokens.push(token);
    const held = !(this.unheld.size > 0 && this.unheld.delete(token)) && holds;
    if (held && --this.open === 0) this.busyChanged(false);
    return ticket;
  }

  /**
   * Forgets what a token stands for, of which the core may or may not tell
   * something later: so nothing else gets the number before that.
   */
  protected abandonToken(token: number): void {
    this.tickets[token] = {};
    if (this.unheld.has(token)) return;
    this.unheld.add(token);
    if (--this.open === 0) this.busyChanged(false);
  }

  /**
   * A token for a function that the core calls on this thread, until it drops it;
   * a Node process may end before that.
   */
  takeFunction(call: (news: number, data: Pointer, element: Pointer) => unknown): number {
    const handled: Ticket['handled'] = (news, data, token, element) => {
      if (news !== layout.NEWS_DROPPED) return call(news, data, element);
      this.dropToken(token, false);
      return 0;
    };
    return this.takeToken({ handled }, false);
  }

  /** What a token stands for, if it is one. */
  ticketOf(token: number): Ticket | undefined {
    return this.tickets[token];
  }

  /** All that is under way. */
  protected *openTickets(): Iterable<[number, Ticket]> {
    for (let token = 0; token < this.tickets.length; token++) {
      const ticket = this.tickets[token];
      if (ticket) yield [token, ticket];
    }
  }

  /** A Node process need not wait any more for what is under way now. */
  holdNoLonger(): void {
    for (const [token] of this.openTickets()) this.unheld.add(token);
    if (this.open > 0) this.busyChanged(false);
    this.open = 0;
  }
}
