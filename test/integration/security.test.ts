import 'reflect-metadata';
import { randomUUID, webcrypto } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type SecureVersion } from 'node:tls';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiClient } from '../../src/client/client.js';
import { issueWithKey } from '../../src/pki/authority.js';
import { serverName } from '../../src/pki/certificate.js';
import { call, exchange, rawConnection, type Target, TestSocket } from '../support/calls.js';
import { TestControllers } from '../support/controllers.js';
import type { TestMembers } from '../support/members.js';

/** What somebody on the network can do to a controller without being let in, and as somebody whose time is over. */
let set: TestMembers;
let controllers: TestControllers;
let host: string;
let port: number;

beforeAll(async () => {
  controllers = await TestControllers.serving(1);
  ({ set } = controllers);
  ({ host, port } = controllers.endpoint());
});

afterAll(() => controllers?.[Symbol.asyncDispose]());

const target = (options: Partial<Target> = {}): Target => controllers.target(options);
const nobody = () => ({ tls: { ca: controllers.ca } });
const issued = (cn: string, ou: 'operator' | 'agent', options: { days?: number; names?: string[] } = {}) =>
  issueWithKey(set.authority, { subject: { cn, ou, o: set.environment }, addresses: [host], ...options });

describe('TLS', () => {
  const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

  /** What is agreed on with a client that offers one version, or how it is told that it will not do. */
  function offered(
    version: SecureVersion,
    to: { host: string; port: number },
    ciphers = 'ALL:@SECLEVEL=0',
  ): Promise<string> {
    return new Promise((resolve) => {
      const { certificate: cert, key } = controllers.operator;
      // Old versions are left to the other side to refuse.
      const offer = { minVersion: version, maxVersion: version, ciphers };
      const socket = connect({ ...to, ...offer, ca: controllers.ca, cert, key, rejectUnauthorized: false }, () => {
        resolve(`${socket.getProtocol()} ${socket.getCipher().name}`);
        socket.destroy();
      });
      socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
    });
  }

  test('the API speaks 1.3 and refuses what is older', async () => {
    const answers = await Promise.all(VERSIONS.map((version) => offered(version, { host, port })));
    expect(answers.slice(0, 3)).toEqual(Array(3).fill('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'));
    expect(answers[3]).toMatch(/^TLSv1\.3 TLS_(AES_(128|256)_GCM|CHACHA20_POLY1305)_SHA/);
  });

  test('mongod speaks 1.3, of 1.2 what has forward secrecy and authenticates, and refuses what is older', async () => {
    const [address = '', number] = (set.hosts[0] ?? '').split(':');
    const to = { host: address, port: Number(number) };
    const answers = await Promise.all(VERSIONS.map((version) => offered(version, to)));
    const refused = /^(ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION|ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE|ECONNRESET)$/;
    for (const answer of answers.slice(0, 2)) expect(answer).toMatch(refused);
    expect(answers[2]).toMatch(/^TLSv1\.2 ECDHE-ECDSA-(AES(128|256)-GCM|CHACHA20-POLY1305)/);
    expect(answers[3]).toMatch(/^TLSv1\.3 /);
    const older = 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0';
    expect(await offered('TLSv1.2', to, older)).toMatch(refused);
  });
});

describe('certificates', () => {
  test.each([
    ['operator', '/v1/status'],
    ['agent', '/v1/addresses'],
  ] as const)('of %s whose time is over are refused, in words, and are not renewed', async (ou, path) => {
    const ended = { ca: controllers.ca, ...(await issued('machine-0', ou, { days: -1 / 1440 })) };
    const refused = { status: 401, body: { code: 'bad-login', message: expect.stringContaining('CERT_HAS_EXPIRED') } };
    expect(await call(target({ tls: ended }), 'GET', path)).toMatchObject(refused);
    const request = '-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n';
    expect(await call(target({ tls: ended }), 'POST', '/v1/renew', { body: { request } })).toMatchObject(refused);
    const socket = ou === 'agent' ? '/v1/agent' : '/v1/watch';
    await expect(TestSocket.open(target({ tls: ended }), socket)).rejects.toThrow('401');
  });

  /** Somebody who answers at an address with a certificate of theirs, and what they are told. */
  async function impostor(own: { certificate: string; key: string }) {
    let heard = '';
    let met = 0;
    const server = createServer({ cert: own.certificate, key: own.key, minVersion: 'TLSv1.3' }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        heard += data;
      });
    });
    server.on('tlsClientError', () => {});
    server.on('connection', () => {
      met += 1;
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { address, met: () => met, heard: () => heard, close: () => server.close() };
  }

  test.each([
    ['of an agent that serves no API', {}, 'agent'],
    ['of another environment', { names: [serverName(randomUUID())] }, 'agent'],
    ['whose time is over', { names: [''], days: -1 / 1440 }, 'agent'],
    ['of an operator, which is none of a server', { names: [''] }, 'operator'],
  ] as const)('a server’s certificate %s is refused by clients, who tell it nothing', async (_, options, ou) => {
    const names = ('names' in options ? options.names : []).map((name) => name || serverName(set.environment));
    const server = await impostor(await issued('machine-7', ou, { ...options, names }));
    const { environment: uuid } = set;
    const client = new ApiClient({
      ...{ environment: { uuid, name: 'demo' }, addresses: [server.address], addressesVersion: 1_000_000 },
      ...{ tls: nobody().tls, token: 'canary-of-a-token' },
    });
    try {
      await expect(client.request('GET', '/v1/status', { timeoutMs: 1500 })).rejects.toMatchObject({
        code: expect.stringMatching(/^(no-controller|foreign-ca)$/),
      });
      expect(server.met()).toBeGreaterThan(0);
      expect(server.heard()).toBe('');
    } finally {
      client.close();
      server.close();
    }
  });
});

