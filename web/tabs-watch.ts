/**
 * Whether the host still answers, as long as this page needs it to. Without an answer
 * for so long that patience is over, the page takes the host's place.
 *
 * @module
 */
import type { TabsCrew } from './tabs-crew.js';

/** Looks after the host so many times before patience is over. */
const LOOKS = 4;

/** The page whose host it is. */
export interface Client {
  readonly crew: TabsCrew;
  /** It takes part, and is not host itself. */
  readonly isClient: boolean;
  /** Asks all pages for the host. */
  call(): void;
  /** Takes the host's place. */
  usurp(): void;
}

export class Watch {
  private readonly client: Client;
  private readonly patience: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lookedAt = 0;
  private askedAt = 0;

  constructor(client: Client, patience: number) {
    this.client = client;
    this.patience = patience;
  }

  /** Looks after the host from now on, until it has answered. */
  begin(): void {
    if (this.timer !== undefined || !this.client.isClient) return;
    this.lookedAt = performance.now();
    this.timer = setTimeout(this.look, this.patience / LOOKS);
  }

  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** The host was asked, or will soon be there: patience begins anew. */
  asked(): void {
    this.askedAt = performance.now();
  }

  /** It has answered. */
  answered(): void {
    this.askedAt = 0;
  }

  private readonly look = (): void => {
    this.timer = undefined;
    const { client, patience } = this;
    if (!client.isClient) return;
    const { crew } = client;
    const now = performance.now();
    // A page that was asleep itself has to ask once more.
    if (now - this.lookedAt > patience) this.askedAt = 0;
    if (crew.isConnected) {
      if (!crew.isWaiting) {
        this.askedAt = 0;
        return;
      }
      if (crew.heardAt >= this.askedAt) this.askedAt = 0;
    }
    if (this.askedAt === 0) {
      this.askedAt = now;
      if (crew.isConnected) crew.ping();
      else client.call();
    } else if (now - this.askedAt >= patience) {
      this.askedAt = now;
      client.usurp();
    } else if (!crew.isConnected) {
      client.call();
    }
    this.begin();
  };
}
