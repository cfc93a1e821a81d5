import { afterEach, expect, test } from 'vitest';
import { Home, until } from '../support/home.js';

let home: Home | null = null;
afterEach(async () => {
  await home?.close();
  home = null;
});

test('quickstart grows, breaks and shrinks an environment, loses nothing, and cleans up after itself', async () => {
  home = new Home();
  const { code, stdout, stderr } = await home.run('quickstart');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(/Environment "demo" with one controller/);
  expect(stdout).toMatch(/Workload machines 1 and 2: their agents are there/);
  expect(stdout).toMatch(/exec on machines 1 and 2 went on meanwhile: 80 lines each, none missing/);
  expect(stdout).toMatch(/enable-ha: three controllers vote/);
  expect(stdout).toMatch(/Killed the primary \(mongod of machine \d, SIGKILL\); machine \d took over/);
  expect(stdout).toMatch(/Powered off machine \d from the cloud's control panel; machine \d took over/);
  expect(stdout).toMatch(/disable-ha: back to one controller/);
  const [, acknowledged = '0', lost] = /Acknowledged ([\d,]+) writes, lost (\d+)\./.exec(stdout) ?? [];
  expect(Number(acknowledged.replaceAll(',', ''))).toBeGreaterThan(100);
  expect(lost).toBe('0');

  const status = await home.status();
  expect(status.environment.phase).toBe('default');
  expect(status.controllers).toHaveLength(1);

  const again = await home.run('quickstart');
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/there is an environment 'demo' already/);

  await home.ok('quickstart', '--cleanup');
  expect(home.processes()).toEqual([]);
  const afterwards = await home.run('status');
  expect(afterwards.code).toBe(1);
  expect(afterwards.stderr).toMatch(/there is no environment yet/);
});

test('interrupted in the middle of a change it says how to remove all of it, which does', async () => {
  home = new Home();
  const { child, done } = home.start('quickstart', '-e', 'mine');
  let seen = '';
  child.stdout?.on('data', (chunk) => {
    seen += chunk;
  });
  await until('the environment to be there', async () => /with one controller/.test(seen));
  await until('enable-ha to run', async () => (await home?.status())?.change?.kind === 'enable-ha');
  child.kill('SIGINT');
  const { code, stderr } = await done;
  expect(code).toBe(130);
  const [, typed = ''] = /remove all of it with: npx quorate (.+)\n/.exec(stderr) ?? [];
  expect(typed).toBe('quickstart --cleanup -e mine');
  await home.ok(...typed.split(' '));
  expect(home.processes()).toEqual([]);
});
