import net from 'node:net';
import type { TemporalConnection } from '../boot/wire.js';
import { QuorateError, reasonOf } from '../errors.js';
import { endpointOf } from '../temporal/dial.js';

/**
 * Temporal for instances that cannot see this machine's loopback: connections to the host's address in their network are
 * passed on. Temporal itself stays where it is; nobody else is let in.
 */
export interface Relay {
  /** How to reach Temporal through it. */
  readonly connection: TemporalConnection;
  close(): void;
}

/** @param isAllowed whether a peer of that address may come in */
export async function startRelay(
  target: TemporalConnection,
  listen: string,
  isAllowed: (address: string) => boolean,
): Promise<Relay> {
  const { host, port } = endpointOf(target.address);
  const open = new Set<net.Socket>();
  const server = net.createServer((client) => {
    if (!isAllowed(client.remoteAddress ?? '')) {
      client.destroy();
      return;
    }
    const upstream = net.connect({ host, port });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.once('error', () => other.destroy());
      one.once('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(notListening(listen, port, error)));
    server.listen({ host: listen, port }, resolve);
  });
  // The certificate names the server, whichever way it is reached.
  const tls = target.tls ? { tls: { serverName: host, ...(target.tls === true ? {} : target.tls) } } : {};
  return {
    connection: { ...target, address: `${listen}:${port}`, ...tls },
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function notListening(host: string, port: number, error: Error): QuorateError {
  return new QuorateError(
    'relay-failed',
    `Instances cannot be let in to Temporal at ${host}:${port}: ${reasonOf(error)}.`,
    {
      todo: 'Free that port, or move the engine to another one: quorate engine stop, quorate engine start --port N.',
      cause: error,
    },
  );
}
