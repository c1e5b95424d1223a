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
import type { Qualities } from './tabs-preference.js';

/** How pages are introduced to each other. */
export type Broker = 'auto' | 'sharedworker' | 'broadcast';

/** A host and a page get to know each other. */
export interface Introduction {
  readonly line: Line;
  readonly epoch: number;
  /** Random bytes, the same at both ends. */
  readonly capability: Uint8Array;
}

/** What is told to all. */
type News =
  /** A page looks for the host, and says whether a port reaches it. */
  | { type: 'seek'; from: string; byPort: boolean }
  /** There is a new host, to which everybody may come. */
  | { type: 'host'; epoch: number }
  /** The host is there, and opens its pool. */
  | { type: 'soon'; to: string }
  /** A port was sent to a page, with this invitation. */
  | { type: 'sent'; to: string; invitation: string }
  /** The host would rather have another page take its place. */
  | { type: 'offer'; epoch: number }
  /** A page would rather be host, for what it is. */
  | { type: 'want'; from: string; isShared: boolean; isVisible: boolean }
  /** It may be, after the host of this epoch. */
  | { type: 'yours'; to: string; epoch: number }
  /** A page and the host talk over the channel of this name. */
  | { type: 'line'; to: string; name: string; epoch: number; capability: Uint8Array };

/** What comes with a port. */
interface Invitation {
  readonly to: string;
  readonly id: string;
  readonly epoch: number;
  readonly capability: Uint8Array;
}

/** Hears what others tell. */
export interface Attendee {
  /** A page seeks the host: gives whether this one is, and has a pool. */
  seeks(page: string): 'ready' | 'soon' | 'no';
  /** The host's part of an introduction. */
  invite(page: string, introduction: Introduction): void;
  /** There is a host of this epoch. */
  hostIs(epoch: number): void;
  /** The host has answered. */
  isSoon(): void;
  /** The page's part. */
  meet(introduction: Introduction): void;
  /** A page would rather be host. */
  wants(page: string, qualities: Qualities): void;
  /** The host of this epoch would rather not be it. */
  isOffered(epoch: number): void;
  /** This page is to be host after that. */
  isHeir(epoch: number): void;
  /** The epoch of this page as host. */
  readonly epochOfHost: number;
}

/** So long a SharedWorker may take to hand a port over. */
const BROKER_MS = 1000;
const CAPABILITY_BYTES = 16;

export class Meeting {
  private readonly key: string;
  private readonly page: string;
  private readonly attendee: Attendee;
  private readonly channel: BroadcastChannel;
  private broker: MessagePort | undefined;
  /** Messages that make no sense. */
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
      if (isNews(data)) this.heard(data);
      else this.refused++;
    };
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
      port.onmessage = ({ data, ports }: MessageEvent<Invitation>) => {
        clearTimeout(this.late);
        const { id, epoch, capability } = data;
        this.arrived = id;
        if (ports[0] && Number.isSafeInteger(epoch) && isCapability(capability))
          this.attendee.meet({ line: portLine(ports[0]), epoch, capability });
      };
      port.postMessage({ page: this.page });
      return port;
    } catch {
      return undefined; // it is of another origin, or a policy forbids it
    }
  }

  private tell(news: News): void {
    this.channel.postMessage(news);
  }

  private heard(news: News): void {
    const { attendee, page } = this;
    switch (news.type) {
      case 'seek':
        this.answer(news);
        break;
      case 'host':
        attendee.hostIs(news.epoch);
        break;
      case 'soon':
        if (news.to === page) attendee.isSoon();
        break;
      case 'sent':
        if (news.to !== page) break;
        attendee.isSoon();
        clearTimeout(this.late);
        // The port takes another way, and may be here already.
        if (!this.isForced && news.invitation !== this.arrived)
          this.late = setTimeout(() => this.giveUpBroker(), BROKER_MS);
        break;
      case 'line':
        if (news.to !== page) break;
        attendee.meet({ ...news, line: broadcastLine(news.name, 'guest') });
        break;
      case 'want':
        attendee.wants(news.from, news);
        break;
      case 'offer':
        attendee.isOffered(news.epoch);
        break;
      case 'yours':
        if (news.to === page) attendee.isHeir(news.epoch);
        break;
    }
  }

  private answer({ from, byPort }: News & { type: 'seek' }): void {
    const { attendee, broker } = this;
    const is = attendee.seeks(from);
    if (is === 'soon') this.tell({ type: 'soon', to: from });
    if (is !== 'ready') return;
    const epoch = attendee.epochOfHost;
    const capability = crypto.getRandomValues(new Uint8Array(CAPABILITY_BYTES));
    if (byPort && broker) {
      const { port1, port2 } = new MessageChannel();
      attendee.invite(from, { line: portLine(port1), epoch, capability });
      const id = crypto.randomUUID();
      broker.postMessage({ to: from, id, epoch, capability } satisfies Invitation, [port2]);
      this.tell({ type: 'sent', to: from, invitation: id });
    } else {
      const name = `${this.key} ${crypto.randomUUID()}`;
      attendee.invite(from, { line: broadcastLine(name, 'host'), epoch, capability });
      this.tell({ type: 'line', to: from, name, epoch, capability });
    }
  }

  private giveUpBroker(): void {
    this.broker = undefined;
    this.seek();
  }

  /** Asks for the host. */
  seek(): void {
    this.tell({ type: 'seek', from: this.page, byPort: this.broker !== undefined });
  }

  /** This page is host from now on. */
  announce(epoch: number): void {
    this.tell({ type: 'host', epoch });
  }

  /** This host would rather not be it. */
  offer(epoch: number): void {
    this.tell({ type: 'offer', epoch });
  }

  /** This page would rather be host. */
  want(qualities: Qualities): void {
    this.tell({ type: 'want', from: this.page, ...qualities });
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

/** Whether something that came may be taken for what it says it is. */
function isNews(data: unknown): data is News {
  if (typeof data !== 'object' || data === null) return false;
  const { type, from, to, invitation, name, epoch, capability, isShared, isVisible } =
    data as Record<string, unknown>;
  const isText = (one: unknown) => typeof one === 'string' && one.length <= 400;
  const isEpoch = Number.isSafeInteger(epoch);
  const isFlag = (one: unknown) => typeof one === 'boolean';
  switch (type) {
    case 'seek':
      return isText(from);
    case 'host':
    case 'offer':
      return isEpoch;
    case 'want':
      return isText(from) && isFlag(isShared) && isFlag(isVisible);
    case 'yours':
      return isText(to) && isEpoch;
    case 'soon':
      return isText(to);
    case 'sent':
      return isText(to) && isText(invitation);
    case 'line':
      return isText(to) && isText(name) && isEpoch && isCapability(capability);
    default:
      return false;
  }
}

const isCapability = (one: unknown) => one instanceof Uint8Array && one.length === CAPABILITY_BYTES;
