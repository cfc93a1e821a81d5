/** Reads a scenario's `seen.yaml` (the format is in scenarios/README.md). An unknown word is an error, never ignored. */
import { parse } from 'yaml';
import type { JudgeSettings } from '../../../src/membership/judge.js';
import type { Past } from '../../../src/membership/pace.js';
import type {
  Expired,
  Goal,
  Grace,
  Machine,
  Member,
  MemberState,
  Observed,
  WaitFor,
} from '../../../src/membership/types.js';
import { LOCAL_GRACE } from '../../../src/membership/waits.js';

export interface Scenario {
  readonly observed: Observed;
  readonly goal: Goal;
  readonly expired: readonly Expired[];
}

/** What the sentinel judges: the same picture, with how it was looked at and what the sentinel did before. */
export interface JudgedScenario extends Scenario {
  readonly history: readonly Past[];
  readonly settings: JudgeSettings;
}

interface Written {
  readonly wanted: string;
  readonly machines?: readonly string[];
  readonly members?: readonly string[];
  readonly published?: readonly (string | number)[];
  readonly set?: string;
  readonly othersLate?: number;
  readonly expired?: readonly string[];
  readonly notes?: readonly string[];
  readonly environment?: 'dying';
  readonly grace?: 'ec2';
  readonly history?: readonly string[];
  readonly watch?: string;
}

const ADDRESSES = 4;
const CONFIG = 7;
const NOW = { t: 2, s: 100, i: 0 };
const EARLIER = { t: 2, s: 90, i: 0 };
const WANTED = { heartbeatMs: 500, electionMs: 2000 };
const EC2_GRACE: Grace = { ...LOCAL_GRACE, stoppedMs: 60_000, runningMs: 300_000, silentMs: 60_000 };
const NOTHING = { mongod: false, api: false, worker: false };

export function readScenario(text: string): Scenario {
  const written = parse(text) as Written;
  const members = (written.members ?? []).map(readMember);
  const machines = (written.machines ?? []).map(readMachine);
  const primary = members.find((member) => member.state === 'PRIMARY')?.id ?? null;
  const voting = members.filter((member) => member.votes === 1).flatMap((member) => member.machine ?? []);
  const set = words(written.set ?? '');
  const observed: Observed = {
    set:
      members.length === 0
        ? null
        : {
            version: CONFIG,
            term: NOW.t,
            committed: !set.has('uncommitted'),
            primary,
            members,
            reference: primary === null ? null : NOW,
            unsettled: set.has('unsettled') ? 'an election is under way' : null,
            notes: (written.notes ?? []).map((note) => ({
              member: Number(note.split(' ')[0]),
              version: CONFIG,
              noted: note.endsWith(' noted'),
            })),
            timings: set.has('other-timings') ? { heartbeatMs: 1000, electionMs: 5000 } : WANTED,
          },
    machines,
    ...(written.othersLate === undefined ? {} : { othersLate: written.othersLate }),
    addresses: { version: ADDRESSES, machines: (written.published ?? voting).map(String) },
    environmentVersion: 1,
    life: written.environment ?? 'alive',
    zones: ['a', 'b', 'c'],
    next: { machine: Math.max(-1, ...machines.map((machine) => Number(machine.id))) + 1, member: 20 },
    grace: written.grace === 'ec2' ? EC2_GRACE : LOCAL_GRACE,
    timings: WANTED,
  };
  return { observed, goal: readGoal(written.wanted), expired: (written.expired ?? []).map(readExpired) };
}

export function readJudged(text: string): JudgedScenario {
  const written = parse(text) as Written;
  const watch = words(written.watch ?? '');
  const settings: JudgeSettings = {
    autoReplace: !watch.has('auto-replace-off'),
    watchedMs: seconds(watch.value('watched')) ?? 3_600_000,
    writable: !watch.has('unwritable'),
    changeRuns: watch.has('change-runs'),
  };
  watch.allRead();
  return { ...readScenario(text), history: (written.history ?? []).map(readPast), settings };
}

/** "failed 5m 3m": began five minutes ago and failed three minutes ago; "running 20s". */
function readPast(line: string): Past {
  const [state, began, ended] = line.split(/\s+/);
  return {
    state: state as Past['state'],
    ageMs: seconds(began) as number,
    endedAgeMs: seconds(ended) ?? null,
  };
}

