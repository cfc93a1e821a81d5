import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { PresenceDocument } from '../../state/documents.js';
import type { MemberFacts } from '../facts.js';
import { define } from './definitions.js';
import { showMembers, showReports } from './gather.js';

const member = (id: number, more: Partial<MemberFacts> = {}): MemberFacts => ({
  id,
  machine: String(id),
  host: `h${id}:37017`,
  vote: true,
  state: 'SECONDARY',
  healthy: true,
  lagSeconds: 0,
  ...more,
});

async function lines(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('what a member says of the set', () => {
  test('is told of each member, and summed', async () => {
    const registry = new Registry();
    showMembers(define(registry), [
      member(0, { state: 'PRIMARY' }),
      member(1, { lagSeconds: 2.5 }),
      member(2, { state: 'DOWN', healthy: false, lagSeconds: null }),
      member(3, { vote: false, machine: null }),
    ]);
    const said = await lines(registry);
    expect(said).toEqual(
      expect.arrayContaining([
        'quorate_own_member_answers 1',
        'quorate_voters 3',
        'quorate_voters_healthy 2',
        'quorate_fault_tolerance 0',
        'quorate_member_state{machine="0",state="PRIMARY"} 1',
        'quorate_member_lag_seconds{machine="1"} 2.5',
        'quorate_member_healthy{machine="2"} 0',
        'quorate_member_vote{machine="h3:37017"} 0',
      ]),
    );
    expect(said.join('\n')).not.toContain('lag_seconds{machine="2"}');
  });

  test('that is gone is told no more', async () => {
    const registry = new Registry();
    const figures = define(registry);
    showMembers(figures, [member(0, { state: 'PRIMARY' }), member(1)]);
    showMembers(figures, [member(0, { state: 'PRIMARY' })]);
    expect((await lines(registry)).join('\n')).not.toContain('machine="1"');
    showMembers(figures, null);
    const said = (await lines(registry)).filter((line) => /member|voters|tolerance/.test(line));
    expect(said).toEqual(['quorate_own_member_answers 0']);
  });
});

test('what agents of controllers report is told of each, anew every time', async () => {
  const registry = new Registry();
  const figures = define(registry);
  const beat = (machine: string, stoodUp: number): PresenceDocument => ({
    _id: machine,
    seq: 1,
    session: 's',
    at: new Date(0),
    since: new Date(0),
    report: {
      status: 'started',
      services: { mongod: { state: 'running', message: '', pid: 1, restarts: 2 } },
      addressVersion: 1,
      sees: [],
      mongod: null,
      succession: { stoodUp, freed: 1, off: 'no other member' },
      disk: { freeBytes: 5, totalBytes: 10 },
      certificateEnds: '2027-01-01T00:00:00.000Z',
    },
  });
  const silentMs = (machine: string) => (machine === '0' ? 0 : 4500);
  showReports(figures, [beat('0', 3), beat('1', 0)], silentMs);
  showReports(figures, [beat('0', 4)], silentMs);
  const said = await lines(registry);
  expect(said).toEqual(
    expect.arrayContaining([
      'quorate_presence_age_seconds{machine="0"} 0',
      'quorate_successions_stood_up_total{machine="0"} 4',
      'quorate_successions_freed_total{machine="0"} 1',
      'quorate_succession_off{machine="0"} 1',
      'quorate_service_restarts_total{machine="0",service="mongod"} 2',
      'quorate_service_running{machine="0",service="mongod"} 1',
      'quorate_disk_free_bytes{machine="0"} 5',
      'quorate_certificate_end_timestamp_seconds{machine="0"} 1798761600',
    ]),
  );
  expect(said.join('\n')).not.toContain('machine="1"');
});
