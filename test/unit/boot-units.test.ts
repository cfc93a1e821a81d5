import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/package.js';

/** Of systemd's scale from 0 (nothing can be done from there) to 10. */
const EXPOSED_AT_MOST = 1.8;
const UNITS = ['quorated.service', 'quorate-boot.service'];

const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
const lacks = analyze('--version').error !== undefined;
if (lacks) console.warn('Skipped, as systemd-analyze is not installed: apt-get install systemd');
const withSystemd = test.skipIf(lacks);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-units-'));
  for (const name of UNITS) {
    const text = readFileSync(path.join(packageRoot(), 'boot', name), 'utf8');
    // What they start is on an instance only.
    writeFileSync(path.join(directory, name), text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true'));
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

withSystemd.each(UNITS)('systemd has nothing against %s', { timeout: 60_000 }, (name) => {
  const { stderr } = analyze('verify', '--man=no', path.join(directory, name));
  // It looks at the machine's other units besides.
  expect(stderr.split('\n').filter((line) => line.includes('quorate'))).toEqual([]);
});

withSystemd('what is broken in one would be seen', { timeout: 60_000 }, () => {
  writeFileSync(path.join(directory, 'quorate-broken.service'), '[Service]\nExecStart=/bin/true\nRestrat=always\n');
  const { stderr } = analyze('verify', '--man=no', path.join(directory, 'quorate-broken.service'));
  expect(stderr).toMatch(/quorate-broken\.service:3: Unknown key.*'Restrat'/);
});

withSystemd('the agent can do little besides its work', { timeout: 60_000 }, () => {
  const { stdout, stderr } = analyze('security', '--offline=true', path.join(directory, 'quorated.service'));
  const exposed = /Overall exposure level for quorated.service: ([\d.]+)/.exec(stdout)?.[1];
  expect({ stderr, exposed: Number(exposed) }).toEqual({ stderr: '', exposed: expect.any(Number) });
  expect(Number(exposed)).toBeLessThanOrEqual(EXPOSED_AT_MOST);
});
