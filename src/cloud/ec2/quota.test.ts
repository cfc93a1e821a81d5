import { expect, test } from 'vitest';
import { isStandard, quotaWord, standardCores } from './quota.js';

const SMALL = { name: 't3.small', cores: 2 };

test('families of one quota', () => {
  expect(['t3.small', 'm7g.large', 'c7i.large', 'r7g.large', 'i4i.large'].every(isStandard)).toBe(true);
  expect(
    ['p5.48xlarge', 'g5.xlarge', 'x2gd.medium', 'u-6tb1.metal', 'inf2.xlarge', 'trn1.2xlarge'].some(isStandard),
  ).toBe(false);
});

test('what runs is counted in threads, and spot instances are not', () => {
  const cpu = (CoreCount: number, ThreadsPerCore: number) => ({ CpuOptions: { CoreCount, ThreadsPerCore } });
  expect(
    standardCores([
      { InstanceType: 't3.small', ...cpu(1, 2) },
      { InstanceType: 'm7g.large', ...cpu(2, 1) },
      { InstanceType: 'm5.large', InstanceLifecycle: 'spot', ...cpu(1, 2) },
      { InstanceType: 'p3.2xlarge', ...cpu(4, 2) },
    ]),
  ).toBe(4);
});

test('what is asked for must fit beside what runs', () => {
  expect(quotaWord({ limit: 6, used: 0, type: SMALL, controllers: 3 })).toBeNull();
  expect(quotaWord({ limit: 5, used: 0, type: SMALL, controllers: 3 })).toBe(
    '3 controllers of type t3.small need 6 vCPUs; the account may have 5 in this region and uses 0.',
  );
  expect(quotaWord({ limit: 0, used: 0, type: SMALL, controllers: 1 })).toMatch(
    /^A controller of type t3.small needs 2 vCPUs/,
  );
  expect(quotaWord({ limit: 0, used: 0, type: { name: 'p5.48xlarge', cores: 192 }, controllers: 1 })).toBeNull();
});
