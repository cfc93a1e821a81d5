import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Outcome, Read, Write } from '../campaign/history.js';
import { checkLinearizable, hasPorcupine } from '../campaign/linearizable.js';

const directory = mkdtempSync(join(tmpdir(), 'quorate-test-porcupine-'));
afterAll(() => rmSync(directory, { recursive: true }));

let client = 0;
function write(version: number, value: string, outcome: Outcome, invokedAt: number, returnedAt: number): Write {
  client += 1;
  return { kind: 'write', key: 'r', why: '', client, version, value, outcome, invokedAt, returnedAt };
}
function read(version: number, value: string, invokedAt: number, returnedAt: number): Read {
  client += 1;
  return { kind: 'read', key: 'r', why: '', client, version, value, outcome: 'ok', invokedAt, returnedAt };
}

/** Said to be skipped where there is no Go. */
const describeHere = describe.skipIf(!hasPorcupine());

describeHere('accepted', () => {
  test.each<[string, (Write | Read)[]]>([
    ['one after the other', [write(0, 'a', 'ok', 0, 1), write(1, 'b', 'ok', 2, 3), read(2, 'b', 4, 5)]],
    ['one that lost', [write(0, 'a', 'ok', 0, 4), write(0, 'b', 'fail', 1, 5), read(1, 'a', 6, 7)]],
    ['unknown and done', [write(0, 'a', 'unknown', 0, 1), write(1, 'b', 'ok', 2, 3), read(2, 'b', 4, 5)]],
    ['unknown and not done', [write(0, 'a', 'unknown', 0, 1), write(0, 'b', 'ok', 2, 3), read(1, 'b', 4, 5)]],
    ['unknown and done late', [write(0, 'a', 'unknown', 0, 1), read(0, '', 2, 3), read(1, 'a', 4, 5)]],
    [
      'many unknown ones of which one was done',
      [
        ...Array.from({ length: 12 }, (_, index) => write(0, `u${index}`, 'unknown', index, index + 1)),
        write(1, 'b', 'ok', 20, 21),
        read(2, 'b', 22, 23),
      ],
    ],
  ])('%s', async (_, operations) => {
    expect(await checkLinearizable(operations, directory)).toEqual([]);
  });
});

describeHere('rejected', () => {
  test.each<[string, (Write | Read)[]]>([
    ['two that won from the same version', [write(0, 'a', 'ok', 0, 3), write(0, 'b', 'ok', 1, 4)]],
    ['a lost write', [write(0, 'a', 'ok', 0, 1), read(0, '', 2, 3)]],
    ['an old read', [write(0, 'a', 'ok', 0, 1), write(1, 'b', 'ok', 2, 3), read(1, 'a', 4, 5)]],
    ['a refusal without a reason', [write(0, 'a', 'fail', 0, 1)]],
    ['one that counted before it began', [write(1, 'b', 'ok', 0, 1), write(0, 'a', 'ok', 2, 3)]],
    ['a value that nobody wrote', [write(0, 'a', 'ok', 0, 1), read(1, 'x', 2, 3)]],
    [
      'an unknown one that was done and undone',
      [write(0, 'a', 'unknown', 0, 1), read(1, 'a', 2, 3), read(0, '', 4, 5)],
    ],
  ])('%s', async (_, operations) => {
    const [anomaly] = await checkLinearizable(operations, directory);
    expect(anomaly?.what).toMatch(/^r: is not linearizable/);
    expect(anomaly?.operations.length).toBeGreaterThan(0);
    expect(readdirSync(directory)).toContain('r.html');
  });
});
