import { expect, test } from 'vitest';
import type { InstanceState } from '../src/cloud/cloud.js';
import { onePerMachine } from './instances.js';

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
