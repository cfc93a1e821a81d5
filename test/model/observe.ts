/**
 * What an observer sees of a state: what each member that answers would say, put together by the real `assemble`, and the
 * machines as their documents, agents and cloud show them. Looks are remembered, since many states look the same.
 */
import type { Timestamp } from 'mongodb';
import type {
  Expired,
  Goal,
  InstanceSeen,
  Observed,
  ReplicaSet,
  Machine as SeenMachine,
  WaitFor,
} from '../../src/membership/types.js';
import { LOCAL_GRACE } from '../../src/membership/waits.js';
import { type Answer, assemble, basisOf, referenceOf } from '../../src/replicaset/assemble.js';
import type { Look } from '../../src/replicaset/observe.js';
import {
  opTime,
  type SetConfig,
  type SetStatus,
  type StatusMember,
  type WireOpTime,
} from '../../src/replicaset/wire.js';
import { isCommitted } from './server.js';
import {
  answers,
  Cond,
  count,
  each,
  has,
  Kind,
  kindOf,
  lastTerm,
  type Machine,
  Mark,
  machineBits,
  membersOf,
  noteMemberOf,
  noteVersionOf,
  Role,
  type State,
  termOf,
  versionOf,
  votersOf,
} from './state.js';

const hostOf = (i: number): string => `m${i}:1`;
const DATE = new Date(0);
const HEARTBEAT_MS = 500;
const timings = { heartbeatMs: HEARTBEAT_MS, electionMs: 2000 };
const timestamp = (high: number): Timestamp =>
  ({ getHighBitsUnsigned: () => high, getLowBitsUnsigned: () => 0 }) as unknown as Timestamp;
const optimeOf = (m: Machine): WireOpTime => ({ ts: timestamp(m.log.length), t: lastTerm(m.log) });

const configs = new Map<number, SetConfig>();
/** The config as MongoDB would show it. */
export function wireConfig(config: number): SetConfig {
  const known = configs.get(config);
  if (known !== undefined) return known;
  const made: SetConfig = {
    _id: 'model',
    version: versionOf(config),
    ...(termOf(config) === -1 ? {} : { term: termOf(config) }),
    members: each(membersOf(config)).map((i) => {
      const votes = has(votersOf(config), i) ? 1 : 0;
      return { _id: i, host: hostOf(i), votes, priority: votes, tags: { machine: String(i) } };
    }),
    settings: { heartbeatIntervalMillis: HEARTBEAT_MS, electionTimeoutMillis: timings.electionMs },
  };
  configs.set(config, made);
  return made;
}

function answerOf(state: State, i: number): Answer {
  const m = state.machines[i] as Machine;
  const belongs = m.role === Role.secondary || m.role === Role.primary;
  return {
    host: hostOf(i),
    hello: { isWritablePrimary: m.role === Role.primary, secondary: m.role === Role.secondary },
    status: belongs ? statusOf(state, i) : null,
    config: m.role === Role.fresh ? null : wireConfig(m.config),
    committed: m.role === Role.primary ? isCommitted(state, i) : null,
  };
}

const stateOf = (m: Machine): string =>
  m.role === Role.primary ? 'PRIMARY' : m.role === Role.removed ? 'REMOVED' : m.synced === 0 ? 'STARTUP2' : 'SECONDARY';

function statusOf(state: State, i: number): SetStatus {
  const self = state.machines[i] as Machine;
  const members = each(membersOf(self.config)).map((j): StatusMember => {
    const m = state.machines[j] as Machine;
    const heard = answers(m);
    return {
      _id: j,
      name: hostOf(j),
      health: heard ? 1 : 0,
      state: 0,
      stateStr: heard ? stateOf(m) : '(not reachable/healthy)',
      ...(i === j ? { self: true } : {}),
      ...(heard ? { lastHeartbeatRecv: DATE } : {}),
      ...(m.role === Role.primary ? { electionTime: timestamp(m.term) } : {}),
    };
  });
  return {
    date: DATE,
    myState: 0,
    term: self.term,
    syncSourceHost: '',
    heartbeatIntervalMillis: HEARTBEAT_MS,
    optimes: { appliedOpTime: optimeOf(self) },
    members,
  };
}

/**
 * What proves that member `i` holds everything: our note that the config is in force, or that `i` was alone before it; and none
 * that another goes on alone. `server-note`: MongoDB's own note, as was believed once. `in-force`: ours, whoever goes on
 * alone. `sole`: ours that somebody was alone, whoever that was.
 */
export type Proof = 'note' | 'in-force' | 'server-note' | 'sole';
export function holdsProof(log: string, version: number, i: number, proof: Proof): boolean {
  const wanted = proof === 'server-note' ? Kind.serverNote : Kind.inForce;
  let noted = false;
  for (let at = 0; at < log.length; at++) {
    const code = log.charCodeAt(at);
    if (noteVersionOf(code) !== version) continue;
    if (kindOf(code) === wanted) noted = true;
    if (kindOf(code) === Kind.sole && (noteMemberOf(code) === i || proof === 'sole')) noted = true;
    if (kindOf(code) === Kind.alone && noteMemberOf(code) !== i && proof !== 'in-force' && proof !== 'server-note')
      return false;
  }
  return noted;
}

export interface Seen {
  readonly look: Look;
  readonly key: string;
}

