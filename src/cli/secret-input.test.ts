import { expect, test } from 'vitest';
import { firstLine, generatedPassword } from './secret-input.js';

test('a generated password can be read out, and is another one each time', () => {
  const some = Array.from({ length: 50 }, () => generatedPassword());
  for (const password of some) expect(password).toMatch(/^([a-z0-9]{5}-){3}[a-z0-9]{5}$/);
  expect(new Set(some).size).toBe(50);
});

test('every letter is as likely as every other one', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const letters = Array.from(bytes, (byte) => generatedPassword(new Uint8Array(20).fill(byte))[0]);
  const counts = new Map<unknown, number>();
  for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  expect([...counts.values()]).toEqual(Array(32).fill(8));
});

test.each([
  ['secret\n', 'secret'],
  ['secret\r\nmore', 'secret'],
  ['  spaces stay ', '  spaces stay '],
  ['', ''],
])('of %j the password is %j', (contents, password) => {
  expect(firstLine(contents)).toBe(password);
});
