import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer as createTlsServer } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Authority, createAuthority, issueWithKey, vouchFor } from './authority.js';
import { serverName } from './certificate.js';
import { authorityOf, certificatesIn, digestOf, isIssuedBy, issuedByOneOf, issuerIn } from './trust.js';

const UUID = '5e0c2f0e-6a1f-4c62-9c59-3f4a8f6a9a01';
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
let before: Authority;
let next: Authority;
beforeAll(async () => {
  [before, next] = await Promise.all([createAuthority(UUID), createAuthority(UUID)]);
});
const subject = { cn: 'machine-0', ou: 'agent', o: UUID } as const;

test('the first CA of those that are trusted issues, and a key finds its own', () => {
  const trusted = next.certificate + before.certificate;
  expect(certificatesIn(trusted)).toEqual([next.certificate, before.certificate]);
  expect(issuerIn(trusted)).toBe(next.certificate);
  expect(authorityOf(before.key, trusted)).toBe(before.certificate);
  expect(authorityOf(before.key, next.certificate)).toBeNull();
  expect(() => issuerIn('nothing')).toThrow('no CA');
});

test('a certificate is of the CA that signed it and of no other of the environment', async () => {
  const { certificate } = await issueWithKey(next, { subject });
  expect([isIssuedBy(certificate, next.certificate), isIssuedBy(certificate, before.certificate)]).toEqual([
    true,
    false,
  ]);
  const shown = new X509Certificate(certificate);
  const both = next.certificate + before.certificate;
  expect([next.certificate, both, before.certificate, ''].map((trusted) => issuedByOneOf(trusted)(shown))).toEqual([
    ...[true, true, false, false],
  ]);
});

test('a digest is of texts and of where they end', () => {
  expect(digestOf('a', 'bc')).not.toBe(digestOf('ab', 'c'));
  expect(digestOf('a', 'bc')).toBe(digestOf('a', 'bc'));
});

test('a CA is made again for a key that is there', async () => {
  const again = await createAuthority(UUID, next.key);
  const { certificate } = await issueWithKey(again, { subject });
  expect(again.key).toBe(next.key);
  expect(authorityOf(next.key, again.certificate)).toBe(again.certificate);
  expect(isIssuedBy(certificate, again.certificate)).toBe(true);
});

describe('a voucher', () => {
  let shown: { certificate: string; key: string };
  let voucher: string;
  beforeAll(async () => {
    shown = await issueWithKey(next, { subject, names: [serverName(UUID)] });
    voucher = await vouchFor(before, next.certificate);
  });

  /** What a client that trusts `ca` says of a server that shows `chain`. */
  async function verdict(chain: string, ca: string): Promise<string> {
    const server = createTlsServer({ cert: chain, key: shown.key });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      return await new Promise<string>((resolve, reject) => {
        const socket = connect({
          port,
          host: '127.0.0.1',
          ca,
          servername: serverName(UUID),
          rejectUnauthorized: false,
        });
        socket.once('error', reject);
        socket.once('secureConnect', () => {
          resolve(socket.authorized ? 'good' : String(socket.authorizationError));
          socket.destroy();
        });
      });
    } finally {
      server.close();
    }
  }

  test('lets who trusts only the CA before know the environment again, and nobody else', async () => {
    const chain = shown.certificate + voucher + next.certificate;
    expect(await verdict(chain, before.certificate)).toBe('good');
    expect(await verdict(chain, next.certificate)).toBe('good');
    expect(await verdict(shown.certificate, before.certificate)).not.toBe('good');
    const stranger = await createAuthority(UUID);
    expect(await verdict(chain, stranger.certificate)).not.toBe('good');
    const forged = await vouchFor(stranger, next.certificate);
    expect(await verdict(shown.certificate + forged + next.certificate, before.certificate)).not.toBe('good');
  });

  test.runIf(hasOpenssl)('is good by OpenSSL’s word too', () => {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-voucher-'));
    try {
      const file = (name: string, text: string) => {
        writeFileSync(join(directory, name), text);
        return join(directory, name);
      };
      const args = ['verify', '-CAfile', file('ca.crt', before.certificate)];
      const untrusted = file('voucher.crt', voucher);
      const out = execFileSync('openssl', [...args, '-untrusted', untrusted, file('own.crt', shown.certificate)]);
      expect(String(out)).toContain('OK');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
