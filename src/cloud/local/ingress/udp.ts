import { createSocket, type Socket } from 'node:dgram';
import type { BlockList } from 'node:net';
import { reasonOf } from '../../../errors.js';
import { log } from '../../../log/log.js';
import { admits, type Forwarder, type Route } from './forwarder.js';

/** A conversation in which nobody said anything for so long is over. */
const IDLE_MS = 60_000;
/** So many at once on one port; the one that was silent for longest makes room. */
const MOST_CONVERSATIONS = 1000;

interface Conversation {
  readonly client: string;
  readonly socket: Socket;
  lastAt: number;
}

/** Opens a UDP port: packets are passed on to the instance, and its answers to who asked. Who may not come is not answered. */
export async function openUdp({ address, port, target }: Route, sources: BlockList): Promise<Forwarder> {
  let admitted = sources;
  // In the order in which they spoke last.
  const conversations = new Map<string, Conversation>();
  const front = createSocket('udp4');
  const end = (key: string) => {
    conversations.get(key)?.socket.close();
    conversations.delete(key);
  };
  const begin = (client: string, clientPort: number): Conversation => {
    const [oldest] = conversations.keys();
    if (oldest !== undefined && conversations.size >= MOST_CONVERSATIONS) end(oldest);
    const socket = createSocket('udp4');
    // Nothing listens there: that is for the sender to find out, as with any lost packet.
    socket.on('error', () => undefined);
    socket.on('message', (answer) => front.send(answer, clientPort, client));
    return { client, socket, lastAt: 0 };
  };
  front.on('message', (packet, { address: client, port: clientPort }) => {
    if (!admits(admitted, client)) return;
    const key = `${client}:${clientPort}`;
    const conversation = conversations.get(key) ?? begin(client, clientPort);
    conversation.lastAt = performance.now();
    conversations.delete(key);
    conversations.set(key, conversation);
    conversation.socket.send(packet, port, target);
  });
  await new Promise<void>((resolve, reject) => {
    front.once('error', reject);
    front.bind({ address, port, exclusive: true }, () => {
      front.off('error', reject);
      front.on('error', (error) => log().warn(`a datagram at ${address}:${port} is lost: ${reasonOf(error)}`));
      resolve();
    });
  });
  const sweep = setInterval(() => {
    for (const [key, { lastAt }] of conversations) if (performance.now() - lastAt > IDLE_MS) end(key);
  }, IDLE_MS / 4).unref();
  return {
    admit: (next) => {
      admitted = next;
      for (const [key, { client }] of conversations) if (!admits(next, client)) end(key);
    },
    close: () => {
      clearInterval(sweep);
      front.close();
      for (const key of [...conversations.keys()]) end(key);
    },
  };
}
