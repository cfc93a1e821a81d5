import fc from 'fast-check';
import type { JudgeSettings } from '../../../src/membership/judge.js';
import type { Past } from '../../../src/membership/pace.js';
import type { Expired, Goal, Machine, Member, MemberState, Observed, WaitFor } from '../../../src/membership/types.js';
import { LOCAL_GRACE } from '../../../src/membership/waits.js';

/** Mostly sane, sometimes anything: the planner must answer safely whatever it is shown. */
const mostly = <T>(usual: T, ...others: T[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const machine = (id: string): fc.Arbitrary<Machine> =>
  fc
    .record({
      id: fc.constant(id),
      jobs: mostly<Machine['jobs']>(
        ['manage-state', 'manage-environ'],
        [],
        ['host-units'],
        ['host-units', 'manage-state', 'manage-environ'],
      ),
      life: mostly<Machine['life']>('alive', 'dying', 'dead'),
      zone: fc.constantFrom('a', 'b', 'c'),
      memberId: mostly<number | null>(Number(id), null),
      mongo: mostly<string | null>(`10.0.0.${id}:37017`, null),
      instance: mostly<Machine['instance']>('running', 'none', 'pending', 'stopped', 'terminated', 'unknown'),
      problem: mostly('', 'no capacity'),
      agent: mostly<Machine['agent']>('started', 'pending', 'down', 'stopped'),
      silentMs: fc.constantFrom(0, 5_000, 60_000, 40 * 60_000),
      services: fc.record({ mongod: mostly(true, false), api: mostly(true, false), worker: mostly(true, false) }),
      addressVersion: fc.constantFrom(3, 4),
      ageMs: fc.constantFrom(1_000, 10 * 60_000),
      maintenance: mostly(false, true),
      resyncs: mostly(0, 1, 2),
      checks: mostly<'failing' | null>(null, 'failing'),
    })
    .map(({ checks, ...rest }) => (checks === null ? rest : { ...rest, checks }));

type Reach = 'healthy' | 'silent' | 'cut off';

const member = (id: number, primary: boolean): fc.Arbitrary<Member> =>
  fc
    .record({
      id: fc.constant(id),
      machine: mostly<string | null>(String(id), null),
      host: fc.constant(`10.0.0.${id}:37017`),
      votes: mostly<0 | 1>(1, 0),
      priority: mostly(1, 0, 3),
      state: primary
        ? fc.constant<MemberState>('PRIMARY')
        : mostly<MemberState>('SECONDARY', 'STARTUP2', 'RECOVERING', 'DOWN', 'ARBITER'),
      reach: primary ? fc.constant<Reach>('healthy') : mostly<Reach>('healthy', 'silent', 'cut off'),
      optime: mostly<Member['optime']>({ t: 2, s: 100, i: 0 }, { t: 2, s: 90, i: 0 }, { t: 1, s: 100, i: 0 }, null),
      lagMs: fc.constant(null),
      downMs: fc.constantFrom(0, 20 * 60_000),
    })
    .map(({ reach, ...rest }) => ({
      ...rest,
      healthy: reach !== 'silent',
      ...(reach === 'cut off' && { cutOffMs: 20_000 }),
    }));

/** Any observation: up to nine machines, up to nine members of which at most seven vote, in any state. */
export const observations: fc.Arbitrary<Observed> = fc
  .record({ machines: fc.integer({ min: 1, max: 9 }), primary: fc.option(fc.integer({ min: 0, max: 8 })) })
  .chain(({ machines, primary }) =>
    fc.record({
      machines: fc.tuple(...Array.from({ length: machines }, (_, i) => machine(String(i)))),
      members: fc
        .subarray(
          Array.from({ length: 9 }, (_, i) => i),
          { minLength: 1 },
        )
        .chain((ids) => fc.tuple(...ids.map((id) => member(id, id === primary)))),
      primary: fc.constant(primary),
      committed: mostly(true, false),
      unsettled: mostly<string | null>(null, 'an election is under way'),
      noted: fc.boolean(),
      timings: mostly({ heartbeatMs: 500, electionMs: 2000 }, { heartbeatMs: 1000, electionMs: 2000 }),
      published: fc.subarray(Array.from({ length: 9 }, (_, i) => String(i))),
      life: fc.oneof(
        { weight: 19, arbitrary: fc.constant<'alive'>('alive') },
        { weight: 1, arbitrary: fc.constant<'dying'>('dying') },
      ),
      silent: fc.integer({ min: 0, max: 30 }),
    }),
  )
  .map((it): Observed => {
    let votes = 0;
    const members = it.members.map((one) => ({ ...one, votes: one.votes === 1 && votes++ < 7 ? 1 : 0 }) as Member);
    const primary = members.find((one) => one.id === it.primary && one.votes === 1)?.id ?? null;
    return {
      set:
        it.silent === 0
          ? null
          : {
              version: 7,
              term: 2,
              committed: it.committed,
              primary,
              members,
              reference: primary === null ? null : { t: 2, s: 100, i: 0 },
              unsettled: it.unsettled,
              notes: primary === null ? members.map((one) => ({ member: one.id, version: 7, noted: it.noted })) : [],
              timings: it.timings,
            },
      machines: it.machines,
      addresses: { version: 4, machines: it.published },
      environmentVersion: 9,
      life: it.life,
      zones: ['a', 'b', 'c'],
      next: { machine: 20, member: 20 },
      grace: LOCAL_GRACE,
      timings: { heartbeatMs: 500, electionMs: 2000 },
    };
  });

const ids = fc.subarray(['0', '1', '2', '3', '4'], { maxLength: 2 });

export const goals: fc.Arbitrary<Goal> = fc.record({
  controllers: fc.constantFrom(1, 3, 5, 7),
  keep: fc.oneof(fc.constant([]), ids),
  avoid: fc.oneof(fc.constant([]), ids),
  to: fc.oneof(fc.constant([]), ids),
  settle: mostly(false, true),
  primary: mostly<string | null>(null, '0', '1', '2'),
});

const WAITS: readonly WaitFor[] = [
  'boot',
  'primary',
  'caught-up',
  'committed',
  'settled',
  'agents',
  'services',
  'services-stopped',
  'instances-gone',
  'healthy',
];

export const expiries: fc.Arbitrary<readonly Expired[]> = fc.array(
  fc.record({ for: fc.constantFrom(...WAITS), machines: fc.subarray(Array.from({ length: 9 }, (_, i) => String(i))) }),
  { maxLength: 4 },
);

/** What the sentinel did before: any number of changes in the last two days. */
export const pasts: fc.Arbitrary<readonly Past[]> = fc.array(
  fc
    .record({
      state: fc.constantFrom<Past['state']>('done', 'blocked', 'failed', 'cancelled', 'running'),
      ageMs: fc.integer({ min: 0, max: 2 * 86_400_000 }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ state, ageMs, part }) => ({
      state,
      ageMs,
      endedAgeMs: state === 'running' ? null : Math.round(ageMs * part),
    })),
  { maxLength: 4 },
);

export const judgings: fc.Arbitrary<JudgeSettings> = fc.record({
  autoReplace: mostly(true, false),
  watchedMs: mostly(3_600_000, 0),
  writable: mostly(true, false),
  changeRuns: mostly(false, true),
});
