import { expect, test } from 'vitest';
import { colours } from '../colour.js';
import { symbols } from '../output.js';
import { type Check, type Finding, runChecks, well, wrong } from './finding.js';
import { findingsText, stillWrong } from './text.js';

const look = { sign: symbols({ ascii: true }), paint: colours(process.stdout), width: 60 };
const finding = (more: Partial<Finding>): Finding => ({
  where: 'demo',
  check: 'instances',
  ...well('fine'),
  fixed: null,
  ...more,
});

test('by place, with what to do, and what --fix could do', () => {
  const fix = { kind: 'start-singletons' } as const;
  const text = findingsText(
    [finding({ where: '', check: 'disk' }), finding(wrong('one is left over', 'End it.      Or leave it.', fix))],
    look,
  );
  expect(text).toBe(
    [
      'this machine',
      '+ disk       fine',
      '',
      'demo',
      'x instances  one is left over',
      '             `-> End it.',
      '             `-> Or leave it.',
      '',
      'One thing is wrong. One of them can be put right with: quorate doctor --fix',
    ].join('\n'),
  );
});

test('what was put right is wrong no more; what could not be says why', () => {
  const right = finding({ ...wrong('left over', 'End it.'), fixed: { done: true, said: 'it is terminated' } });
  const not = finding({ ...wrong('left over', 'End it.'), fixed: { done: false, said: 'it is in use' } });
  expect([right, not].map(stillWrong)).toEqual([false, true]);
  expect(findingsText([right], look)).toContain('put right: it is terminated\n\nAll is well.');
  expect(findingsText([not], look)).toContain('could not be put right: it is in use');
});

test('a check that fails is a finding; one that lacks what it needs is not made', async () => {
  const checks: Check<null>[] = [
    { name: 'a', needs: ['temporal'], run: async () => [well('asked')] },
    {
      name: 'b',
      needs: [],
      run: async () => {
        throw new Error('out of order');
      },
    },
  ];
  expect(await runChecks('demo', checks, null, ['temporal'])).toMatchObject([
    { where: 'demo', check: 'b', well: false, seen: 'could not be looked at: out of order' },
  ]);
  expect((await runChecks('demo', checks, null)).map(({ check }) => check)).toEqual(['a', 'b']);
});
