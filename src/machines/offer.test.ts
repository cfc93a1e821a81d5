import { expect, test } from 'vitest';
import { place } from './offer.js';

const offer = {
  zones: ['a', 'b', 'c'],
  types: [
    { name: 'large', cores: 4, memMiB: 8192, diskGiB: 32 },
    { name: 'small', cores: 1, memMiB: 1024, diskGiB: 8 },
    { name: 'roomy', cores: 2, memMiB: 16_384, diskGiB: 16 },
  ],
};
const refused = (code: string, message: RegExp, todo: RegExp) =>
  expect.objectContaining({
    code,
    exit: 2,
    message: expect.stringMatching(message),
    todo: expect.stringMatching(todo),
  });

test('the smallest type that is large enough, in any zone', () => {
  expect(place({}, offer)).toEqual({ zones: ['a', 'b', 'c'], instanceType: 'small' });
  expect(place({ cores: 2 }, offer).instanceType).toBe('roomy');
  expect(place({ cores: 2, diskGiB: 20 }, offer).instanceType).toBe('large');
  expect(place({ zones: ['c'], instanceType: 'large', cores: 3 }, offer)).toEqual({
    zones: ['c'],
    instanceType: 'large',
  });
});

test('what nobody can meet is refused with what comes nearest', () => {
  expect(() => place({ cores: 8 }, offer)).toThrow(
    refused('unmet-constraints', /meets cores=8\./, /^Nearest comes large \(4 cores, 8G of memory, 32G of disk\)\.$/),
  );
  expect(() => place({ memMiB: 32_768, zones: ['a'] }, offer)).toThrow(
    refused('unmet-constraints', /meets mem=32G\./, /Nearest comes roomy/),
  );
  expect(() => place({ zones: ['a', 'd'] }, offer)).toThrow(
    refused('unmet-constraints', /no zone d/, /It has: a, b, c\./),
  );
  expect(() => place({ instanceType: 'huge' }, offer)).toThrow(
    refused('unmet-constraints', /no instance type huge/, /It has: small, roomy, large\./),
  );
});

test('a type that is smaller than what is asked for beside it contradicts it', () => {
  expect(() => place({ instanceType: 'small', cores: 2, memMiB: 2048 }, offer)).toThrow(
    refused(
      'bad-constraints',
      /instance-type=small and cores=2 mem=2G contradict each other: it is small \(1 core/,
      /./,
    ),
  );
});

test('where nobody said what types there are the cloud chooses', () => {
  expect(place({ cores: 64 }, { zones: [''], types: [] })).toEqual({ zones: [''], instanceType: '' });
});
