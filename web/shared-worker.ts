/**
 * Introduces pages to each other: hands a port that one page sends to the page that
 * it is for. All else pages tell each other without it. See tabs-meeting.ts.
 *
 * @module
 */

/** What pages send: who they are, or whom a port is for. */
interface Request {
  readonly page?: string;
  readonly to?: string;
}

const pages = new Map<string, MessagePort>();

(globalThis as { onconnect?: (event: MessageEvent) => void }).onconnect = ({ ports: [port] }) => {
  let own = '';
  port!.onmessage = ({ data, ports }: MessageEvent<Request | null>) => {
    if (typeof data?.to === 'string') {
      pages.get(data.to)?.postMessage(data, [...ports]);
    } else if (typeof data?.page === 'string' && own === '') {
      own = data.page;
      pages.set(own, port!);
    } else if (own !== '' && data === null) {
      pages.delete(own);
      port!.close();
    }
  };
};
