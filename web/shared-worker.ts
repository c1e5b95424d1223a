/**
 * Introduces pages to each other: hands a port that one page sends to the page that
 * it is for. All else pages tell each other without it. See tabs-meeting.ts.
 *
 * What makes no sense goes back to its sender as `{ refused }`, and changes nothing. An
 * address is that of the page that has said so first, so no other one gets its ports;
 * what comes with a port is looked at by the page that it is for.
 *
 * @module
 */

/** Pages by their addresses. */
const pages = new Map<string, MessagePort>();
const MOST_ADDRESS = 100;
/** Ports for pages that have not come yet: what they tell each other may overtake what they tell here. */
const early = new Map<string, { data: object; given: MessagePort }>();
const MOST_EARLY = 64;

/** Only the latest ones: most of the others are for pages that have gone. */
function keep(to: string, data: object, given: MessagePort): void {
  early.get(to)?.given.close();
  early.delete(to);
  const [oldest] = early.keys();
  if (early.size === MOST_EARLY) {
    early.get(oldest!)!.given.close();
    early.delete(oldest!);
  }
  early.set(to, { data, given });
}

(globalThis as { onconnect?: (event: MessageEvent) => void }).onconnect = ({ ports: [port] }) => {
  let own = '';
  const refuse = (refused: 'message' | 'address') => port!.postMessage({ refused });
  const register = (address: string) => {
    if (pages.has(address)) {
      refuse('address');
      return;
    }
    own = address;
    pages.set(address, port!);
    const found = early.get(address);
    early.delete(address);
    if (found) port!.postMessage(found.data, [found.given]);
  };
  const introduce = (data: object, to: string, given: MessagePort) => {
    const page = pages.get(to);
    if (page) page.postMessage(data, [given]);
    else if (to.length <= MOST_ADDRESS) keep(to, data, given);
    else refuse('address');
  };
  port!.onmessage = ({ data, ports }: MessageEvent<unknown>) => {
    const { address, to } = (data ?? {}) as { address?: unknown; to?: unknown };
    if (typeof to === 'string' && ports.length === 1) introduce(data as object, to, ports[0]!);
    else if (own === '' && typeof address === 'string' && address.length <= MOST_ADDRESS)
      register(address);
    else if (own !== '' && data === null) {
      pages.delete(own);
      port!.close();
    } else refuse('message');
  };
  port!.onmessageerror = () => refuse('message');
};
