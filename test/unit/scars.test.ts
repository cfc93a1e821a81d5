import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/package.js';

/** Each scar of docs/scars.md is held by tests that are really there. */
interface Scar {
  readonly what: string;
  readonly references: readonly string[];
}

const document = readFileSync(join(packageRoot(), 'docs/scars.md'), 'utf8');
const scars: Scar[] = document
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (---|what happened|rule) /.test(line))
  .map((line) => {
    const [what = '', , tests = ''] = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''));
    return { what, references: [...tests.matchAll(/`([^`]+)`/g)].map(([, reference = '']) => reference) };
  });

test('every scar names its tests', () => {
  expect(scars.length).toBeGreaterThan(30);
  expect(scars.filter(({ references }) => references.length === 0).map(({ what }) => what)).toEqual([]);
});

describe('the tests that docs/scars.md names are there', () => {
  test.each(scars)('$what', ({ references }) => {
    for (const reference of references) expect(isThere(reference), reference).toBe(true);
  });
});

function isThere(reference: string): boolean {
  const scenario = /^scenario (\S+)$/.exec(reference)?.[1];
  if (scenario !== undefined) return existsSync(join(packageRoot(), 'src/membership/scenarios', scenario));
  const [file = '', ...title] = reference.split(': ');
  const path = join(packageRoot(), file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  // The title of a test, or the name of one of a table of tests.
  return ['(', 'name: '].some((before) => text.includes(`${before}'${title.join(': ')}`));
}
