import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Constraints, constraintsText, parseConstraints } from './constraints.js';

test('several in one word or word by word, sizes with their units', () => {
  const all = { cores: 2, memMiB: 4096, diskGiB: 20, zones: ['a', 'b'], instanceType: 'local.small' };
  expect(parseConstraints(['cores=2 mem=4G  disk=20G', 'zone=a,b,a', 'instance-type=local.small'])).toEqual(all);
  expect(constraintsText(all)).toBe('cores=2 mem=4G disk=20G zone=a,b instance-type=local.small');
  expect(parseConstraints(['mem=512', 'disk=512M'])).toEqual({ memMiB: 512, diskGiB: 1 });
  expect(parseConstraints(['mem=1.5GiB disk=1T'])).toEqual({ memMiB: 1536, diskGiB: 1024 });
  expect(parseConstraints([])).toEqual({});
  expect(constraintsText({})).toBe('');
});

describe('refused in words, as wrong usage', () => {
  test.each([
    ['cores=2 cores=4', /cores=2 and cores=4 contradict each other/],
    ['colour=red', /no constraint 'colour'/],
    ['cores', /'cores' is no constraint/],
    ['cores=', /'cores=' is no constraint/],
    ['zone=,', /'zone=,' is no constraint/],
    ['=2', /'=2' is no constraint/],
    ['cores=0', /no number of cores/],
    ['cores=-1', /no number of cores/],
    ['cores=1.5', /no number of cores/],
    ['cores=99999999', /no number of cores/],
    ['mem=0', /no size of memory/],
    ['mem=4X', /no size of memory/],
    ['disk=lots', /no size of a disk/],
    ['disk=999999999T', /no size of a disk/],
  ])('%s', (text, message) => {
    expect(() => parseConstraints([text])).toThrow(
      expect.objectContaining({ code: 'bad-constraints', exit: 2, message: expect.stringMatching(message) }),
    );
  });
});

test('said twice alike it is said once', () => {
  expect(parseConstraints(['cores=2', 'cores=2'])).toEqual({ cores: 2 });
});

test('what is printed is understood as the same', () => {
  const given = fc.record(
    {
      cores: fc.integer({ min: 1, max: 65_536 }),
      memMiB: fc.integer({ min: 1, max: 2 ** 30 }),
      diskGiB: fc.integer({ min: 1, max: 2 ** 20 }),
      zones: fc.uniqueArray(fc.constantFrom('a', 'b', 'eu-west-1a'), { minLength: 1 }),
      instanceType: fc.constantFrom('local.small', 'm5.large'),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(given, (constraints: Constraints) => {
      expect(parseConstraints([constraintsText(constraints)])).toEqual(constraints);
    }),
  );
});
