// Hands each two pages that connect the ends of a channel.

let first;

globalThis.onconnect = ({ ports: [port] }) => {
  if (!first) {
    first = port;
    return;
  }
  const { port1, port2 } = new MessageChannel();
  first.postMessage(null, [port1]);
  port.postMessage(null, [port2]);
  first = undefined;
};
