import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authority, createAuthority, fingerprint, issueWithKey } from '../pki/authority.js';
import { serverName } from '../pki/certificate.js';
import { pinAuthority, plainFingerprint } from './pin.js';

const UUID = '5e0c2f0e-6a1f-4c62-9c59-3f4a8f6a9a01';

test.each([`SHA256:${'AB:'.repeat(31)}CD`, `${'ab'.repeat(31)}cd\n`])('%j is a fingerprint', (text) => {
  expect(plainFingerprint(text)).toBe(`${'ab'.repeat(31)}cd`);
});

test.each(['', 'abcd', 'x'.repeat(64)])('%j is none', (text) => {
  expect(() => plainFingerprint(text)).toThrow(expect.objectContaining({ code: 'bad-fingerprint', exit: 2 }));
});

test.each(['demo', '127.0.0.1', '127.0.0.1:0', '127.0.0.1:65536', ':17070'])('%s is no address', async (address) => {
  await expect(pinAuthority(address, 'ab'.repeat(32))).rejects.toMatchObject({ code: 'bad-address', exit: 2 });
});

describe('a controller that answers', () => {
  let authority: Authority;
  let server: ReturnType<typeof createServer>;
  let address: string;
  beforeAll(async () => {
    authority = await createAuthority(UUID);
    const subject = { cn: 'machine-0', ou: 'agent', o: UUID } as const;
    const own = await issueWithKey(authority, { subject, addresses: ['127.0.0.1'], names: [serverName(UUID)] });
    server = createServer({ ca: authority.certificate, cert: own.certificate, key: own.key, requestCert: true });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterAll(() => server?.close());

  test('is known by the fingerprint of its CA', async () => {
    const pinned = await pinAuthority(address, fingerprint(authority.certificate));
    expect(pinned.environment).toBe(UUID);
    expect(fingerprint(pinned.ca)).toBe(fingerprint(authority.certificate));
  });

  test('and by no other', async () => {
    await expect(pinAuthority(address, 'ab'.repeat(32))).rejects.toMatchObject({ code: 'foreign-ca' });
  });
});
