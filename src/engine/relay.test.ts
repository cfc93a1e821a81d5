import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Relay, startRelay } from './relay.js';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** Something that answers what it hears, on a free port of 127.0.0.1. */
async function echo(): Promise<number> {
  const server = net.createServer((socket) => socket.pipe(socket).on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  return (server.address() as net.AddressInfo).port;
}

async function relayTo(port: number, isAllowed = (_: string) => true): Promise<Relay> {
  const target = { address: `127.0.0.1:${port}`, namespace: 'default' };
  const relay = await startRelay(target, '127.0.0.2', isAllowed);
  open.push(relay);
  return relay;
}

test('passes on both ways, and ends both sides together', async () => {
  const port = await echo();
  const relay = await relayTo(port);
  expect(relay.connection).toEqual({ address: `127.0.0.2:${port}`, namespace: 'default' });
  const socket = net.connect({ host: '127.0.0.2', port });
  socket.write('hello');
  expect(String((await once(socket, 'data'))[0])).toBe('hello');
  relay.close();
  await once(socket, 'close');
});

test('lets in only whom it may', async () => {
  const seen: string[] = [];
  const port = await echo();
  await relayTo(port, (address) => {
    seen.push(address);
    return false;
  });
  const socket = net.connect({ host: '127.0.0.2', port, localAddress: '127.0.0.3' });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  expect(seen).toEqual(['127.0.0.3']);
});

test('keeps the name that the certificate is for', async () => {
  const target = { address: `localhost:${await echo()}`, namespace: 'n', tls: true } as const;
  const relay = await startRelay(target, '127.0.0.2', () => true);
  open.push(relay);
  expect(relay.connection.tls).toEqual({ serverName: 'localhost' });
});

test('a port that is taken is named', async () => {
  const port = await echo();
  await relayTo(port);
  await expect(relayTo(port)).rejects.toMatchObject({
    code: 'relay-failed',
    message: expect.stringMatching(`127.0.0.2:${port}`),
  });
});
