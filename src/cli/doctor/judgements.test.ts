import { describe, expect, test } from 'vitest';
import type { Machine } from '../../api/machines.js';
import type { Status } from '../../api/status.js';
import type { Instance } from '../../cloud/cloud.js';
import type { TaggedThings } from '../../cloud/ec2/tagged-things.js';
import { PARAMETERS } from '../../replicaset/parameters.js';
import { SINGLETONS } from '../../temporal/names.js';
import { judgeCertificates } from './certificates.js';
import { judgeClocks, readClock } from './clocks.js';
import { judgeDisks } from './disks.js';
import { judgeTagged } from './ec2-leftovers.js';
import type { Judged } from './finding.js';
import { judgeInstances, judgeSilent } from './instances.js';
import { judgeLimits } from './limits.js';
import { judgeMembers, judgeProblems } from './members.js';
import { judgeNamespace } from './namespace.js';
import { judgeParameters } from './parameters.js';
import { judgeChanges, judgeRuns, type RunSeen } from './runs.js';
import { judgeVersions } from './versions.js';

const wrongs = (judged: readonly Judged[]) => judged.filter(({ well }) => !well).map(({ seen }) => seen);
const fixes = (judged: readonly Judged[]) => judged.flatMap(({ fix }) => (fix === null ? [] : [fix]));

describe("the engine's namespace", () => {
  const seen = { address: 'temporal:7233', namespace: 'prod', retentionS: 86_400, missing: [], howToRegister: 'HOW' };

  test('all that is wanted of it is there', () => {
    expect(judgeNamespace(seen)).toEqual([]);
  });
  test('closed workflows are gone too soon', () => {
    const [judged] = judgeNamespace({ ...seen, retentionS: 3600 });
    expect(judged).toMatchObject({
      well: false,
      seen: expect.stringMatching(/namespace prod for 60 min only/),
      fix: null,
    });
    expect(judged?.todo).toMatch(/namespace update --address temporal:7233 -n prod --retention 24h/);
  });
  test('search attributes lack', () => {
    const judged = judgeNamespace({ ...seen, missing: ['QuoratePhase'] });
    expect(wrongs(judged)).toEqual([expect.stringMatching(/lacks the search attributes QuoratePhase/)]);
    expect(judged[0]?.todo).toMatch(/where that is not allowed: HOW$/);
    expect(fixes(judged)).toEqual([{ kind: 'register-search-attributes' }]);
  });
});

describe('instances against documents', () => {
  const instance = (id: string, machine: string, state: Instance['state'] = 'running') =>
    ({ id, state, tags: { environment: 'u', machine, nonce: 'n' } }) as Instance;
  const machine = (id: string, more: Partial<Machine> = {}) =>
    ({ id, life: 'alive', instance: `i-${id}`, jobs: ['manage-state'], ...more }) as Machine;
  const judge = (instances: Instance[], machines: Machine[], more: { stale?: boolean; changing?: boolean } = {}) =>
    judgeInstances({ environment: 'demo', instances, machines, stale: false, changing: false, ...more });

  test.each<[string, Instance[], Machine[], RegExp | null, boolean]>([
    ['all as it should be', [instance('i-0', '0')], [machine('0')], null, false],
    ['of a machine that nobody knows', [instance('i-7', '7')], [], /i-7 is running, and there is no machine 7/, true],
    ['terminated ones are no leftovers', [instance('i-7', '7', 'terminated')], [], null, false],
    [
      'a second one of a machine',
      [instance('i-0', '0'), instance('i-x', '0')],
      [machine('0')],
      /i-x .*another one/,
      true,
    ],
    ['of a dead machine', [instance('i-0', '0')], [machine('0', { life: 'dead' })], /machine 0 is dead/, true],
    ['of a dying machine', [instance('i-0', '0')], [machine('0', { life: 'dying' })], null, false],
    ['started, and not written down yet', [instance('i-3', '3')], [machine('3', { instance: '' })], null, false],
    ['gone', [], [machine('0')], /machine 0 is alive, and its instance i-0 is not known to the cloud/, false],
    ['terminated', [instance('i-0', '0', 'terminated')], [machine('0')], /its instance i-0 is terminated/, false],
    ['stopped', [instance('i-0', '0', 'stopped')], [machine('0')], /the instance of machine 0 is stopped/, false],
  ])('%s', (_, instances, machines, seen, fixed) => {
    const judged = judge(instances, machines);
    expect(wrongs(judged)).toEqual(seen === null ? [] : [expect.stringMatching(seen)]);
    expect(fixes(judged)).toHaveLength(fixed ? 1 : 0);
    // Whatever is wrong comes with something to type.
    for (const { well, todo } of judged) if (!well) expect(todo).not.toBe('');
  });

  test('without a majority nothing is a leftover', () => {
    expect(judge([instance('i-7', '7')], [], { stale: true })).toEqual([]);
  });

  test('during a change the instance of a dead machine is about to be ended anyway', () => {
    expect(wrongs(judge([instance('i-0', '0')], [machine('0', { life: 'dead' })], { changing: true }))).toEqual([]);
  });

  test('where no controller answers, the cloud says what to start', () => {
    expect(judgeSilent('demo', [instance('i-0', '0', 'stopped')])[0]?.todo).toContain('quorate cloud start 0');
    expect(judgeSilent('demo', [instance('i-0', '0', 'paused')])[0]?.todo).toContain('quorate cloud resume 0');
    expect(judgeSilent('demo', [instance('i-0', '0', 'terminated')])[0]?.todo).toContain('--force');
  });
});

