import { expect, test, vi } from 'vitest';
import type { Cloud, InstanceHealth, InstanceState } from '../src/cloud/cloud.js';
import { Checks, inTurn } from './checks.js';

const instance = (machine: string, state: InstanceState = 'running') => ({
  id: `i-${machine}`,
  state,
  tags: { environment: 'e', machine, nonce: machine },
});
const health = (machine: string, checks: InstanceHealth['checks'], retiresAt = ''): InstanceHealth => ({
  instance: `i-${machine}`,
  checks,
  retiresAt,
});
/** A cloud that is asked about checks alone. */
const cloudOf = (answer: (ids: readonly string[]) => Promise<readonly InstanceHealth[]>) => {
  const asked: (readonly string[])[] = [];
  const ask = async (ids: readonly string[]) => {
    asked.push(ids);
    return await answer(ids);
  };
  return { cloud: { health: ask } as unknown as Cloud, asked };
};

test('of those that run, what fails or goes is told, and the cloud is asked twice a minute at most', async () => {
  vi.useFakeTimers();
  try {
    let first: InstanceHealth['checks'] = 'failing';
    const { cloud, asked } = cloudOf(async () => [health('0', first), health('1', 'unknown', '2026-01-02T00:00:00Z')]);
    const checks = new Checks(() => undefined);
    const instances = [instance('0'), instance('1'), instance('2'), instance('3', 'stopped')];
    const look = async () => [...(await checks.amiss(cloud, 'e', instances, ['0'])).keys()];
    expect(await look()).toEqual(['i-0', 'i-1']);
    first = 'passing';
    vi.advanceTimersByTime(15_000);
    expect(await look()).toEqual(['i-0', 'i-1']);
    expect(asked).toEqual([['i-0', 'i-1', 'i-2']]);
    vi.advanceTimersByTime(15_000);
    expect(await look()).toEqual(['i-1']);
    expect(asked).toHaveLength(2);
    // What does not run has no checks.
    expect([...(await checks.amiss(cloud, 'e', [instance('1', 'stopped')], [])).keys()]).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test('two environments of one worker are asked about apart; a cloud without checks is never asked', async () => {
  const { cloud, asked } = cloudOf(async () => []);
  const checks = new Checks(() => undefined);
  await checks.amiss(cloud, 'e', [instance('0')], []);
  await checks.amiss(cloud, 'f', [instance('1')], []);
  expect(asked).toEqual([['i-0'], ['i-1']]);
  expect((await checks.amiss({} as Cloud, 'e', [instance('0')], [])).size).toBe(0);
});

test('while the cloud cannot be asked, what it said last holds', async () => {
  vi.useFakeTimers();
  try {
    let answers = true;
    const { cloud } = cloudOf(async () => {
      if (!answers) throw new Error('throttled');
      return [health('0', 'failing')];
    });
    const reasons: string[] = [];
    const checks = new Checks((reason) => reasons.push(reason));
    expect((await checks.amiss(cloud, 'e', [instance('0')], [])).size).toBe(1);
    answers = false;
    vi.advanceTimersByTime(60_000);
    expect((await checks.amiss(cloud, 'e', [instance('0')], [])).size).toBe(1);
    expect(reasons).toEqual(['throttled']);
  } finally {
    vi.useRealTimers();
  }
});

test('with thousands of machines controllers are asked about each time, the others in turn', () => {
  const machines = Array.from({ length: 250 }, (_, index) => instance(String(index)));
  const seen = new Map<string, { at: number }>();
  const turns = [1, 2, 3].map((at) => {
    const ids = inTurn(machines, ['249', '248'], seen);
    for (const id of ids) seen.set(id, { at });
    return ids;
  });
  for (const ids of turns) expect([ids.length, ...ids.slice(0, 2)]).toEqual([100, 'i-248', 'i-249']);
  expect(new Set(turns.flat()).size).toBe(250);
});
