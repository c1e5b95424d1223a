/**
 * How pages find each other. Who seeks the host, and who is host, is told to all
 * pages by a BroadcastChannel; the port between the two goes through a SharedWorker,
 * since a BroadcastChannel carries none. Where there is no SharedWorker, or it hands
 * nothing over, they talk over a BroadcastChannel of their own.
 *
 * @module
 */
import { broadcastLine, portLine } from './tabs-line.js';
import type { Line } from './tabs-line.js';
import { CAPABILITY_BYTES, isInvitation, isNews } from './tabs-messages.js';
import type { Invitation, News } from './tabs-messages.js';

/** How pages are introduced to each other. */
export type Broker = 'auto' | 'sharedworker' | 'broadcast';

/** A host and a page get to know each other. */
export interface Introduction {
  readonly line: Line;
  readonly epoch: number;
  /** Random bytes, the same at both ends. */
  readonly capability: Uint8Array;
}

/** Hears what others tell. */
export interface Attendee {
  /** A page seeks the host: gives whether this one is, and has a pool. */
  seeks(page: string): 'ready' | 'soon' | 'no';
  /** The host's part of an introduction. */
  invite(page: string, introduction: Introduction): void;
  /** Somebody says that there is a host of this epoch. */
  hostIs(epoch: number): void;
  /** The host has answered. */
  isSoon(): void;
  /** The page's part, as somebody says who knows what it has asked. */
  meet(introduction: Introduction): void;
  /** The host of this epoch would rather not be it. */
  isOffered(epoch: number): void;
  /** Somebody says that this page is to be host after that. */
  isHeir(epoch: number): void;
  /** Whether it needs a host to be introduced to. */
  readonly isSeeking: boolean;
  /** The epoch of this page as host. */
  readonly epochOfHost: number;
}

/** So long a SharedWorker may take to hand a port over. */
const BROKER_MS = 1000;
/** So many of a page's last questions may be answered. */
const QUESTIONS = 8;

export class Meeting {
  private readonly key: string;
  private readonly page: string;
  private readonly attendee: Attendee;
  private readonly channel: BroadcastChannel;
  private broker: MessagePort | undefined;
  /** Where the broker finds this page. */
  private readonly address = crypto.randomUUID();
  /** The numbers of what this page has asked. */
  private asked: string[] = [];
  /** Messages that make no sense, or answer nothing that this page has asked. */
  refused = 0;
  private late: ReturnType<typeof setTimeout> | undefined;
  /** The last port that has come. */
  private arrived: string | undefined;
  private readonly isForced: boolean;

  constructor(key: string, page: string, how: Broker, attendee: Attendee) {
    this.key = key;
    this.page = page;
    this.attendee = attendee;
    this.isForced = how === 'sharedworker';
    this.channel = new BroadcastChannel(key);
    this.channel.onmessage = ({ data }: MessageEvent) => {
      if (isNews(data, key)) this.heard(data);
      else this.refused++;
    };
    this.channel.onmessageerror = () => this.refused++;
    (this.channel as { unref?: () => void }).unref?.();
    if (how !== 'broadcast') this.broker = this.openBroker();
  }

  /** The SharedWorker; undefined where there can be none. */
  private openBroker(): MessagePort | undefined {
    if (typeof SharedWorker !== 'function') return undefined;
    try {
      const worker = new SharedWorker(new URL('./shared-worker.js', import.meta.url), {
        type: 'module',
        name: 'coworker-broker',
      });
      worker.onerror = () => (this.broker = undefined);
      const { port } = worker;
      port.onmessage = ({ data, ports }: MessageEvent) => this.invited(data, ports);
      port.onmessageerror = () => this.refused++;
      port.postMessage({ address: this.address });
      return port;
    } catch {
      return undefined; // it is of another origin, or a policy forbids it
    }
  }

