import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { createAuthority, issueWithKey } from '../pki/authority.js';
import { serverName } from '../pki/certificate.js';
import { reached } from './reach.js';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A machine 0 of an environment. @returns host:port */
async function machineOf(environment: string): Promise<string> {
  const authority = await createAuthority(environment);
  const subject = { cn: 'machine-0', ou: 'agent', o: environment } as const;
  const { certificate, key } = await issueWithKey(authority, { subject, names: [serverName(environment)] });
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.3' }, (socket) => socket.end());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('who is of the environment is found, where nobody and where a stranger is at the other address', {
  timeout: 60_000,
}, async () => {
  const environment = randomUUID();
  const [own, stranger] = [await machineOf(environment), await machineOf(randomUUID())];
  for (const other of ['127.0.0.1:1', stranger]) {
    expect(await reached([other, own], environment, 10_000)).toBe(own);
    expect(await reached([own, other], environment, 10_000)).toBe(own);
    expect(await reached([other], environment, 10_000)).toBe(null);
  }
  expect(await reached([], environment, 10_000)).toBe(null);
});
