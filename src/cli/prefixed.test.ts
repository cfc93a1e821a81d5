import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Prefixed } from './prefixed.js';

test('every line gets its prefix, wherever the pieces were cut', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ab\n]{0,6}$/)), (parts) => {
      const prefixed = new Prefixed('3: ');
      const shown = Buffer.concat([...parts.map((part) => prefixed.add(Buffer.from(part))), prefixed.end()]);
      const whole = parts.join('');
      const lines = whole.split('\n').slice(0, whole.endsWith('\n') || whole === '' ? -1 : undefined);
      expect(String(shown)).toBe(lines.map((line) => `3: ${line}\n`).join(''));
    }),
  );
});

test('bytes that are no text stay as they are, and a line without an end is not kept back for ever', () => {
  const prefixed = new Prefixed('');
  expect(prefixed.add(Buffer.from([0xff, 0x00, 0x0a, 0xfe]))).toEqual(Buffer.from([0xff, 0x00, 0x0a]));
  expect(prefixed.add(Buffer.alloc(70_000, 0x61)).length).toBe(70_002);
  expect(prefixed.end().length).toBe(0);
});