  /** A port has come, or something else. */
  private invited(data: unknown, [port]: readonly MessagePort[]): void {
    if (!port) {
      // The broker cannot do what this page has asked, so that goes another way.
      if ((data as { refused?: unknown } | null)?.refused === undefined) this.refused++;
      return;
    }
    const isMine = isInvitation(data) && data.to === this.address;
    if (!isMine) this.refused++;
    if (!isMine || !this.isAnswer(data.seek)) {
      port.close();
      return;
    }
    clearTimeout(this.late);
    const { id, epoch, capability } = data;
    this.arrived = id;
    this.attendee.meet({ line: portLine(port), epoch, capability });
  }

  /**
   * Whether this page has asked that lately. Else it is refused, unless it comes late: who
   * seeks asks several times.
   */
  private isAnswer(seek: string): boolean {
    if (!this.asked.includes(seek)) {
      this.refused++;
      return false;
    }
    return this.attendee.isSeeking;
  }

  private tell(news: News): void {
    this.channel.postMessage(news);
  }

  private heard(news: News): void {
    const { attendee } = this;
    switch (news.type) {
      case 'seek':
        this.answer(news);
        break;
      case 'host':
        attendee.hostIs(news.epoch);
        break;
      case 'offer':
        attendee.isOffered(news.epoch);
        break;
      case 'yours':
        if (news.to === this.page) attendee.isHeir(news.epoch);
        break;
      default:
        if (news.to === this.page && this.isAnswer(news.seek)) this.answered(news);
    }
  }

  private answered(news: News & { seek: string }): void {
    const { attendee } = this;
    attendee.isSoon();
    if (news.type === 'line') {
      attendee.meet({ ...news, line: broadcastLine(news.name, 'guest') });
    } else if (news.type === 'sent') {
      clearTimeout(this.late);
      // The port takes another way, and may be here already.
      if (!this.isForced && news.invitation !== this.arrived)
        this.late = setTimeout(() => this.giveUpBroker(), BROKER_MS);
    }
  }

  private answer({ from, address, seek }: News & { type: 'seek' }): void {
    const { attendee, broker } = this;
    const is = attendee.seeks(from);
    if (is === 'soon') this.tell({ type: 'soon', to: from, seek });
    if (is !== 'ready') return;
    const epoch = attendee.epochOfHost;
    const capability = crypto.getRandomValues(new Uint8Array(CAPABILITY_BYTES));
    if (address !== '' && broker) {
      const { port1, port2 } = new MessageChannel();
      attendee.invite(from, { line: portLine(port1), epoch, capability });
      const id = crypto.randomUUID();
      const invitation: Invitation = { to: address, seek, id, epoch, capability };
      broker.postMessage(invitation, [port2]);
      this.tell({ type: 'sent', to: from, seek, invitation: id });
    } else {
      const name = `${this.key} ${crypto.randomUUID()}`;
      attendee.invite(from, { line: broadcastLine(name, 'host'), epoch, capability });
      this.tell({ type: 'line', to: from, seek, name, epoch, capability });
    }
  }

  private giveUpBroker(): void {
    this.broker = undefined;
    if (this.attendee.isSeeking) this.seek();
  }

  /** Asks for the host. */
  seek(): void {
    const seek = crypto.randomUUID();
    this.asked = [...this.asked.slice(1 - QUESTIONS), seek];
    const address = this.broker ? this.address : '';
    this.tell({ type: 'seek', from: this.page, address, seek });
  }

  /** This page is host from now on. */
  announce(epoch: number): void {
    this.tell({ type: 'host', epoch });
  }

  /** This host would rather not be it. */
  offer(epoch: number): void {
    this.tell({ type: 'offer', epoch });
  }

  /** That page is to be host after this one. */
  bequeath(page: string, epoch: number): void {
    this.tell({ type: 'yours', to: page, epoch });
  }

  close(): void {
    clearTimeout(this.late);
    this.broker?.postMessage(null);
    this.broker?.close();
    this.channel.close();
  }
}
