import { expect, test } from 'vitest';
import type { InstanceState } from '../src/cloud/cloud.js';
import { onePerMachine, withFaults, withHealth, wordsOf } from './instances.js';

const instance = (id: string, machine: string, state: InstanceState, startedAt: string) => ({
  id,
  state,
  startedAt,
  tags: { environment: 'e', machine, nonce: id },
});

test('the word on one that carries a machine’s tag by mistake is not taken for the machine’s', () => {
  const own = instance('own', '1', 'running', '2026-01-01T00:00:01Z');
  const late = instance('late', '1', 'running', '2026-01-01T00:00:02Z');
  const gone = instance('gone', '1', 'terminated', '2026-01-01T00:00:00Z');
  const other = instance('other', '2', 'terminated', '2026-01-01T00:00:00Z');
  expect(onePerMachine([gone, late, other, own]).map(({ id }) => id)).toEqual(['own', 'other']);
});

const told = (id: string, state: InstanceState, second = 0) => ({
  ...instance(`i-${id}`, id, state, `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`),
  address: '127.0.0.1',
  ports: { api: 17070, mongo: 37017 },
});

test('with thousands of machines little is told: who is concerned, and of others what does not run', () => {
  const thousands = Array.from({ length: 5000 }, (_, index) => told(String(index), 'running'));
  const instances = [...thousands, told('6000', 'stopped'), told('6001', 'terminated'), told('6002', 'paused')];
  const words = wordsOf(instances, ['0', '1', '2', '7000']);
  expect(Object.keys(words)).toEqual(['0', '1', '2', '6000', '6001', '6002']);
  expect(words['0']?.instance.state).toBe('running');
});

test('one that is concerned is told of however many others have ended since', () => {
  const ended = Array.from({ length: 50 }, (_, index) => told(String(100 + index), 'terminated', 30));
  expect(wordsOf([told('1', 'terminated'), ...ended], ['1'])).toHaveProperty('1');
  expect(Object.keys(wordsOf([told('1', 'terminated'), ...ended], []))).toHaveLength(10);
});

test('an older workflow, which names nobody, is told of all', () => {
  expect(Object.keys(wordsOf([told('0', 'running'), told('9', 'running')], null))).toEqual(['0', '9']);
});

test('why one does not come up is part of the word on it, and so is where it is dialled from outside', () => {
  const words = wordsOf([{ ...told('1', 'running'), publicAddress: '203.0.113.9' }, told('2', 'running')], ['1', '2']);
  const faulty = withFaults(words, new Map([['i-1', 'It cannot get mongod.']]));
  expect(faulty['1']?.instance).toMatchObject({ publicAddress: '203.0.113.9', fault: 'It cannot get mongod.' });
  expect(faulty['2']).toEqual(words['2']);
});

test('what the cloud’s checks find is part of the word on it', () => {
  const words = wordsOf([told('1', 'running'), told('2', 'running')], ['1', '2']);
  const at = '2026-01-02T03:04:05.000Z';
  const seen = withHealth(
    words,
    new Map([
      ['i-1', { instance: 'i-1', checks: 'failing' as const, retiresAt: '' }],
      ['i-2', { instance: 'i-2', checks: 'passing' as const, retiresAt: at }],
    ]),
  );
  expect(seen['1']?.instance).toEqual({ ...words['1']?.instance, checks: 'failing' });
  expect(seen['2']?.instance).toEqual({ ...words['2']?.instance, retiresAt: at });
});