/** Everything of the state that an observer of the set could tell apart. */
function setKey(state: State, proof: Proof): string {
  const codes: number[] = [];
  for (const [i, m] of state.machines.entries()) {
    if (!answers(m) || m.role === Role.fresh) {
      codes.push(m.role === Role.fresh && answers(m) ? 1 : 0);
      continue;
    }
    const committed = m.role === Role.primary && isCommitted(state, i) ? 1 : 0;
    const noted = count(votersOf(m.config)) === 2 && holdsProof(m.log, versionOf(m.config), i, proof) ? 1 : 0;
    codes.push(2 + (m.role << 2) + (m.synced << 4) + (committed << 5) + (noted << 6) + (m.log.length << 7));
    codes.push(m.config & 0x7fff, m.config >>> 15, (m.term << 6) | lastTerm(m.log));
  }
  return String.fromCharCode(...codes);
}

const looks = new Map<string, Seen | null>();

/** A look at the set, as `Observer.look` puts it together; null when nobody shows a config. */
export function look(state: State, proof: Proof): Seen | null {
  const key = `${proof}${setKey(state, proof)}`;
  const known = looks.get(key);
  if (known !== undefined) return known;
  const seen = newLook(state, proof, key);
  if (looks.size > 200_000) looks.clear();
  looks.set(key, seen);
  return seen;
}

function newLook(state: State, proof: Proof, key: string): Seen | null {
  const everybody = state.machines.flatMap((m, i) => (answers(m) ? [answerOf(state, i)] : []));
  const basis = basisOf(everybody);
  if (basis === null) return null;
  const members = basis.config.members.map(({ host }) => host);
  const there = everybody.filter(({ host }) => members.includes(host));
  const machineAt = (host: string) => state.machines[Number(host.slice(1, -2))] as Machine;
  const optimes = new Map(
    there
      .filter(({ host, status }) => status !== null && machineAt(host).synced === 1)
      .map(({ host }) => [host, opTime(optimeOf(machineAt(host)))]),
  );
  const voters = basis.config.members.filter(({ votes }) => votes > 0);
  const notes: ReplicaSet['notes'] =
    basis.primary !== null || voters.length !== 2
      ? []
      : basis.config.members
          .filter(({ host }) => there.some((a) => a.host === host && a.config?.version === basis.config.version))
          .map(({ _id, host }) => ({
            member: _id,
            version: basis.config.version,
            noted: holdsProof(machineAt(host).log, basis.config.version, _id, proof),
          }));
  referenceOf(basis);
  const set = assemble(basis, there, optimes, notes);
  return { look: { set, config: basis.config, primaryHost: basis.primary?.host ?? null }, key };
}

const LIVES = ['alive', 'dying', 'dead'] as const;
const INSTANCES: readonly InstanceSeen[] = ['pending', 'running', 'running', 'stopped', 'terminated'];

/** Its agent is heard: it runs, and so does its machine, in reach. */
export const agentHeard = (m: Machine): boolean => m.agent === 1 && m.known === 1 && m.cond === Cond.running;

function seenMachine(m: Machine, i: number): SeenMachine {
  const heard = agentHeard(m);
  const serving = heard && m.job === 1;
  return {
    id: String(i),
    jobs: m.job === 1 ? ['manage-state', 'manage-environ'] : [],
    life: LIVES[m.life] as SeenMachine['life'],
    zone: '',
    memberId: m.job === 1 ? i : null,
    mongo: m.known === 1 ? hostOf(i) : null,
    instance: INSTANCES[m.cond] as InstanceSeen,
    problem: '',
    agent: m.known === 0 ? 'pending' : heard ? 'started' : 'down',
    silentMs: 0,
    services: { mongod: heard && m.up === 1, api: serving, worker: serving },
    addressVersion: m.heard,
    ageMs: 1000,
    maintenance: false,
    // Made anew in place, a member would leave and join under another ID: the model follows the replacement instead.
    resyncs: 2,
  };
}

/** The documents of a machine that is gone are forgotten by the cleaner. */
export const isForgotten = (m: Machine): boolean => m.life === 2 && m.cond === Cond.ended;

const pictures = new Map<string, Observed>();

/** All that the planner is shown, with a key that is the same for the same picture. */
export function observe(state: State, proof: Proof): { readonly observed: Observed; readonly key: string } {
  const seen = look(state, proof);
  const codes: number[] = [state.published];
  for (const m of state.machines) {
    codes.push(machineBits(m) | (m.resyncs << 12));
  }
  const key = `${seen?.key ?? '-'}\n${String.fromCharCode(...codes)}`;
  const known = pictures.get(key);
  if (known !== undefined) return { observed: known, key };
  const observed: Observed = {
    set: seen?.look.set ?? null,
    machines: state.machines.flatMap((m, i) => (isForgotten(m) ? [] : [seenMachine(m, i)])),
    addresses: { version: 1, machines: each(state.published).map(String) },
    environmentVersion: 1,
    life: 'alive',
    zones: [],
    next: { machine: state.machines.length, member: state.machines.length },
    grace: LOCAL_GRACE,
    timings,
  };
  if (pictures.size > 200_000) pictures.clear();
  pictures.set(key, observed);
  return { observed, key };
}

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

const maskOf = (ids: readonly string[]): number => ids.reduce((mask, id) => mask | (1 << Number(id)), 0);
export const packExpired = (wait: Expired): number => (WAITS.indexOf(wait.for) << 8) | maskOf(wait.machines);
export const unpackExpired = (code: number): Expired => ({
  for: WAITS[code >> 8] as WaitFor,
  machines: each(code & 0xff).map(String),
});

/** What is wanted, with the machines that the marks name. */
export function goalOf(state: State, controllers: number): Goal {
  const marked = (mark: number): string[] => state.machines.flatMap((m, i) => (m.mark === mark ? [String(i)] : []));
  return {
    controllers,
    keep: marked(Mark.keep),
    avoid: marked(Mark.avoid),
    to: [],
    settle: state.settle === 1,
    primary: marked(Mark.heir)[0] ?? null,
  };
}
