import { expect, test } from 'vitest';
import { createAuthority, issueWithKey } from './authority.js';
import { dueForRenewal, isDue, serverName, servesApi, splitPem } from './certificate.js';

const DAY = 86_400_000;
const from = new Date('2026-01-01T00:00:00Z');
const after = (days: number) => new Date(from.getTime() + days * DAY);

test.each([
  [0, false],
  [100, false],
  [200, false],
  [201, true],
  [299, true],
  [300, true],
  [400, true],
])('of 300 days, after %d days it is time to renew: %s', (days, due) => {
  expect(dueForRenewal(from, after(300), after(days))).toBe(due);
});

test('a certificate says by itself whether it is time, and whether it serves the API', async () => {
  const authority = await createAuthority('u');
  const subject = { cn: 'machine-1', ou: 'agent', o: 'u' } as const;
  const long = await issueWithKey(authority, { subject, names: [serverName('u')] });
  expect([isDue(long.certificate), servesApi(long.certificate, 'u')]).toEqual([false, true]);
  // All certificates start an hour back.
  const short = await issueWithKey(authority, { subject, days: 10 / 1440 });
  expect([isDue(short.certificate), servesApi(short.certificate, 'u')]).toEqual([true, false]);
  expect(splitPem(short.certificate + short.key)).toEqual(short);
  expect(splitPem(short.certificate)).toEqual({ certificate: short.certificate, key: '' });
});
