import { describe, expect, test } from 'vitest';
import type { ChangeDocument, MachineDocument, PresenceDocument, ServiceStatus } from '../state/documents.js';
import type { Facts, MemberFacts } from './facts.js';
import { statusOf } from './status-of.js';

/** What is seen of an environment in a few words: each controller's zone, agent, member and what else differs. */
interface Scene {
  readonly desired?: number;
  readonly controllers: Readonly<Record<string, Controller>>;
  readonly facts?: Partial<Facts>;
}

interface Controller {
  readonly zone?: string;
  readonly agent?: 'started' | 'pending' | 'stopping' | { readonly silentMs: number };
  readonly member?: string | null;
  readonly vote?: boolean;
  readonly sees?: readonly string[];
  readonly services?: PresenceDocument['report']['services'];
  readonly machine?: Partial<MachineDocument>;
  readonly off?: string;
}

const AT = new Date('2026-01-01T00:00:00Z');
const later = (minutes: number) => new Date(AT.getTime() + minutes * 60_000);
const running: ServiceStatus = { state: 'running', message: '', pid: 1, restarts: 0 };
const broken: ServiceStatus = { state: 'backing-off', message: 'port in use', pid: null, restarts: 3 };

function factsOf({ desired, controllers, facts = {} }: Scene): Facts {
  const entries = Object.entries(controllers);
  return {
    self: '0',
    stale: false,
    environment: {
      _id: '1f2e3d4c-0000',
      name: 'demo',
      cloud: 'local',
      region: '',
      life: 'alive',
      temporal: { clusterId: '', namespace: '' },
      epoch: 1,
      desired: desired ?? entries.length,
      zones: ['a', 'b', 'c'],
      nextMachine: 9,
      nextMember: 9,
      nextChange: 9,
      caFingerprint: '',
      url: '',
      createdAt: AT,
      version: 1,
    },
    machines: entries.map(([id, { zone = 'abc'[Number(id) % 3], machine = {} }]) => ({
      _id: id,
      jobs: ['manage-state', 'manage-environ'],
      life: 'alive',
      zone: zone ?? '',
      nonce: `nonce-${id}`,
      memberId: Number(id),
      boot: { addresses: [], url: '', version: '' },
      instance: {
        id: `i-${id}`,
        address: `127.0.0.${id}`,
        ports: { api: 17070, mongo: 37017 },
        state: 'running',
        recordedAt: AT,
      },
      provisioningError: '',
      agentVersion: '',
      knewKeys: false,
      maintenanceUntil: null,
      resyncs: 0,
      createdAt: AT,
      version: 1,
      ...machine,
    })),
    presence: entries.flatMap(([id, { agent = 'started', sees, services, off = '' }]) =>
      agent === 'pending'
        ? []
        : [
            {
              _id: id,
              seq: 1,
              session: 's',
              at: AT,
              since: AT,
              report: {
                status: agent === 'stopping' ? ('stopping' as const) : ('started' as const),
                services: services ?? { mongod: running, api: running, worker: running },
                addressVersion: 1,
                sees: [...(sees ?? entries.map(([other]) => other).filter((other) => other !== id))],
                mongod: null,
                succession: { stoodUp: 0, freed: 0, off },
              },
            },
          ],
    ),
    silentMs: Object.fromEntries(
      entries.map(([id, { agent }]) => [id, typeof agent === 'object' ? agent.silentMs : 0]),
    ),
    running: [],
    refused: [],
    primaryElsewhere: null,
    databaseTime: AT,
    evidence: null,
    members: entries.flatMap(([id, { member = id === '0' ? 'PRIMARY' : 'SECONDARY', vote = true }]) =>
      member === null ? [] : [memberOf(id, member, vote)],
    ),
    ...facts,
  };
}

function memberOf(id: string, state: string, vote = true): MemberFacts {
  const healthy = state === 'PRIMARY' || state === 'SECONDARY';
  return { id: Number(id), machine: id, host: `127.0.0.${id}:37017`, vote, state, healthy, lagSeconds: 0 };
}