describe('workflows', () => {
  const run = (workflowId: string, more: Partial<RunSeen> = {}): RunSeen => ({
    workflowId,
    status: 'RUNNING',
    firstRunId: 'first',
    trying: [],
    taskAttempts: 1,
    ...more,
  });
  const singletons = SINGLETONS.map((name) => run(`demo-1:${name}`));
  const judge = (runs: RunSeen[], polledSecondsAgo = [3], alive = true) =>
    judgeRuns({ environment: 'demo', key: 'demo-1', alive, runs, polledSecondsAgo });

  test('all run and are polled for', () => expect(wrongs(judge(singletons))).toEqual([]));

  test('no worker polls', () => {
    expect(wrongs(judge(singletons, [400]))).toEqual([expect.stringMatching(/no worker has polled/)]);
    expect(wrongs(judge(singletons, []))).toHaveLength(1);
  });

  test('an activity that fails over and over, with its reason; a few attempts are nothing', () => {
    const trying = (attempt: number, runningS: number | null = null) => [
      { activity: 'startInstance', attempt, reason: 'no such zone', runningS },
    ];
    const stuck = run('demo-1:membership', { trying: trying(9) });
    expect(wrongs(judge([...singletons, stuck]))).toEqual([
      'demo-1:membership has tried startInstance 9 times in a row: no such zone',
    ]);
    expect(wrongs(judge([...singletons, run('demo-1:membership', { trying: trying(9, 1) })]))).toHaveLength(1);
    expect(wrongs(judge([...singletons, run('demo-1:membership', { trying: trying(2) })]))).toEqual([]);
    // It works by now, and only keeps its count.
    expect(wrongs(judge([...singletons, run('demo-1:membership', { trying: trying(9, 60) })]))).toEqual([]);
  });

  test('a workflow task that fails over and over', () => {
    const stuck = run('demo-1:membership', { taskAttempts: 12 });
    expect(wrongs(judge([...singletons, stuck]))).toEqual([expect.stringMatching(/failed 12 times/)]);
  });

  test('singletons that are missing are started, unless the environment is dying', () => {
    const [first, ...rest] = singletons as [RunSeen, ...RunSeen[]];
    const judged = judge([{ ...first, status: 'TERMINATED' }, ...rest]);
    expect(wrongs(judged)).toEqual([`the singleton ${SINGLETONS[0]} is terminated`]);
    expect(fixes(judged)).toEqual([{ kind: 'start-singletons' }]);
    expect(fixes(judge(rest))).toHaveLength(1);
    expect(wrongs(judge([], [3], false))).toEqual([]);
  });

  test.each<[string, Partial<RunSeen> | null, boolean]>([
    ['runs', {}, false],
    ['has ended', { status: 'COMPLETED' }, true],
    ['is another one', { firstRunId: 'other' }, true],
    ['was never here', { status: 'NOT_FOUND', firstRunId: '' }, true],
    ['was not looked for', null, true],
  ])('a change is written down as running, and its workflow %s', (_, seen, vanished) => {
    const change = { id: 'demo-1-7', runId: 'first', workflowId: 'demo-1:membership', kind: 'enable-ha' };
    const judged = judgeChanges('demo', [change], seen === null ? [] : [run('demo-1:membership', seen)]);
    expect(fixes(judged)).toEqual(vanished ? [{ kind: 'close-change', runId: 'first' }] : []);
  });
});

