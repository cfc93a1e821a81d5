import { describe, expect, test } from 'vitest';
import { onPath } from './find.js';
import { compareVersions, parseVersion, SERVERS, versionFault } from './servers.js';

describe('versions', () => {
  test.each([
    ['mongod', 'db version v6.0.5\nBuild Info: {\n    "version": "6.0.5"', '6.0.5'],
    ['mongod', 'db version v4.2.19-11-ge2f2736', '4.2.19'],
    ['mongod', 'something else 6.0.5', null],
    ['temporal', 'temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)', '1.9.1'],
    ['temporal', 'temporal version v1.5.0', '1.5.0'],
    ['temporal', '', null],
  ] as const)('%s says %j', (kind, output, version) => {
    expect(parseVersion(SERVERS[kind], output)).toBe(version);
  });

  test('are ordered by number, not by letter', () => {
    expect(['6.0.10', '8.2.6', '6.0.9', '10.0.0'].sort(compareVersions)).toEqual([
      '6.0.9',
      '6.0.10',
      '8.2.6',
      '10.0.0',
    ]);
  });

  test.each([
    ['mongod', '6.0.0', null],
    ['mongod', '8.9.9', null],
    ['mongod', '5.0.31', '5.0.31 is older than 6.0.0'],
    ['mongod', '9.0.0', '9.0.0 is newer than what is known to work (< 9.0.0)'],
    ['temporal', '1.4.9', '1.4.9 is older than 1.5.0'],
    ['temporal', '1.9.1', null],
  ] as const)('%s %s', (kind, version, fault) => {
    expect(versionFault(SERVERS[kind], version)).toBe(fault);
  });
});

test('PATH gives one candidate a folder, in order, and never one of the current directory', () => {
  expect(onPath('mongod', '/usr/local/bin:/usr/bin::bin:/usr/local/bin:/opt/m')).toEqual([
    '/usr/local/bin/mongod',
    '/usr/bin/mongod',
    '/opt/m/mongod',
  ]);
  expect(onPath('temporal', undefined)).toEqual([]);
});
