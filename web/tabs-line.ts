/**
 * What two pages talk over, once they know each other: a MessagePort or, where no
 * port can be handed over, a BroadcastChannel that only the two of them listen to.
 *
 * @module
 */

/** One message: a batch of frames (without the rest, if that is all and short), and the values that structured clone carries. */
export interface Mail {
  readonly batch: ArrayBuffer | string;
  readonly beside: readonly unknown[];
}

/** One end. */
export interface Line {
  /** Sends a message; never throws for a page that is gone. */
  post(mail: Mail, transfer: readonly Transferable[]): void;
  /** Has messages told from now on. */
  listen(heard: (data: unknown) => void): void;
  close(): void;
}

type Unref = { unref?: () => void };

export function portLine(port: MessagePort): Line {
  return {
    post(mail, transfer) {
      const { batch, beside } = mail;
      if (typeof batch !== 'string') port.postMessage(mail, [batch, ...transfer]);
      else if (beside.length === 0) port.postMessage(batch);
      else port.postMessage(mail, [...transfer]);
    },
    listen(heard) {
      port.onmessage = ({ data }) => heard(data);
      (port as Unref).unref?.(); // an open context holds the process
    },
    close: () => port.close(),
  };
}

/** What the other end must not take for its own. */
interface Addressed extends Mail {
  readonly to: 'host' | 'guest';
}

/** @param end - which one this is */
export function broadcastLine(name: string, end: 'host' | 'guest'): Line {
  const channel = new BroadcastChannel(name);
  const to = end === 'host' ? 'guest' : 'host';
  let isOpen = true;
  return {
    post(mail) {
      if (isOpen) channel.postMessage({ ...mail, to } satisfies Addressed);
    },
    listen(heard) {
      channel.onmessage = ({ data }: MessageEvent) => {
        if ((data as Addressed | null)?.to === end) heard(data);
      };
      (channel as Unref).unref?.();
    },
    close() {
      isOpen = false;
      channel.close();
    },
  };
}

/** The parts of a message, if it is one. */
export function openMail(data: unknown): Mail {
  if (typeof data === 'string') return { batch: data, beside: [] };
  const { batch, beside } = (data ?? {}) as Partial<Mail>;
  return {
    batch: typeof batch === 'string' || batch instanceof ArrayBuffer ? batch : new ArrayBuffer(0),
    beside: Array.isArray(beside) ? beside : [],
  };
}
