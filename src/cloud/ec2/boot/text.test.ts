import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBootFiles } from './files.js';
import type { BootSources } from './sources.js';
import { bootText, lean } from './text.js';

const archive = (name: string) => ({
  url: `https://quorate-6f0c1f3e-8f56-4c0e-9b7b-1f1f9b0c2d3e.s3.ap-southeast-2.amazonaws.com/parts/${name}-${'ab'.repeat(32)}.tar.xz`,
  sha256: 'ab'.repeat(32),
  access: 'role' as const,
});
const SOURCES: BootSources = {
  version: '0.1.0',
  region: 'ap-southeast-2',
  node: { x86_64: archive('node-v20.20.2-linux-x64'), arm64: archive('node-v20.20.2-linux-arm64') },
  mongod: { x86_64: archive('mongod'), arm64: { system: 'mongodb-org-server' } },
  agent: { x86_64: archive('quorate-x86_64'), arm64: archive('quorate-arm64') },
};
const FILES = readBootFiles();
const BOOT = { sources: SOURCES, architecture: 'x86_64', ports: { api: 17070, mongo: 37017 }, files: FILES } as const;
/** As the API gives it, with seven controllers and two CAs, as while one is replaced by another. */
const USER_DATA = JSON.stringify({
  quorate: 1,
  environment: { name: 'production-in-sydney', uuid: '6f0c1f3e-8f56-4c0e-9b7b-1f1f9b0c2d3e' },
  machine: '12345',
  nonce: '3e8f1b6c-8f56-4c0e-9b7b-1f1f9b0c2d3e',
  addresses: Array.from({ length: 7 }, (_, n) => `172.31.200.${100 + n}:17070`),
  url: 'https://quorate-6f0c1f3e-8f56-4c0e-9b7b-1f1f9b0c2d3e.s3.ap-southeast-2.amazonaws.com/addresses.json',
  ca: `-----BEGIN CERTIFICATE-----\n${`${'x'.repeat(64)}\n`.repeat(9)}-----END CERTIFICATE-----\n`.repeat(2),
  token: '0123456789abcdef'.repeat(4),
  install: { source: 'local', version: '0.1.0' },
});

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-boot-text-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

test('the same bytes for the same input, which Amazon takes at their longest', () => {
  const text = bootText(USER_DATA, BOOT);
  expect(bootText(USER_DATA, BOOT)).toBe(text);
  expect(Buffer.byteLength(text)).toBeLessThan(16_384);
  expect(text.startsWith('#cloud-boothook\n#!/bin/sh\n')).toBe(true);
  expect(text.split('\n')).toContain(USER_DATA);
});

test('of the architectures it names the one that the instance has', () => {
  const text = bootText(USER_DATA, { ...BOOT, architecture: 'arm64' });
  expect(text).toContain('\nmongod arm64 system mongodb-org-server\n');
  expect(text).not.toContain('linux-x64');
});

test('other parts of one version are another release', () => {
  const release = (sources: BootSources) => /release='(.*)'/.exec(bootText(USER_DATA, { ...BOOT, sources }))?.[1];
  expect(release(SOURCES)).toMatch(/^0\.1\.0-[0-9a-f]{12}$/);
  const other = { ...SOURCES, agent: { x86_64: { ...archive('quorate'), sha256: 'cd'.repeat(32) } } };
  expect(release(other)).not.toBe(release(SOURCES));
  expect(release({ ...SOURCES, arm: {} } as BootSources)).toBe(release(SOURCES));
});

const refused: readonly (readonly [string, Partial<BootSources>, string, RegExp])[] = [
  ['a part from nowhere', { node: {} }, 'no-source', /node for x86_64/],
  ['an address with a space', { node: { x86_64: { ...archive('n'), url: 'https://a/b c' } } }, 'bad-source', /'https:/],
  ['a file', { agent: { x86_64: { ...archive('n'), url: 'file:///etc' } } }, 'bad-source', /fetched from/],
  ['half a SHA-256', { mongod: { x86_64: { ...archive('n'), sha256: 'ab' } } }, 'bad-source', /no SHA-256 of mongod/],
  ['a package that is a command', { node: { x86_64: { system: 'a; rm -r /' } } }, 'bad-source', /no package of node/],
  ['a version that leads elsewhere', { version: '../..' }, 'bad-source', /is no version/],
  ['a region that is none', { region: "x'" }, 'bad-region', /no region/],
];
test.each(refused)('%s is refused', (_, change, code, message) => {
  const boot = { ...BOOT, sources: { ...SOURCES, ...change } };
  const error = expect.objectContaining({ code, message: expect.stringMatching(message) });
  expect(() => bootText(USER_DATA, boot)).toThrow(error);
});

test('user data of more than one line is refused, as it could end its own text', () => {
  expect(() => bootText('{\nQUORATE-END\nrm', BOOT)).toThrow(expect.objectContaining({ code: 'bad-user-data' }));
});

describe('what is left out of the scripts', { timeout: 60_000 }, () => {
  test('changes nothing of what Python reads', () => {
    const dump = (script: string) =>
      execFileSync('python3', ['-c', 'import ast, sys; print(ast.dump(ast.parse(sys.stdin.read())))'], {
        input: script,
      });
    expect(lean(FILES.fetch).length).toBeLessThan(FILES.fetch.length);
    expect(dump(lean(FILES.fetch)).equals(dump(FILES.fetch))).toBe(true);
  });

  test('leaves shell that both shells read, and shellcheck has nothing against', ({ skip }) => {
    const hook = path.join(directory, 'hook');
    writeFileSync(hook, bootText(USER_DATA, BOOT));
    const steps = path.join(directory, 'steps');
    writeFileSync(steps, lean(FILES.boot));
    for (const shell of ['dash', 'bash']) {
      for (const script of [hook, steps]) {
        const { status, stderr } = spawnSync(shell, ['-n', script], { encoding: 'utf8' });
        expect({ shell, status, stderr }).toEqual({ shell, status: 0, stderr: '' });
      }
    }
    const scripts = [path.join('boot', 'quorate-boot'), hook];
    // SC1128: cloud-init takes the hook's first line away.
    const checked = spawnSync('shellcheck', ['-s', 'sh', '-e', 'SC1128', '-f', 'gcc', ...scripts], {
      encoding: 'utf8',
    });
    skip(checked.error !== undefined, 'shellcheck is not installed: apt-get install shellcheck');
    expect(checked.stdout).toBe('');
  });
});