const change: ChangeDocument = {
  _id: 'run',
  number: 7,
  kind: 'enable-ha',
  summary: '',
  workflowId: 'demo-1f2e3d4c:membership',
  url: 'http://ui',
  by: 'ana',
  state: 'running',
  steps: [
    { text: 'start machines 1 and 2', state: 'done', reason: '', startedAt: null, seconds: 1 },
    { text: 'grant a vote to machine 1', state: 'running', reason: '', startedAt: null, seconds: null },
  ],
  result: '',
  startedAt: AT,
  endedAt: null,
  version: 3,
};

const three = { '0': {}, '1': {}, '2': {} };

const scenarios: readonly {
  readonly name: string;
  readonly scene: Scene;
  readonly phase: string;
  readonly ha?: object;
  readonly problems?: readonly string[];
}[] = [
  {
    name: 'one controller',
    scene: { controllers: { '0': {} } },
    phase: 'default',
    ha: { faultTolerance: 0, voters: 1 },
  },
  {
    name: 'just bootstrapped: nothing has been heard yet, and nothing is wrong',
    scene: { controllers: { '0': { agent: 'pending' } } },
    phase: 'default',
  },
  {
    name: 'three controllers',
    scene: { controllers: three },
    phase: 'ha',
    ha: { voters: 3, healthyVoters: 3, faultTolerance: 1, primary: '0', desired: 3 },
  },
  {
    name: 'five controllers',
    scene: { controllers: { ...three, '3': { zone: 'a' }, '4': { zone: 'b' } } },
    phase: 'ha',
    ha: { faultTolerance: 2 },
  },
  {
    name: 'a change runs',
    scene: { controllers: three, desired: 5, facts: { running: [change] } },
    phase: 'changing',
  },
  {
    name: 'one of three is lost: another loss would stop writes',
    scene: { controllers: { ...three, '2': { agent: { silentMs: 9000 }, member: 'DOWN' } } },
    phase: 'degraded',
    ha: { healthyVoters: 2, faultTolerance: 0 },
    problems: [
      '2 of 3 controllers answer. Losing another one stops changes and writes.',
      'The agent of machine 2 has been silent for 9 s; its member does not answer either.',
    ],
  },
  {
    name: 'an agent is silent and its member is healthy',
    scene: { controllers: { ...three, '1': { agent: { silentMs: 3400 } } } },
    phase: 'degraded',
    ha: { healthyVoters: 3, faultTolerance: 1 },
    problems: ['The agent of machine 1 has been silent for 3 s; its member is healthy.'],
  },
  {
    name: 'a machine is under maintenance, and another one was',
    scene: {
      controllers: {
        ...three,
        '1': { agent: { silentMs: 9000 }, member: 'DOWN', machine: { maintenanceUntil: later(7.5) } },
        '2': { machine: { maintenanceUntil: later(-1) } },
      },
    },
    phase: 'degraded',
    problems: [
      '2 of 3 controllers answer. Losing another one stops changes and writes.',
      'Machine 1 is under maintenance for 8 more minutes; nothing is done to it.',
      'The agent of machine 1 has been silent for 9 s; its member does not answer either.',
    ],
  },
  {
    name: 'an agent that misses a beat is no problem',
    scene: { controllers: { ...three, '1': { agent: { silentMs: 2000 } } } },
    phase: 'ha',
  },
  {
    name: 'an agent is up and its member is down',
    scene: { controllers: { ...three, '1': { member: 'RECOVERING' } } },
    phase: 'degraded',
    problems: [
      '2 of 3 controllers answer. Losing another one stops changes and writes.',
      'The member of machine 1 is RECOVERING, though its agent is up.',
    ],
  },
  {
    name: 'no primary',
    scene: { controllers: { ...three, '0': { member: 'DOWN' } } },
    phase: 'no-quorum',
    ha: { primary: null, faultTolerance: 0 },
    problems: [
      'No majority of the 3 voters answers: nothing can be written or changed until 2 of them do. Start what is stopped, or see what would be lost with: quorate recover.',
      'The member of machine 0 is DOWN, though its agent is up.',
    ],
  },
  {
    name: 'what one member remembers says nothing of a primary, nor of agents, whose word nobody writes',
    scene: {
      controllers: { ...three, '1': { member: 'DOWN' }, '2': { agent: { silentMs: 60_000 } } },
      facts: { stale: true },
    },
    phase: 'no-quorum',
    ha: { primary: null },
    problems: [
      'No majority of the 3 voters answers: nothing can be written or changed until 2 of them do. Start what is stopped, or see what would be lost with: quorate recover.',
    ],
  },
  {
    name: 'a primary that others name and this controller does not reach is no loss of a majority',
    scene: {
      controllers: { ...three, '1': { member: 'DOWN' } },
      facts: { stale: true, primaryElsewhere: '127.0.0.1:37017' },
    },
    phase: 'no-quorum',
    ha: { primary: null },
    problems: [
      'Controller 0 does not reach the primary, 127.0.0.1:37017, which other members name: what it says is old. Ask again in some seconds.',
    ],
  },
  {
    name: 'a machine whose member is cut off from the primary is said once to be so',
    scene: {
      controllers: { ...three, '1': { member: 'DOWN' } },
      facts: {
        evidence: {
          _id: 'current',
          sequence: 1,
          at: AT,
          controllers: [{ machine: '1', verdict: 'cut-off', since: AT, next: 'mend the link', nextAt: null }],
        },
      },
    },
    phase: 'degraded',
    problems: [
      '2 of 3 controllers answer. Losing another one stops changes and writes.',
      'Machine 1 is well, but the link between it and the primary is cut; mend the link.',
    ],
  },
  {
    name: 'fewer vote than were asked for, and nothing is being done about it',
    scene: { controllers: { '0': {} }, desired: 3 },
    phase: 'degraded',
    problems: ['3 controllers were asked for and 1 vote; restore them with: quorate enable-ha.'],
  },
  {
    name: 'a change ended half way',
    scene: { controllers: { '0': {}, '1': {}, '2': { vote: false } } },
    phase: 'degraded',
    problems: [
      '3 controllers were asked for and 2 vote; restore them with: quorate enable-ha.',
      '2 controllers vote, and an even number is no safer than one fewer; go on with: quorate enable-ha.',
    ],
  },
  {
    name: 'two of three in one zone',
    scene: { controllers: { ...three, '2': { zone: 'b' } } },
    phase: 'ha',
    problems: ['2 of 3 voting controllers are in zone b: losing it would stop changes and writes.'],
  },
  {
    name: 'two controllers do not reach each other',
    scene: { controllers: { ...three, '1': { sees: ['0'] }, '2': { sees: ['0'] } } },
    phase: 'ha',
    problems: ["Controllers 1 and 2 do not reach each other's API."],
  },
  {
    name: 'a link that is cut one way',
    scene: { controllers: { ...three, '1': { sees: ['0'] } } },
    phase: 'ha',
    problems: [
      'Controller 1 does not reach the API of controller 2, though 2 reaches that of 1: the link is cut one way.',
    ],
  },
  {
    name: 'one that has no API server yet is not missed',
    scene: { controllers: { '0': { sees: [] }, '1': { sees: [], services: { mongod: running } } }, desired: 1 },
    phase: 'ha',
    problems: ['2 controllers vote, and an even number is no safer than one fewer; go on with: quorate enable-ha.'],
  },
  {
    name: 'a hand-made member',
    scene: {
      controllers: { '0': {} },
      facts: { members: [memberOf('0', 'PRIMARY'), { ...memberOf('8', 'SECONDARY', false), machine: null }] },
    },
    phase: 'default',
    problems: ['Member 8 at 127.0.0.8:37017 belongs to no known machine; it counts as lost.'],
  },
  {
    name: 'a machine that is going still votes',
    scene: { controllers: { ...three, '2': { machine: { life: 'dying' } } } },
    phase: 'degraded',
    problems: ['Machine 2 is dying and its member still votes.'],
  },
  {
    name: 'a service does not stay up',
    scene: { controllers: { ...three, '1': { services: { mongod: running, api: broken, worker: running } } } },
    phase: 'ha',
    problems: ['api of machine 1 does not stay up: port in use.'],
  },
  {
    name: 'no worker anywhere',
    scene: { controllers: { '0': { services: { mongod: running, api: running, worker: broken } } } },
    phase: 'default',
    problems: [
      'worker of machine 0 does not stay up: port in use.',
      'No controller has a worker: changes and healing rest.',
    ],
  },
  {
    name: 'succession is off',
    scene: { controllers: { ...three, '1': { off: 'stood up twice for nothing' } } },
    phase: 'ha',
    problems: ['Succession is off on machine 1: stood up twice for nothing.'],
  },
  {
    name: 'an instance cannot be started',
    scene: {
      controllers: {
        ...three,
        '3': { machine: { instance: null, provisioningError: 'no room.' }, member: null, agent: 'pending' },
      },
      desired: 3,
    },
    phase: 'ha',
    problems: [
      'The instance of machine 3 could not be started: no room. It is tried again by itself, or at once with: quorate retry-provisioning 3.',
    ],
  },
  {
    name: 'a former controller knew the keys, and somebody tried a token',
    scene: {
      controllers: { '0': {}, '3': { machine: { jobs: ['host-units'], knewKeys: true }, member: null } },
      desired: 1,
      facts: {
        refused: [{ _id: 'n', machine: '3', publicKey: '', certificate: '', boundAt: AT, refusedFrom: ['127.0.0.66'] }],
      },
    },
    phase: 'default',
    problems: [
      'Somebody else tried to enrol as machine 3, from 127.0.0.66.',
      "Machine 3 is no controller any more and knew the environment's keys; for new ones: quorate rotate-ca.",
    ],
  },
];