function readMachine(line: string): Machine {
  const [id, kind, ...rest] = line.split(/\s+/);
  const said = words(rest.join(' '));
  const controller = kind === 'controller' || kind === 'controller+workload';
  const pending = said.has('pending');
  const agent = pending ? 'pending' : said.has('silent') ? 'down' : said.has('left') ? 'stopped' : 'started';
  const idle = pending || agent !== 'started' || said.has('no-services') || !controller;
  const machine: Machine = {
    id: id as string,
    jobs: jobsOf(kind),
    life: said.has('dead') ? 'dead' : said.has('dying') ? 'dying' : 'alive',
    zone: said.value('zone') ?? 'abc'[Number(id) % 3] ?? 'a',
    memberId: kind === 'workload' ? null : Number(said.value('member') ?? id),
    mongo: pending || said.has('no-address') ? null : `${said.value('address') ?? `10.0.0.${id}`}:37017`,
    instance: (said.value('instance') as Machine['instance'] | undefined) ?? (pending ? 'pending' : 'running'),
    ...(said.has('checks-fail') ? { checks: 'failing' as const } : {}),
    problem: said.value('problem')?.replaceAll('_', ' ') ?? '',
    agent,
    silentMs: seconds(said.value('silent')) ?? 0,
    services: said.has('still-serving')
      ? { mongod: true, api: true, worker: true }
      : idle
        ? NOTHING
        : { mongod: !said.has('no-mongod'), api: !said.has('no-api'), worker: true },
    addressVersion: said.has('old-addresses') ? ADDRESSES - 1 : ADDRESSES,
    ageMs: seconds(said.value('age')) ?? (pending ? 10_000 : 3_600_000),
    maintenance: said.has('maintenance'),
    resyncs: Number(said.value('resyncs') ?? 0),
  };
  said.allRead();
  return machine;
}

function jobsOf(kind: string | undefined): Machine['jobs'] {
  if (kind === 'controller') return ['manage-state', 'manage-environ'];
  if (kind === 'controller+workload') return ['host-units', 'manage-state', 'manage-environ'];
  if (kind === 'workload') return ['host-units'];
  if (kind === 'jobless') return [];
  throw new Error(`no kind of machine: ${kind}`);
}

function readMember(line: string): Member {
  const [id, state, ...rest] = line.split(/\s+/);
  const said = words(rest.join(' '));
  const vote = said.has('vote');
  if (!vote && !said.has('no-vote')) throw new Error(`vote or no-vote: ${line}`);
  const healthy =
    ['PRIMARY', 'SECONDARY', 'STARTUP2', 'RECOVERING', 'ARBITER'].includes(state as string) && !said.has('unreachable');
  const machine = said.value('machine') ?? (id as string);
  const cutOff = said.value('cut-off');
  const member: Member = {
    id: Number(id),
    machine: machine === 'none' ? null : machine,
    host: `10.0.0.${id}:37017`,
    votes: vote ? 1 : 0,
    priority: Number(said.value('priority') ?? (vote ? 1 : 0)),
    state: state as MemberState,
    healthy,
    ...(cutOff !== undefined && { cutOffMs: seconds(cutOff) as number }),
    optime: !healthy || state === 'STARTUP2' ? null : said.has('behind') ? EARLIER : NOW,
    lagMs: null,
    downMs: seconds(said.value('down')) ?? 0,
  };
  said.allRead();
  return member;
}

/** "3 controllers, keep 1, avoid 2, to 4 5, cancelled", or "3 controllers, switchover 2" */
function readGoal(text: string): Goal {
  const [size, ...rest] = text.split(/,\s*/);
  const ids = (word: string) =>
    rest
      .find((part) => part.startsWith(`${word} `))
      ?.split(' ')
      .slice(1) ?? [];
  const known = rest.every((part) => part === 'cancelled' || /^(keep|avoid|to|switchover) /.test(part));
  const match = /^(\d) controllers?$/.exec(size as string);
  if (!match || !known) throw new Error(`not understood: ${text}`);
  const primary = ids('switchover')[0] ?? null;
  return {
    controllers: Number(match[1]),
    keep: ids('keep'),
    avoid: ids('avoid'),
    to: ids('to'),
    settle: rest.includes('cancelled') || primary !== null,
    primary,
  };
}

/** "healthy 2", "primary" */
function readExpired(text: string): Expired {
  const [what, ...machines] = text.split(/\s+/);
  return { for: what as WaitFor, machines };
}

const seconds = (text: string | undefined): number | undefined =>
  text === undefined
    ? undefined
    : Number.parseInt(text, 10) * (text.endsWith('h') ? 3_600_000 : text.endsWith('m') ? 60_000 : 1000);

/** Words and `name=value` pairs of a line, each of which must be asked for. */
function words(text: string) {
  const left = new Set(text.split(/\s+/).filter((word) => word !== ''));
  const find = (name: string) => [...left].find((word) => word === name || word.startsWith(`${name}=`));
  return {
    has(name: string): boolean {
      const word = find(name);
      return word !== undefined && (word.includes('=') || left.delete(word));
    },
    value(name: string): string | undefined {
      const word = find(name);
      if (word === undefined) return undefined;
      left.delete(word);
      return word.slice(name.length + 1);
    },
    allRead(): void {
      if (left.size > 0) throw new Error(`not understood: ${[...left].join(' ')} in "${text}"`);
    },
  };
}
