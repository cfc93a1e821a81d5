import { describe, expect, test } from 'vitest';
import { groupOf, instanceOf, leftoverProblem } from './group.js';
import type { ProcessSeen } from './processes.js';
import type { InstanceRecord } from './records.js';

const ID = 'i-0123456789abcdef0';

function seen(pid: number, group: number, options: Partial<ProcessSeen> = {}): ProcessSeen {
  return { pid, group, stopped: false, startedAt: 1000 + pid, instance: ID, ...options };
}

function recordOf(options: Partial<InstanceRecord> = {}): InstanceRecord {
  return {
    version: 1,
    instance: ID,
    tags: { environment: 'e', machine: '1', nonce: 'n' },
    zone: 'a',
    address: '127.1.2.1',
    ports: { api: 17070, mongo: 37017 },
    power: 'on',
    boots: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    process: { group: 10, startedAt: 1010 },
    ...options,
  };
}

function state(record: InstanceRecord, processes: readonly ProcessSeen[]) {
  const { state, cause } = instanceOf(record, groupOf(ID, record.process, processes));
  return `${state} by ${cause}`;
}

describe('the processes of an instance', () => {
  const leader = { group: 10, startedAt: 1010 };

  test('are its group and whoever carries its mark, in groups of their own too', () => {
    const all = [
      seen(10, 10),
      seen(11, 10, { instance: null }),
      seen(20, 20),
      seen(21, 20, { instance: '' }),
      seen(30, 30, { instance: '' }),
    ];
    const group = groupOf(ID, leader, all);
    expect(group.leader?.pid).toBe(10);
    expect(group.members.map((each) => each.pid)).toEqual([10, 11, 20, 21]);
  });

  test('are not those of a stranger who got the PID', () => {
    const later = seen(10, 10, { startedAt: 5000, instance: '' });
    const sameTick = seen(10, 10, { instance: '' });
    const another = seen(10, 10, { instance: 'i-ffffffffffffffff0' });
    for (const stranger of [later, sameTick, another]) {
      expect(groupOf(ID, leader, [stranger, seen(11, 10, { instance: '' })])).toEqual({ leader: null, members: [] });
    }
  });

  test('are known by PID and start where the mark cannot be seen', () => {
    expect(groupOf(ID, leader, [seen(10, 10, { instance: null })]).leader?.pid).toBe(10);
    expect(groupOf(ID, leader, [seen(10, 10, { instance: null, startedAt: 1 })]).leader).toBeNull();
  });

  test('are found when the leader is dead, and without a record the oldest leads', () => {
    expect(groupOf(ID, leader, [seen(11, 10)])).toMatchObject({ leader: null, members: [{ pid: 11 }] });
    expect(groupOf(ID, null, [seen(40, 40), seen(10, 10), seen(9, 10)]).leader?.pid).toBe(10);
  });
});

describe('the state of an instance', () => {
  test.each([
    ['pending by user', { process: null, boots: 0 }, []],
    ['running by user', { process: null, boots: 0 }, [seen(10, 10)]],
    ['running by user', {}, [seen(10, 10), seen(11, 10, { stopped: true })]],
    ['paused by user', {}, [seen(10, 10, { stopped: true }), seen(11, 10, { stopped: true })]],
    ['stopped by self', {}, []],
    ['stopped by self', {}, [seen(11, 10)]],
    ['stopped by user', { power: 'off' }, []],
    ['stopping by user', { power: 'off' }, [seen(10, 10)]],
    ['stopping by user', { power: 'terminated' }, []],
    ['stopping by user', { power: 'terminated', process: null }, [seen(11, 10)]],
    ['terminated by user', { power: 'terminated', process: null }, []],
  ] as [string, Partial<InstanceRecord>, ProcessSeen[]][])('%s: %j', (expected, record, processes) => {
    expect(state(recordOf(record), processes)).toBe(expected);
  });

  test('leftovers are named with their PIDs, a running instance has none', () => {
    const left = (record: InstanceRecord, all: ProcessSeen[]) =>
      leftoverProblem(ID, record, groupOf(ID, record.process, all));
    expect(left(recordOf(), [seen(11, 10), seen(12, 10)])).toContain('PIDs 11, 12');
    expect(left(recordOf({ power: 'terminated', process: null }), [seen(11, 10)])).toContain('terminate');
    expect(left(recordOf(), [seen(10, 10)])).toBeNull();
    expect(left(recordOf(), [])).toBeNull();
  });
});
