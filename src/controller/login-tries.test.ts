import { expect, test } from 'vitest';
import { LoginTries } from './login-tries.js';

test('a user has ten tries at once, then one every ten seconds, wherever they come from', () => {
  const tries = new LoginTries();
  for (let n = 0; n < 10; n += 1) tries.take(`10.0.0.${n}`, 'ana', 0);
  expect(() => tries.take('10.0.0.11', 'ana', 0)).toThrow(
    expect.objectContaining({ code: 'too-many', retryAfterSeconds: 10 }),
  );
  tries.take('10.0.0.12', 'bob', 0);
  expect(() => tries.take('10.0.0.11', 'ana', 9000)).toThrow(expect.objectContaining({ retryAfterSeconds: 1 }));
  tries.take('10.0.0.11', 'ana', 10_000);
});

test('an address has thirty, whoever it tries to be', () => {
  const tries = new LoginTries();
  for (let n = 0; n < 30; n += 1) tries.take('10.0.0.1', `user-${n}`, 0);
  expect(() => tries.take('10.0.0.1', 'another', 0)).toThrow('from here');
  tries.take('10.0.0.2', 'another', 0);
});

test('one that was right is given back', () => {
  const tries = new LoginTries();
  for (let n = 0; n < 100; n += 1) {
    tries.take('10.0.0.1', 'ana', 0);
    tries.giveBack('10.0.0.1', 'ana', 0);
  }
});
