import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Authority,
  createAuthority,
  createKeyAndRequest,
  expiresAt,
  fingerprint,
  issue,
  issueWithKey,
  mongoSubject,
  publicKeyHash,
  subjectOf,
} from './authority.js';
import { serverName } from './certificate.js';

const UUID = '5e0c2f0e-6a1f-4c62-9c59-3f4a8f6a9a01';
const HOUR = 3_600_000;
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority(UUID);
});

describe('issue', () => {
  const subject = { cn: 'machine-0', ou: 'member', o: UUID } as const;

  test('the subject is the caller’s, the key the request’s', async () => {
    const { key, request } = await createKeyAndRequest();
    const certificate = await issue(authority, {
      request,
      subject,
      addresses: ['127.0.1.1'],
      names: [serverName(UUID)],
    });
    const parsed = new X509Certificate(certificate);
    expect(subjectOf(certificate)).toEqual(subject);
    expect(publicKeyHash(certificate)).toBe(publicKeyHash(request));
    expect(parsed.checkIP('127.0.1.1')).toBe('127.0.1.1');
    expect(parsed.checkHost(serverName(UUID))).toBe(serverName(UUID));
    expect(parsed.checkHost('quorate')).toBeUndefined();
    expect(parsed.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(key).toContain('-----BEGIN PRIVATE KEY-----');
  });

  test('starts an hour back and ends after the days asked for', async () => {
    const { certificate } = await issueWithKey(authority, { subject, days: 10 });
    const start = Date.parse(new X509Certificate(certificate).validFrom);
    expect(Math.abs(Date.now() - HOUR - start)).toBeLessThan(10_000);
    expect(Math.abs(Date.now() + 240 * HOUR - expiresAt(certificate).getTime())).toBeLessThan(10_000);
  });

  test('a request that was tampered with is refused', async () => {
    const { request } = await createKeyAndRequest();
    const bytes = Buffer.from(request.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    const tampered = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    await expect(issue(authority, { request: tampered, subject })).rejects.toMatchObject({
      code: 'bad-certificate-request',
    });
    await expect(issue(authority, { request: 'nonsense', subject })).rejects.toMatchObject({
      code: 'bad-certificate-request',
    });
  });

  test('only EC P-256 keys are taken', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    const other = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    await expect(issue(authority, { publicKey: other, subject })).rejects.toMatchObject({
      code: 'bad-certificate-request',
    });
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = await issue(authority, {
      publicKey: own.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      subject,
    });
    expect(new X509Certificate(certificate).checkPrivateKey(own.privateKey)).toBe(true);
  });

  test.each(['', 'a\nb', 'x'.repeat(65)])('the name %j is refused', async (cn) => {
    await expect(issueWithKey(authority, { subject: { ...subject, cn } })).rejects.toMatchObject({
      code: 'bad-certificate-request',
    });
  });
});

test('serial numbers differ', async () => {
  const subject = { cn: 'ana', ou: 'operator', o: UUID } as const;
  const issued = await Promise.all([1, 2, 3].map(() => issueWithKey(authority, { subject })));
  expect(new Set(issued.map(({ certificate }) => new X509Certificate(certificate).serialNumber)).size).toBe(3);
});

test('a certificate of another kind names nobody', async () => {
  expect(() => subjectOf(authority.certificate)).toThrow(/OU/);
  expect(() => subjectOf('nonsense')).toThrow(/not a certificate/);
  expect(fingerprint(authority.certificate)).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

describe.runIf(hasOpenssl)('openssl', () => {
  test.each([
    ['member', 'sslserver', true],
    ['member', 'sslclient', true],
    ['agent', 'sslserver', true],
    ['service', 'sslclient', true],
    ['operator', 'sslclient', true],
    ['operator', 'sslserver', false],
  ] as const)('verifies OU=%s as %s: %s', async (ou, purpose, accepted) => {
    const subject = { cn: 'näme, with "all" + of\\it', ou, o: UUID };
    const { certificate, key } = await issueWithKey(authority, { subject, names: [serverName(UUID)] });
    const dir = mkdtempSync(join(tmpdir(), 'quorate-pki-'));
    try {
      const file = (name: string, content: string) => {
        writeFileSync(join(dir, name), content, { mode: 0o600 });
        return join(dir, name);
      };
      const ca = file('ca.crt', authority.certificate);
      const leaf = file('leaf.crt', certificate);
      const verify = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', ca, leaf];
      expect(spawnSync('openssl', verify).status === 0).toBe(accepted);
      const name = ['x509', '-in', leaf, '-noout', '-subject', '-nameopt', 'RFC2253,-esc_msb,utf8'];
      expect(execFileSync('openssl', name, { encoding: 'utf8' }).trim()).toBe(`subject=${mongoSubject(subject)}`);
      const publicKey = execFileSync('openssl', ['pkey', '-in', file('leaf.key', key), '-pubout'], {
        encoding: 'utf8',
      });
      expect(publicKey).toBe(
        new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
