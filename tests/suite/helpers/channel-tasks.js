// Tasks with channels.

import { library } from './library.js';

const { Channel } = library;

export async function sendNumbers(scope, channel, from, count) {
  for (let i = 0; i < count; i++) await channel.send(from + i);
}
export async function sendValues(scope, channel, values) {
  for (const value of values) await channel.send(value);
  channel.close();
}
export async function receiveAll(scope, channel) {
  const received = [];
  for await (const value of channel) received.push(value);
  return received;
}
export const receiveOne = (scope, channel) => channel.receive();
/** What came of an attempt to receive, once the value is there. */
export async function tryToReceive(scope, channel) {
  const result = channel.tryReceive();
  return { ...result, value: await result.value };
}
/** Sends back what comes, until there is no more. */
export async function echoAll(scope, from, to) {
  await from.consumeEach(scope, (value) => to.send(value));
  to.close();
}
export const nestedSend = (scope, { list: [, { channel }] }, value) => channel.send(value);
/** A channel of this worker's, with a value in it. */
export async function makeChannel(scope, value) {
  const channel = new Channel(4);
  await channel.send(value);
  return { channel };
}
/** Gives a channel to a sibling by a clone, with something that only that carries. */
export const passOn = (scope, channel, value) =>
  scope.async('sendWith', { channel, pattern: /x/g }, value);
export async function sendWith(scope, { channel, pattern }, value) {
  await channel.send([pattern, value]);
}
/** A function, which cannot be sent. */
export const sendFunctionTo = async (scope, channel) => {
  await channel.send(() => {});
};
/** Keeps a handle beyond its task. */
let keptChannel;
export const keepChannel = (scope, channel) => {
  keptChannel = channel;
};
/** The same with one that comes through a channel, which it takes without waiting for it. */
export async function keepTaken(scope, carrier, byIterator) {
  const iterator = carrier.iterator(scope);
  if (byIterator) await iterator.hasNext();
  keptChannel = byIterator ? iterator.next() : carrier.tryReceive().value;
}
export const useKeptChannel = async () => {
  const results = [];
  results.push(keptChannel.trySend(1).success);
  await keptChannel.send(2).catch((error) => results.push(error.name));
  keptChannel.dispose();
  try {
    keptChannel.trySend(3);
  } catch (error) {
    results.push(error.name);
  }
  return results;
};
export const closeWith = (scope, channel, error) => channel.close(error);
export async function failAtChannel(scope, channel) {
  try {
    await channel.receive();
  } catch (error) {
    return [error.name, error.message, error instanceof Error];
  }
  return [];
}
/** Many handles, none of which is released. */
export async function forgetChannels(scope, count) {
  for (let i = 0; i < count; i++) {
    const channel = new Channel(Channel.UNLIMITED);
    await channel.send({ text: 'x'.repeat(100) });
  }
}
/** Sends until somebody refuses; notes in the cells what was sent ... */
export async function sendNoting(scope, channel, cells, from, count) {
  for (let i = from; i < from + count; i++) {
    Atomics.add(cells, i, 1);
    await channel.send(i);
  }
}
/** ... and takes that back for what it receives, until there is no more. */
export async function receiveNoting(scope, channel, cells, pauses) {
  for await (const value of channel) {
    Atomics.sub(cells, value, 1);
    for (let i = 0; i < pauses; i++) await scope.yield();
  }
}
export async function broadcastNumbers(scope, broadcast, count) {
  for (let i = 1; i <= count; i++) {
    await broadcast.send({ number: i, text: 'long enough for a block' });
    await scope.yield();
  }
  broadcast.close();
}
/** The numbers that a subscriber has seen. */
export async function subscribe(scope, broadcast) {
  const seen = [];
  for await (const { number } of broadcast.openSubscription()) seen.push(number);
  return seen;
}
