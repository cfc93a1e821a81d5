import { expect, test } from 'vitest';
import { QuorateError } from '../errors.js';
import { validateEnvironmentName } from './names.js';

test.each(['demo', 'a', 'my-env-2', 'a'.repeat(40)])('%s is a name', (name) => {
  expect(() => validateEnvironmentName(name)).not.toThrow();
});

test.each([
  ['', 'is empty'],
  ['a'.repeat(41), '41 characters'],
  ['a/b', 'has a /'],
  ['/etc', 'has a /'],
  ['..', 'two dots'],
  ['a..b', 'two dots'],
  ['Demo', 'capital'],
  ['dÉmo', 'capital'],
  ['2demo', 'begin with a letter'],
  ['-demo', 'begin with a letter'],
  ['de mo', '" "'],
  ['demo\n', '"\\n"'],
  ['demo\u{1F600}', '\u{1F600}'],
  ['demo.', '"."'],
  ['de--mo', 'dash'],
  ['demo-', 'dash'],
])('%j is refused: %s', (name, reason) => {
  const refusal = (() => {
    try {
      validateEnvironmentName(name);
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toBeInstanceOf(QuorateError);
  expect(refusal).toMatchObject({ code: 'bad-name', exit: 2 });
  expect((refusal as QuorateError).message).toContain(reason);
});
