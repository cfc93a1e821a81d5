import { connect } from 'node:tls';
import { serverName } from '../pki/certificate.js';
import { peerOf } from '../pki/peer.js';
import { hostAndPort } from './host-port.js';
import { race, STAGGER_MS } from './race.js';

/**
 * The first of these addresses (host:port) at which somebody who says to be of the environment speaks TLS; null for none in
 * time. That is no proof: it only tells an instance from a stranger who has its address in a network of ours.
 */
export async function reached(
  addresses: readonly string[],
  environment: string,
  timeoutMs: number,
): Promise<string | null> {
  const won = await race(addresses, {
    staggerMs: STAGGER_MS,
    dial: (address, signal) => greet(address, environment, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])),
    onFailure: () => {},
    discard: () => {},
  });
  return won?.candidate ?? null;
}

function greet(address: string, environment: string, signal: AbortSignal): Promise<void> {
  const { host, port } = hostAndPort(address);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      servername: serverName(environment),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    });
    const end = (error: unknown) => {
      socket.destroy();
      reject(error);
    };
    signal.addEventListener('abort', () => end(signal.reason), { once: true });
    socket.on('error', end);
    socket.once('close', () => end(new Error('closed at once')));
    socket.once('secureConnect', () => {
      const ours = (peerOf(socket)?.subject as { O?: unknown } | undefined)?.O === environment;
      if (ours) resolve();
      end(new Error(`a stranger answers at ${address}`));
    });
  });
}