describe('the status', () => {
  test.each(scenarios)('$name', ({ scene, phase, ha = {}, problems = [] }) => {
    const status = statusOf(factsOf(scene));
    expect(status.environment.phase).toBe(phase);
    expect(status.ha).toMatchObject(ha);
    expect(status.ha.problems).toEqual(problems);
  });

  test('controllers and other machines stand apart, in order', () => {
    const ids = ['10', '2', '0', '3'];
    const jobs = { machine: { jobs: ['host-units' as const] }, member: null };
    const status = statusOf(
      factsOf({ controllers: Object.fromEntries(ids.map((id) => [id, id === '3' ? jobs : {}])) }),
    );
    expect(status.controllers.map(({ machine }) => machine)).toEqual(['0', '2', '10']);
    expect(status.machines).toMatchObject([{ id: '3', jobs: ['host-units'], agent: 'started', ports: [] }]);
  });

  test('a controller that lost its jobs is one as long as it is a member', () => {
    const leaving = { machine: { jobs: [], life: 'dying' as const } };
    expect(statusOf(factsOf({ controllers: { '0': {}, '1': leaving } })).controllers).toHaveLength(2);
    expect(statusOf(factsOf({ controllers: { '0': {}, '1': { ...leaving, member: null } } })).machines).toHaveLength(1);
  });

  test('agents: pending, started, down, stopped', () => {
    const { controllers } = statusOf(
      factsOf({
        controllers: {
          '0': {},
          '1': { agent: 'pending' },
          '2': { agent: { silentMs: 60_000 } },
          '3': { agent: 'stopping' },
        },
      }),
    );
    expect(controllers.map(({ agent }) => agent)).toEqual(['started', 'pending', 'down', 'stopped']);
    expect(controllers.map(({ silentSeconds }) => silentSeconds)).toEqual([0, 0, 60, 0]);
  });

  test('a maintenance says how long it still lasts', () => {
    const machine = { maintenanceUntil: later(0.5) };
    const { controllers } = statusOf(factsOf({ controllers: { ...three, '1': { machine } } }));
    const lasting = { until: later(0.5).toISOString(), secondsLeft: 30 };
    expect(controllers.map(({ maintenance }) => maintenance)).toEqual([null, lasting, null]);
  });

  test('the running change, with its step; bootstrap stands behind the one that it started', () => {
    const bootstrap = { ...change, _id: 'b', number: 8, kind: 'bootstrap' };
    const status = statusOf(factsOf({ controllers: three, facts: { running: [bootstrap, change] } }));
    expect(status.change).toEqual({
      id: 'demo-1f2e3d4c-7',
      workflowId: 'demo-1f2e3d4c:membership',
      kind: 'enable-ha',
      step: 'grant a vote to machine 1',
      startedAt: AT.toISOString(),
      url: 'http://ui',
    });
  });
});