describe('members', () => {
  const status = (
    more: { voters?: number; change?: object; member?: object | null; problems?: string[] } = {},
  ): Status =>
    ({
      environment: { name: 'demo', phase: 'ha' },
      ha: { voters: more.voters ?? 3, healthyVoters: 3, primary: '0', problems: more.problems ?? [] },
      controllers: [{ machine: '0', life: 'alive', member: more.member === undefined ? {} : more.member }],
      change: more.change ?? null,
      stale: false,
    }) as unknown as Status;
  const reach = (machine: string | null) => ({
    machine: '0',
    api: [],
    members: [{ id: 8, host: 'h:1', machine, reached: true, state: 'SECONDARY' }],
    memberProblem: '',
  });

  test('an even number of voters at rest; during a change it is on its way', () => {
    expect(wrongs(judgeMembers(status({ voters: 4 }), []))).toEqual([
      expect.stringMatching(/^4 members vote, an even/),
    ]);
    expect(wrongs(judgeMembers(status({ voters: 4, change: { kind: 'enable-ha' } }), []))).toEqual([]);
  });

  test('a member without a machine', () => {
    for (const machine of [null, '9']) {
      expect(wrongs(judgeMembers(status(), [reach(machine)]))).toEqual([expect.stringMatching(/^member 8 at h:1/)]);
    }
    expect(wrongs(judgeMembers(status(), [reach('0')]))).toEqual([]);
  });

  test('a controller without a member', () => {
    expect(wrongs(judgeMembers(status({ member: null }), []))).toEqual(['machine 0 is a controller and has no member']);
  });

  test('problems are told once', () => {
    const problems = ['4 controllers vote, and an even number is no safer.', 'Machine 1 knew the keys.'];
    expect(wrongs(judgeProblems(status({ problems })))).toEqual(['Machine 1 knew the keys']);
  });
});

describe('clocks', () => {
  const clock = (machine: string, aheadMs: number, uncertainMs = 5) => ({ machine, aheadMs, uncertainMs });

  test('the reading is that of the quickest answer, from its middle', async () => {
    const times = [0, 800, 1000, 1010, 2000, 2400, 3000, 3400];
    const ask = (async () => ({ time: 6005 })) as Parameters<typeof readClock>[0];
    expect(await readClock(ask, () => times.shift() ?? 0)).toEqual({ aheadMs: 5000, uncertainMs: 5 });
  });

  test('one that is off against the others, in which direction', () => {
    expect(wrongs(judgeClocks([clock('0', 0), clock('1', 2500), clock('2', 10)]))).toEqual([
      'the clock of machine 1 is 2.5 s ahead of the others',
    ]);
  });

  test('a question that took long says nothing', () => {
    expect(wrongs(judgeClocks([clock('0', 0), clock('1', 2500, 2000), clock('2', 10)]))).toEqual([]);
  });

  test('when all others agree, it is this one', () => {
    expect(wrongs(judgeClocks([clock('0', 5000), clock('1', 5010)]))).toEqual([
      "the clock of this machine is 5.0 s behind the controllers'",
    ]);
  });
});

describe('what runs out', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const seen = (whose: string, ends: string) => ({ whose, ends, todo: 'renew it' });

  test('certificates near their end, and past it', () => {
    expect(wrongs(judgeCertificates([seen('a', '2026-12-01T00:00:00Z'), seen('b', '')], now))).toEqual([]);
    expect(
      wrongs(judgeCertificates([seen('a', '2026-01-06T00:00:00Z'), seen('b', '2025-12-30T00:00:00Z')], now)),
    ).toEqual(['the certificate of a ends in 5 days', 'the certificate of b ended 2 days ago']);
  });

  test('disks', () => {
    const disk = (gib: number) => ({ freeBytes: gib * 1024 ** 3, totalBytes: 100 * 1024 ** 3 });
    const judged = judgeDisks([
      { whose: 'machine 0', disk: disk(0.5) },
      { whose: 'machine 1', disk: disk(40) },
      { whose: 'machine 2', disk: null },
    ]);
    expect(wrongs(judged)).toEqual(['0.5 GiB free on machine 0']);
  });
});

