/**
 * Whether a page is to take the host's place by its leave. Two ways lead there, one of them
 * over a channel that all pages can talk on, so both have to say it, in either order.
 *
 * @module
 */
export class Heir {
  /** The epoch whose host this page has asked, */
  private asked = 0;
  /** the one whose host has said to all that its place is this page's, */
  private named = 0;
  /** and the one whose host has told this page that it gives its place up. */
  private given = 0;

  asks(epoch: number): void {
    this.asked = epoch;
  }

  /** @returns false if it has not asked for that */
  isNamed(epoch: number): boolean {
    if (epoch !== this.asked) return false;
    this.named = epoch;
    return true;
  }

  isGiven(epoch: number): void {
    this.given = epoch;
  }

  /** Whether it is the next one after that host. */
  isHeirOf(epoch: number): boolean {
    return this.named === epoch && this.given === epoch;
  }
}
