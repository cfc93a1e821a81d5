import { expect, test } from 'vitest';
import type { Cloud, InstanceState } from '../src/cloud/cloud.js';
import { Boots, young } from './boots.js';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const instance = (id: string, state: InstanceState, minutesAgo: number, now = NOW) => ({
  id,
  state,
  startedAt: new Date(now - minutesAgo * 60_000).toISOString(),
  tags: { environment: 'e', machine: id, nonce: id },
});

test('consoles are read of what runs and is young, the youngest first, and of so many at most', () => {
  const some = [instance('old', 'running', 31), instance('b', 'running', 5), instance('a', 'running', 1)];
  expect(young([...some, instance('off', 'stopped', 1)], NOW).map(({ id }) => id)).toEqual(['a', 'b']);
  expect(
    young(
      Array.from({ length: 50 }, (_, index) => instance(`${index}`, 'running', 1)),
      NOW,
    ),
  ).toHaveLength(20);
});

test('a console is read every half minute while the machine boots, and not again once it has', async () => {
  const asked: number[] = [];
  let now = 0;
  let done = false;
  const boot = async () => {
    asked.push(now);
    return { step: '', fault: done ? '' : 'It cannot get mongod.', done };
  };
  const cloud = { boot } as Partial<Cloud> as Cloud;
  const boots = new Boots(() => now);
  const look = async (at: number) => {
    now = at;
    return [...(await boots.faults(cloud, [instance('i-1', 'running', 1, Date.now())]))];
  };
  expect(await look(0)).toEqual([['i-1', '']]);
  expect(await look(15_000)).toEqual([['i-1', '']]);
  expect(await look(30_000)).toEqual([['i-1', 'It cannot get mongod.']]);
  expect(await look(45_000)).toEqual([['i-1', 'It cannot get mongod.']]);
  done = true;
  expect(await look(60_000)).toEqual([['i-1', '']]);
  expect(await look(120_000)).toEqual([['i-1', '']]);
  expect(asked).toEqual([30_000, 60_000]);
});

test('environments that are looked at in turn hold nobody up', async () => {
  let now = 0;
  const boot = async () => ({ step: '', fault: 'It cannot get mongod.', done: false });
  const cloud = { boot } as Partial<Cloud> as Cloud;
  const boots = new Boots(() => now);
  const look = async (id: string) => (await boots.faults(cloud, [instance(id, 'running', 1, Date.now())])).get(id);
  for (now = 0; now < 30_000; now += 15_000) expect([await look('i-1'), await look('i-2')]).toEqual(['', '']);
  expect([await look('i-1'), await look('i-2')]).toEqual(Array(2).fill('It cannot get mongod.'));
});