test('versions that differ, of agents and of mongod', () => {
  const on = (machine: string, version: string) => ({ machine, version });
  const agents = [on('0', '1.0'), on('1', '1.1'), on('2', '')];
  const mongods = [on('0', '6.0.5'), on('1', '7.0.1')];
  expect(wrongs(judgeVersions({ own: '1.1', agents, mongods }))).toEqual([
    '1.0 on machine 0; this command is 1.1',
    'mongod differs: 6.0.5 on machine 0; 7.0.1 on machine 1',
  ]);
  expect(wrongs(judgeVersions({ own: '1.1', agents: [on('1', '1.1')], mongods: [] }))).toEqual([]);
});

test('settings that a mongod did not take, with what that costs, once for all who lack it', () => {
  const all = Object.fromEntries(PARAMETERS.map(({ name }) => [name, 'set']));
  const [first] = PARAMETERS;
  const lacking = { ...all, [first?.name ?? '']: 'refused' };
  const judged = judgeParameters([
    { machine: '0', mongod: { version: '6.0.5', parameters: lacking } },
    { machine: '1', mongod: { version: '6.0.5', parameters: lacking } },
    { machine: '2', mongod: { version: '6.0.5', parameters: all } },
    { machine: '3', mongod: null },
  ]);
  expect(wrongs(judged)).toEqual([`mongod 6.0.5 of machines 0, 1 does not take ${first?.name}`]);
  expect(judged[0]?.todo).toContain(first?.lack);
});

describe('what carries our tag in a region of EC2', () => {
  const nothing: TaggedThings = { instances: [], volumes: [], interfaces: [], groups: [], bucket: null };
  const running: TaggedThings = {
    ...nothing,
    instances: [{ id: 'i-1', machine: '0', state: 'running' }],
    groups: ['sg-1'],
  };
  const left: TaggedThings = { ...nothing, volumes: ['v1', 'v2', 'v3', 'v4', 'v5', 'v6'], bucket: 'quorate-v' };

  test('what belongs to environments that are known here is no leftover', () => {
    const tagged = new Map([['u', running]]);
    expect(judgeTagged('eu-west-1', tagged, new Set(['u']), undefined)).toMatchObject([{ well: true, fix: null }]);
    expect(judgeTagged('eu-west-1', new Map(), new Set(), undefined)).toMatchObject([{ well: true }]);
  });

  test('all else may be somebody else’s, and is removed by name alone', () => {
    const tagged = new Map([
      ['u', running],
      ['v', left],
    ]);
    const judged = judgeTagged('eu-west-1', tagged, new Set(), 'v');
    expect(wrongs(judged)).toEqual([
      'eu-west-1: environment u is not known here, and there is of it: 1 instance i-1 (machine 0, running); 1 security group sg-1',
      'eu-west-1: environment v is not known here, and there is of it: 6 volumes v1, v2, v3, v4, v5, …; the bucket quorate-v',
    ]);
    expect(judged[0]?.todo).toMatch(/may be somebody else's.*--unknown u --region eu-west-1$/);
    expect(fixes(judged)).toEqual([{ kind: 'remove-unknown', uuid: 'v', region: 'eu-west-1' }]);
  });
});

test('an environment on EC2 whose instances have no role is told as limited, and no other', () => {
  const told = judgeLimits({ kind: 'ec2', machinesMayAsk: false });
  expect(told.map(({ well }) => well)).toEqual([true, true]);
  expect(told[1]?.seen).toContain('none reads the bucket');
  expect(judgeLimits({ kind: 'ec2', machinesMayAsk: true })).toEqual([]);
  expect(judgeLimits({ kind: 'local', machinesMayAsk: false })).toEqual([]);
});
