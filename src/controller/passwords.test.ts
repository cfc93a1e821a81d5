import { expect, test } from 'vitest';
import { Passwords } from './passwords.js';

const passwords = new Passwords();

test('a password matches what is kept of it, and no other one does', async () => {
  const kept = await passwords.hash('korrekt hörse');
  expect(JSON.stringify(kept)).not.toContain('korrekt');
  expect(await passwords.matches('korrekt hörse', kept)).toBe(true);
  // The same letters, composed.
  expect(await passwords.matches('korrekt ho\u0308rse', kept)).toBe(true);
  expect(await passwords.matches('korrekt horse', kept)).toBe(false);
  expect(await passwords.matches('korrekt hörse', null)).toBe(false);
}, 60_000);

test('two of one password share nothing', async () => {
  const [one, two] = [await passwords.hash('the same one'), await passwords.hash('the same one')];
  expect(one.salt).not.toBe(two.salt);
  expect(one.hash).not.toBe(two.hash);
}, 60_000);

test('the parameters that were kept are the ones it is tried with', async () => {
  const cheap = { algorithm: 'scrypt', cost: 16, blockSize: 8, parallelization: 1, salt: 'c2FsdA==' } as const;
  // scrypt("password", "salt", N=16, r=8, p=1, 16 bytes)
  const kept = { ...cheap, hash: Buffer.from('f876178f94837d8721ec9d794a5e6232', 'hex').toString('base64') };
  expect(await passwords.matches('password', kept)).toBe(true);
  expect(await passwords.matches('password', { ...kept, cost: 32 })).toBe(false);
});

test('one that is too short is refused', async () => {
  await expect(passwords.hash('7 signs')).rejects.toMatchObject({ code: 'bad-password' });
});

test('a queue that is full refuses with a time to come back', async () => {
  const kept = { algorithm: 'scrypt', cost: 1024, blockSize: 8, parallelization: 1, salt: '', hash: 'eA==' } as const;
  const tries = Array.from({ length: 20 }, () => passwords.matches('x', kept));
  const ended = await Promise.allSettled(tries);
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(16);
  expect(ended.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'too-many', retryAfterSeconds: 5 } });
});
