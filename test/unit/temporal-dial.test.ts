/** What people are told of a Temporal that cannot be used, at a real TLS server that stands for its frontend. */
import { createServer } from 'node:http';
import { type AddressInfo, createServer as listen } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { TemporalConnection } from '../../src/boot/wire.js';
import { createAuthority, issueWithKey } from '../../src/pki/authority.js';
import { dialTemporal } from '../../src/temporal/dial.js';
import { explain } from '../../src/temporal/refusals.js';
import { FRONT_NAME, type Refused, TemporalFront } from '../support/temporal-front.js';

/** Nobody is behind it: every call is answered by the front itself. */
const NOBODY = '127.0.0.1:9';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function front(mutual: boolean, answer: Refused = { code: 0, message: '' }) {
  const front = await TemporalFront.start(NOBODY, { mutual });
  front.refuses = () => answer;
  closing.push(() => front.stop());
  const { certificate, key } = await front.client();
  const target = (tls: TemporalConnection['tls'] = { ca: front.ca }, more: Partial<TemporalConnection> = {}) => ({
    address: front.address,
    namespace: 'prod.a1b2c',
    tls,
    ...more,
  });
  return { front, target, pair: { certificate, key } };
}

const dialled = (target: TemporalConnection, withinMs = 5_000) =>
  dialTemporal(target, withinMs).then(
    () => 'it answers',
    ({ code, message, todo }) => `${code}: ${message.replaceAll(target.address, 'ADDRESS')} ${todo}`,
  );

test('it answers: by TLS, with a client certificate, by another name', async () => {
  const { front: one, target, pair } = await front(true);
  const named = { ca: one.ca, ...pair, serverName: FRONT_NAME };
  expect(await dialled(target(named))).toBe('it answers');
  expect(await dialled(target({ ca: one.ca, ...pair }))).toBe('it answers');
  expect([...one.calls]).toEqual([['DescribeNamespace', 2]]);
});

test('an API key is shown, and so are headers of one’s own', async () => {
  const { front: one, target } = await front(false);
  const seen: (string | null)[] = [];
  one.refuses = ({ key, namespace }) => {
    seen.push(`${namespace} ${key}`);
    return { code: 0, message: '' };
  };
  await dialTemporal(target(undefined, { apiKey: 'sesame' }), 5_000);
  await dialTemporal(target(undefined, { metadata: { authorization: 'Bearer barley' } }), 5_000);
  expect(seen).toEqual(['prod.a1b2c sesame', 'prod.a1b2c barley']);
});

test.each<[string, Refused, RegExp]>([
  [
    'a key that is wrong',
    { code: 16, message: 'Unauthorized: key expired' },
    /^temporal-refused: .*namespace "prod\.a1b2c": Unauthorized: key expired\. .*engine adopt/,
  ],
  [
    'no right to the namespace',
    { code: 7, message: 'Request unauthorized.' },
    /^temporal-refused: .*Request unauthorized\. See/,
  ],
  [
    'no such namespace',
    { code: 5, message: 'Namespace prod.a1b2c is not found.' },
    /^temporal-namespace: Temporal at ADDRESS has no namespace "prod\.a1b2c"/,
  ],
  ['anything else', { code: 14, message: 'upstream 100% gone' }, /^temporal-unreachable: .*upstream 100% gone\./],
])('%s', async (_what, answer, words) => {
  const { target } = await front(false, answer);
  expect(await dialled(target())).toMatch(words);
});

test('certificates that do not do', async () => {
  const { front: one, target, pair } = await front(true);
  const other = await createAuthority('other');
  const subject = { cn: 'client', ou: 'operator', o: 'other' } as const;
  expect(await dialled(target({ ca: other.certificate, ...pair }))).toMatch(
    /CA that is not trusted here .*TEMPORAL_TLS_SERVER_CA_CERT_PATH/,
  );
  expect(await dialled(target(true))).toMatch(/CA that is not trusted here/);
  expect(await dialled(target({ ca: one.ca, ...pair, serverName: 'elsewhere' }))).toMatch(
    /for another name .*TEMPORAL_TLS_SERVER_NAME/,
  );
  expect(await dialled(target({ ca: one.ca }))).toMatch(
    /client certificate, and was shown none.*TEMPORAL_TLS_CLIENT_CERT_PATH/,
  );
  expect(await dialled(target({ ca: one.ca, ...(await issueWithKey(other, { subject })) }))).toMatch(
    // Node's server ends such a connection without a word; Go's and OpenSSL's send an alert, which the next test has.
    /ended the connection without an answer, as one does that does not take the client certificate/,
  );
  expect(await dialled(target({ ca: one.ca, certificate: 'no', key: 'PEM' }))).toMatch(/^temporal-unreachable: /);
  expect(await dialled(target(false))).toMatch(/as one does that speaks TLS alone/);
  expect([...one.calls]).toEqual([]);
});

test.each([
  [
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:../ssl.c:1:SSL alert number 48',
    /does not know the CA that issued it \(tlsv1 alert unknown ca\)\..*accepted-client-ca/,
  ],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'sslv3 alert certificate expired', /client certificate has ended/],
  ['CERT_HAS_EXPIRED', 'certificate has expired', /its certificate has ended/],
])('what a server says by TLS: %s', (code, message, words) => {
  const error = explain(Object.assign(new Error(message), { code }), 'ADDRESS', 'default');
  expect(`${error.message} ${error.todo}`).toMatch(words);
});

test('no Temporal at all', async () => {
  const web = createServer((_request, response) => response.end('hello'));
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  closing.push(async () => web.close());
  const address = `127.0.0.1:${(web.address() as AddressInfo).port}`;
  expect(await dialled({ address, namespace: 'default' })).toMatch(/^temporal-unreachable: /);
  expect(await dialled({ address, namespace: 'default', tls: true })).toMatch(/does not speak TLS there/);
  expect(await dialled({ address: NOBODY, namespace: 'default' })).toMatch(/ECONNREFUSED/);
  expect(await dialled({ address: 'no-such-host.invalid:7233', namespace: 'default' })).toMatch(
    /no-such-host\.invalid/,
  );
});

test('one that is silent', async () => {
  const silent = listen().listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  closing.push(async () => silent.close());
  const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  expect(await dialled({ address, namespace: 'default' }, 300)).toMatch(/nothing answered within 0\.3 s/);
});
