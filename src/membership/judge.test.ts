import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { judgings, observations, pasts } from '../../test/support/membership/arbitrary.js';
import { type Loss, Sentinel } from '../../test/support/membership/restore.js';
import { readJudged } from '../../test/support/membership/scenario.js';
import { type Judgement, judge } from './judge.js';

const folder = new URL('./judgements/', import.meta.url);
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

const time = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** A judgement as `status` could tell it. */
function told({ controllers, action, why, nextLookMs }: Judgement): object {
  const seen = controllers.map(({ machine, verdict, sinceMs, next, inMs }) => {
    const since = sinceMs > 0 ? ` for ${time(sinceMs)}` : '';
    const then = next === '' ? '' : `; ${inMs === null ? '' : inMs === 0 ? 'now: ' : `in ${time(inMs)}: `}${next}`;
    return `${machine} is ${verdict}${since}${then}`;
  });
  return { controllers: seen, action, ...(why === '' ? {} : { why }), 'looks again within': time(nextLookMs) };
}

describe('judgements', () => {
  test.each(names)('%s', async (name) => {
    const { observed, goal, history, settings } = readJudged(
      readFileSync(new URL(`${name}/seen.yaml`, folder), 'utf8'),
    );
    const judgement = judge(observed, goal.controllers, history, settings);
    await expect(stringify(told(judgement), { lineWidth: 0 })).toMatchFileSnapshot(`judgements/${name}/judgement.yaml`);
  });
});

describe('whatever is seen', () => {
  const desired = fc.constantFrom(1, 3, 5, 7);

  test('no healthy controller is replaced, and each has one verdict', () => {
    fc.assert(
      fc.property(observations, desired, pasts, judgings, (observed, wanted, history, settings) => {
        const { controllers, action, machines } = judge(observed, wanted, history, settings);
        const ids = controllers.map(({ machine }) => machine);
        expect(new Set(ids).size).toBe(ids.length);
        if (action === 'none') return;
        for (const id of machines) {
          const machine = observed.machines.find((one) => one.id === id);
          const member = observed.set?.members.find((one) => one.machine === id && one.id === machine?.memberId);
          const answers = member?.healthy === true && ['PRIMARY', 'SECONDARY'].includes(member.state);
          if (machine?.instance === 'terminated') continue;
          expect(machine?.life).toBe('alive');
          expect(machine?.maintenance && !answers).toBe(false);
          if (answers)
            expect(machine).toMatchObject({ agent: expect.stringMatching(/down|stopped/), maintenance: false });
          if (answers) expect(machine?.silentMs).toBeGreaterThanOrEqual(30 * 60_000);
        }
      }),
      { numRuns: 3000 },
    );
  }, 60_000);

  test('nothing is begun while a change runs, beyond three a day, or against auto-replace', () => {
    fc.assert(
      fc.property(observations, desired, pasts, judgings, (observed, wanted, history, settings) => {
        const { action, goal } = judge(observed, wanted, history, settings);
        expect(goal === null).toBe(action === 'none');
        if (action === 'none') return;
        expect(settings).toMatchObject({ changeRuns: false, autoReplace: true });
        expect(history.filter(({ ageMs }) => ageMs < 24 * 3_600_000).length).toBeLessThan(3);
        expect(goal?.controllers).toBeGreaterThanOrEqual(wanted);
        expect((goal?.controllers ?? 0) % 2).toBe(1);
      }),
      { numRuns: 1000 },
    );
  }, 60_000);

  test('it looks again before anything would happen', () => {
    fc.assert(
      fc.property(observations, desired, pasts, judgings, (observed, wanted, history, settings) => {
        const { controllers, nextLookMs } = judge(observed, wanted, history, settings);
        expect(nextLookMs).toBeGreaterThanOrEqual(250);
        for (const { inMs } of controllers)
          if (inMs !== null && inMs >= 250) expect(nextLookMs).toBeLessThanOrEqual(inMs);
      }),
    );
  });
});

describe('losses one after the other', () => {
  const begin = (n: number) => {
    const ids = Array.from({ length: n }, (_, i) => i);
    const written = {
      wanted: `${n} controllers`,
      machines: ids.map((id) => `${id} controller`),
      members: ids.map((id) => `${id} ${id === 0 ? 'PRIMARY' : 'SECONDARY'} vote`),
    };
    return new Sentinel(readJudged(JSON.stringify(written)).observed, n);
  };
  const serving = ({ seen }: Sentinel) => seen.machines.filter(({ life, jobs }) => life === 'alive' && jobs.length > 0);
  const losses = fc.array(
    fc.record({
      victim: fc.nat(6),
      how: fc.constantFrom<Loss>('terminated', 'stopped', 'silent', 'ill'),
      hours: fc.integer({ min: 9, max: 48 }),
    }),
    { maxLength: 8 },
  );

  test('each is made good, and then nothing more is done', () => {
    fc.assert(
      fc.property(fc.constantFrom(3, 5, 7), losses, (n, all) => {
        const sentinel = begin(n);
        for (const { victim, how, hours } of all) {
          sentinel.pass(hours * 3_600_000);
          const machine = serving(sentinel)[victim % n]?.id as string;
          sentinel.lose(machine, how);
          expect(sentinel.judge()).toMatchObject({ action: 'replace', machines: [machine] });
          expect(sentinel.act()?.kind).toBe('done');
          expect(serving(sentinel).length).toBe(n);
          expect(sentinel.seen.set?.members.map(({ votes }) => votes)).toEqual(Array(n).fill(1));
          expect(sentinel.judge()).toMatchObject({ action: 'none', machines: [], why: '' });
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test('a fourth within a day is a person’s, and a day later it is not', () => {
    const sentinel = begin(3);
    for (let i = 0; i < 3; i++) {
      sentinel.lose(serving(sentinel)[0]?.id as string, 'terminated');
      expect(sentinel.act()?.kind).toBe('done');
      sentinel.pass(3_600_000);
    }
    sentinel.lose(serving(sentinel)[0]?.id as string, 'terminated');
    expect(sentinel.act()).toBe(null);
    sentinel.pass(21 * 3_600_000);
    expect(sentinel.act()?.kind).toBe('done');
  });

  test('while no machine comes up it tries again after one and two minutes, and then only once a day has passed', () => {
    const sentinel = begin(3);
    sentinel.barren = true;
    sentinel.lose('1', 'terminated');
    expect(sentinel.act()?.kind).toBe('blocked');
    expect(sentinel.act()).toBe(null);
    sentinel.pass(60_000);
    expect(sentinel.act()?.kind).toBe('blocked');
    sentinel.pass(60_000);
    expect(sentinel.act()).toBe(null);
    sentinel.pass(60_000);
    expect(sentinel.act()?.kind).toBe('blocked');
    sentinel.pass(12 * 3_600_000);
    expect(sentinel.act()).toBe(null);
    sentinel.barren = false;
    sentinel.pass(12 * 3_600_000);
    expect(sentinel.act()?.kind).toBe('done');
    expect(sentinel.judge()).toMatchObject({ action: 'none', why: '' });
  });
});
