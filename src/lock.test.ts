import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { whileLocked } from './lock.js';

test('one holds the lock, the next is refused at once, and it is free again afterwards', async () => {
  const name = `/somewhere/${crypto.randomUUID()}`;
  const first = whileLocked(name, async () => {
    await expect(whileLocked(name, async () => 'second')).rejects.toMatchObject({ code: 'locked' });
    return 'first';
  });
  expect(await first).toBe('first');
  await expect(
    whileLocked(name, async () => {
      throw new Error('work failed');
    }),
  ).rejects.toThrow('work failed');
  expect(await whileLocked(name, async () => 'again')).toBe('again');
});

test.runIf(process.platform === 'linux')('a lock ends with the process that held it', async () => {
  const name = crypto.randomUUID();
  const address = `quorate-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  const script = `require('net').createServer().listen('\\0${address}', () => console.log('held')); setInterval(() => {}, 1000)`;
  const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  await expect(whileLocked(name, async () => 'mine')).rejects.toMatchObject({ code: 'locked' });
  const gone = new Promise((resolve) => holder.once('exit', resolve));
  holder.kill('SIGKILL');
  await gone;
  expect(await whileLocked(name, async () => 'mine')).toBe('mine');
});
