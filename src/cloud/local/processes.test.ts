import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { listProcesses, parsePs, parseStat } from './processes.js';

test('a line of /proc/PID/stat, whatever the name', () => {
  const line = (name: string, state: string) =>
    `4711 (${name}) ${state} 1 4700 4700 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 2000 100`;
  expect(parseStat(line('sh', 'S'))).toEqual({ pid: 4711, group: 4700, stopped: false, startedAt: 987654 });
  expect(parseStat(line('a) T (b', 'T'))).toEqual({ pid: 4711, group: 4700, stopped: true, startedAt: 987654 });
  expect(parseStat(line('sh', 'Z'))).toBeNull();
});

test('lines of ps, as macOS prints them', () => {
  const text = [
    '    1     1 Ss   Thu Jan  1 10:00:00 2026     /sbin/launchd',
    '  501   501 T    Fri Jan  2 11:12:13 2026     /bin/sh /q/init PATH=/bin QUORATE_INSTANCE=i-1 HOME=/h',
    '  502   501 Z    Fri Jan  2 11:12:14 2026     (node)',
    '',
  ].join('\n');
  const at = (when: string) => Date.parse(when);
  expect(parsePs(text)).toEqual([
    { pid: 1, group: 1, stopped: false, startedAt: at('Jan 1 2026 10:00:00'), instance: null },
    { pid: 501, group: 501, stopped: true, startedAt: at('Jan 2 2026 11:12:13'), instance: 'i-1' },
  ]);
});

test('this machine: a child with the mark is seen with its group and start', async () => {
  const child = spawn('sleep', ['60'], { env: { PATH: process.env.PATH, QUORATE_INSTANCE: 'i-test' }, detached: true });
  try {
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    const found = (await listProcesses()).find((each) => each.pid === child.pid);
    expect(found).toMatchObject({ group: child.pid, instance: 'i-test', stopped: false });
    const mine = (await listProcesses()).find((each) => each.pid === process.pid);
    expect(mine?.instance).toBe('');
    expect(mine?.startedAt).toBeLessThanOrEqual(found?.startedAt ?? 0);
  } finally {
    child.kill('SIGKILL');
  }
});