describe('paths and headers', () => {
  const read = async (path: string, headers: Record<string, string> = {}) =>
    await exchange(target(), 'GET', path, { headers });

  test.each([
    '/v1/machines/..%2f0',
    '/v1/machines/%2e%2e/0',
    '/v1/machines/0%00',
    '/v1/machines/0%0d%0ax:y',
    '/v1/../v1/machines/0/..',
    '//v1/status',
    '/v1/settings/x-%2e%2e%2f%2e%2e%2fetc%2fpasswd%00',
    '/dashboard/..%2f..%2fpackage.json',
    '/dashboard/%2e%2e%2f%2e%2e%2fpackage.json',
    '/dashboard/..\\..\\package.json',
    '/dashboard/%5c..%5cindex.html',
    '/v1/log?after=..%2f..%2fetc%2fpasswd&level=..%2f',
    '/v1/operations/1%2foutput',
    '/v1/changes/%ed%a0%80',
    '/v1/changes/%ff%fe',
    '/v1/users/%',
    `/v1/changes/${'x'.repeat(400)}`,
    `/v1/settings?prefix=${'x'.repeat(4000)}`,
  ])('%s is refused in the form of every refusal', async (path) => {
    const { status, body, headers } = await read(path);
    expect([400, 404, 414]).toContain(status);
    expect(body).toEqual({ code: expect.any(String), message: expect.any(String), todo: expect.any(String) });
    expect(headers['content-type']).toMatch(/^application\/json/);
  });

  test('nothing that was asked for becomes a header of the answer, or a line of the log', async () => {
    const evil = 'x%0d%0aset-cookie:%20a=b%0d%0a%0d%0a<script>';
    const { headers } = await read(`/v1/${evil}?${evil}`, { origin: 'https://evil.example', 'x-request-id': 'a b' });
    expect(Object.keys(headers).sort()).toEqual(
      [...['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'vary', 'x-request-id']].filter(
        (name) => name in headers,
      ),
    );
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  test.each([
    ['a header that is too long', `x-long: ${'y'.repeat(20_000)}\r\n`, 431, 'too-large'],
    ['a line that is no header', 'no header\r\n', 400, 'bad-request'],
    ['a line feed alone', 'x: a\nset-cookie: b\r\n\n', 400, 'bad-request'],
    ['a NUL', 'x: a\0b\r\n', 400, 'bad-request'],
    ['two ways to say how long it is', 'content-length: 3\r\ntransfer-encoding: chunked\r\n', 400, 'bad-request'],
    ['two lengths', 'content-length: 3\r\ncontent-length: 4\r\n', 400, 'bad-request'],
  ])('%s is refused, and nothing that follows is taken for a request', async (_, header, status, code) => {
    const { write, end } = await rawConnection(target());
    write(`POST /v1/login HTTP/1.1\r\nhost: x\r\n${header}\r\n0\r\n\r\nGET /v1/ping HTTP/1.1\r\nhost: x\r\n\r\n`);
    const [head = '', body = '', ...more] = (await end).split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(body)).toEqual({ code, message: expect.any(String), todo: expect.any(String) });
    expect(more).toEqual([]);
  });

  test('a body without end in depth is refused, also where none belongs', async () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    const send = (method: string, path: string, raw: string) =>
      call(target(), method, path, { raw, key: randomUUID(), headers: { 'content-type': 'application/json' } });
    expect(await send('PUT', '/v1/settings/x-deep', deep)).toMatchObject({
      status: 400,
      body: { code: 'bad-request' },
    });
    expect(await send('POST', '/v1/machines/77/retry-provisioning', deep)).toMatchObject({ status: 404 });
    expect(await send('PUT', '/v1/settings/x-deep', '{"value":"a","version":0,"__proto__":{}}')).toMatchObject({
      status: 400,
    });
  });

  test.each([
    [
      'RSA',
      { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 },
    ],
    ['another curve', { name: 'ECDSA', namedCurve: 'P-384' }],
    ['Ed25519', { name: 'Ed25519' }],
  ])('a certificate is issued for no key of the kind %s', async (_, algorithm) => {
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const signingAlgorithm = { ...algorithm, hash: 'SHA-256' };
    const request = await Pkcs10CertificateRequestGenerator.create({ name: 'CN=x', keys, signingAlgorithm });
    const refused = { status: 400, body: { code: 'bad-certificate-request' } };
    expect(await call(target(), 'POST', '/v1/renew', { body: { request: request.toString('pem') } })).toMatchObject(
      refused,
    );
  });
});
