import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuthority, issueWithKey } from './authority.js';
import { subjectFrom, subjectOf } from './certificate.js';
import { subjectIn } from './peer.js';

test('a subject is read as Node reads it, whatever is in the name', async () => {
  const authority = await createAuthority('u');
  const names = ['machine-7', 'ana@example.com', 'Zoë', 'a,b', 'a+b', 'OU=operator', 'a\\b', 'a;b'];
  for (const cn of names) {
    const { certificate } = await issueWithKey(authority, { subject: { cn, ou: 'agent', o: 'u' } });
    const subject = subjectFrom(subjectIn(new X509Certificate(certificate)));
    expect(subject).toEqual(subjectOf(certificate));
    expect(subject).toMatchObject({ ou: 'agent', o: 'u' });
  }
});

test('one that is not of our kind is refused', async () => {
  const authority = await createAuthority('u');
  expect(() => subjectFrom(subjectIn(new X509Certificate(authority.certificate)))).toThrow('does not name one CN');
});
