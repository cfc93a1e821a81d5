import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { withoutSecrets } from './secrets.js';

const canary = randomBytes(24).toString('hex');
const pem = (eol: string) => ['-----BEGIN EC PRIVATE KEY-----', canary, '-----END EC PRIVATE KEY-----', ''].join(eol);

describe('what is secret is taken out of a line', () => {
  test.each([
    ['a header', JSON.stringify({ headers: { authorization: `Bearer ${canary}` } })],
    ['a header in words', `it was sent with Authorization: Bearer ${canary}, twice`],
    ['a basic login', `Basic ${Buffer.from(`ana:${canary}`).toString('base64')}`.concat(` ${'x'}`)],
    ['a field', JSON.stringify({ body: { user: 'ana', token: canary } })],
    ['a field of any case', JSON.stringify({ Password: canary, apiKey: canary, boot_key: canary })],
    ["what Temporal's SDK says of an activity", JSON.stringify({ sdk: { taskToken: canary } })],
    ['JSON in a message', JSON.stringify({ msg: JSON.stringify({ token: canary, a: 1 }) })],
    [
      'JSON in a message in a message',
      JSON.stringify({ msg: JSON.stringify({ m: JSON.stringify({ token: canary }) }) }),
    ],
    ['an argument', `quorated --token=${canary} --machine 1`],
    ['a query', `GET /v1/login?password=${canary}&user=ana`],
    ['a private key', pem('\n')],
    ['a private key in JSON', JSON.stringify({ text: pem('\n') })],
    ['a private key that was cut short', pem('\n').slice(0, 60)],
    ['an address with a login', `mongodb://ana:${canary}@127.0.0.1/`],
  ])('%s', (_, line) => {
    const said = withoutSecrets(line);
    expect(said).toContain('[secret]');
    expect(said).not.toContain(canary);
    expect(said).not.toContain(canary.slice(0, 20));
    expect(said).not.toContain(Buffer.from(`ana:${canary}`).toString('base64'));
  });

  test.each([
    [
      'what stands beside it',
      JSON.stringify({ token: canary, user: 'ana', n: 1 }),
      '{"token":"[secret]","user":"ana","n":1}',
    ],
    ['an empty one is no reason to stop', '{"token":"","user":"ana"}', '{"token":"[secret]","user":"ana"}'],
  ])('%s stays', (_, line, left) => {
    expect(withoutSecrets(line)).toBe(left);
  });

  test.each([
    'A bearer token for a user or a program, with a role and an end',
    '{"level":"info","msg":"connected to machine 0 at 127.1.2.3:17070"}',
    '{"tokens":3,"msg":"the resume token is too old"}',
    'https://127.0.0.1:17070/v1/status',
  ])('%s: nothing is', (line) => {
    expect(withoutSecrets(line)).toBe(line);
  });
});
