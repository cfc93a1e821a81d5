import { type BlockList, connect, createServer, type Socket } from 'node:net';
import { reasonOf } from '../../../errors.js';
import { log } from '../../../log/log.js';
import { admits, type Forwarder, type Route } from './forwarder.js';

/** An instance that does not answer is not waited for longer. */
const CONNECT_MS = 5000;

/**
 * Opens a TCP port: each connection is passed on to the instance. Who may not come, and who comes while nothing listens
 * there, is reset.
 */
export async function openTcp({ address, port, target }: Route, sources: BlockList): Promise<Forwarder> {
  let admitted = sources;
  const connections = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (!admits(admitted, client.remoteAddress)) {
      client.resetAndDestroy();
      return;
    }
    connections.add(client);
    client.once('close', () => connections.delete(client));
    join(client, connect({ host: target, port, allowHalfOpen: true, noDelay: true }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', (error) => log().warn(`a connection to ${address}:${port} is lost: ${reasonOf(error)}`));
      resolve();
    });
  });
  return {
    admit: (next) => {
      admitted = next;
      for (const client of connections) if (!admits(next, client.remoteAddress)) client.resetAndDestroy();
    },
    close: () => {
      server.close();
      for (const client of connections) client.resetAndDestroy();
    },
  };
}

/** Passes bytes both ways, and the end of each way by itself; when one side breaks, so does the other. */
function join(client: Socket, instance: Socket): void {
  const late = setTimeout(() => instance.destroy(), CONNECT_MS);
  instance.once('connect', () => clearTimeout(late));
  for (const [from, to] of [
    [client, instance],
    [instance, client],
  ] as const) {
    from.on('error', () => to.resetAndDestroy());
    from.once('close', () => {
      clearTimeout(late);
      if (!from.readableEnded) to.resetAndDestroy();
      else if (!to.writableEnded) to.destroy();
    });
    from.pipe(to);
  }
}
