/**
 * What real members were seen to do, and whether the model could have done it. A trace is a list of what was asked of them,
 * with each answer, and of what all of them said in between. The model follows with every state that it could be in; a
 * trace is accepted as long as one is left.
 */
import { keyOf } from './canonical.js';
import {
  acknowledgeAll,
  copy,
  elect,
  force,
  hearConfig,
  install,
  machine,
  REAL,
  reconfig,
  restart,
  seesPrimary,
  stepDown,
  write,
} from './server.js';
import {
  answers,
  atRest,
  Cond,
  compareLogs,
  each,
  isPrimary,
  membersOf,
  newMachine,
  Role,
  type State,
  termOf,
  versionOf,
  votersOf,
  withMachine,
} from './state.js';

/** What one member said of itself; null: it did not answer. Versions that a force made jump are counted from before the jump. */
export type Said = {
  readonly state: 'PRIMARY' | 'SECONDARY' | 'STARTUP2' | 'REMOVED' | 'fresh';
  readonly term?: number;
  readonly config?: {
    readonly version: number;
    /** −1: none, it was forced. */
    readonly term: number;
    readonly voters: readonly number[];
    readonly members: readonly number[];
  };
  /** Place of its last entry among those of all members that said one, oldest first; equal places for equal entries. */
  readonly place?: number;
} | null;

export type TraceEvent =
  | {
      readonly do: 'reconfig';
      readonly to: number;
      readonly version: number;
      readonly voters: readonly number[];
      readonly members: readonly number[];
      /** 0: it was taken, whatever became of it afterwards. */
      readonly code: number;
    }
  | { readonly do: 'force'; readonly to: number }
  /** A client's write with majority: told that it is written, or not within the time. `code`: refused. */
  | { readonly do: 'write'; readonly to: number; readonly told: boolean; readonly code: number }
  /** A write that waits for nobody else. */
  | { readonly do: 'write-alone'; readonly to: number }
  | { readonly do: 'stand-up'; readonly to: number; readonly code: number }
  | { readonly do: 'kill' | 'start' | 'freeze' | 'thaw'; readonly to: number }
  | { readonly see: readonly Said[] };

export interface Trace {
  /** What it shows, in a sentence. */
  readonly says: string;
  readonly mongod: string;
  readonly members: number;
  readonly events: readonly TraceEvent[];
}

export interface Verdict {
  readonly accepted: boolean;
  /** The event at which no state was left, in words. */
  readonly at: string;
  /** Most states that were possible at once. */
  readonly most: number;
}

const MOST_STATES = 300_000;

/** Follows a trace. It begins with member 0 as a set of its own, and the others without one. */
export function follow(trace: Trace): Verdict {
  let possible = new Map<string, State>();
  const first = withFresh(atRest(1, { writes: 7, faults: 0 }), trace.members);
  possible.set(keyOf(first), first);
  let most = 0;
  for (const [n, event] of trace.events.entries()) {
    const reachable = closure(possible.values(), highestTerm(trace.events.slice(n)));
    most = Math.max(most, reachable.size);
    possible = new Map();
    for (const state of reachable.values()) {
      const next = apply(state, event);
      if (next !== null) possible.set(keyOf(next), next);
    }
    if (possible.size === 0) return { accepted: false, at: `event ${n + 1}: ${JSON.stringify(event)}`, most };
  }
  return { accepted: true, at: '', most };
}

function withFresh(state: State, members: number): State {
  const fresh = newMachine({ cond: Cond.running, known: 1, up: 1 });
  return { ...state, machines: [...state.machines, ...Array.from({ length: members - 1 }, () => fresh)] };
}

/** No member gets further than the term that is seen next. */
function highestTerm(events: readonly TraceEvent[]): number {
  const seen = events.find((event) => 'see' in event) as { see: readonly Said[] } | undefined;
  return Math.max(...(seen?.see ?? []).map((said) => said?.term ?? 0));
}

/** All states that the members can come to by themselves. */
function closure(from: Iterable<State>, highest: number): Map<string, State> {
  const all = new Map<string, State>();
  const open: State[] = [];
  const add = (state: State): void => {
    const told = acknowledgeAll(state).state;
    const key = keyOf(told);
    if (all.has(key)) return;
    all.set(key, told);
    open.push(told);
    if (all.size > MOST_STATES) throw new Error('a trace leaves too much open: let it see the members more often');
  };
  for (const state of from) add(state);
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const next of byThemselves(state)) {
      if (next.machines.every((m) => m.term <= highest)) add(next);
    }
  }
  return all;
}

function* byThemselves(state: State): Iterable<State> {
  for (let i = 0; i < state.machines.length; i++) {
    const m = machine(state, i);
    if (!answers(m)) continue;
    const next = [install(state, i), stepDown(state, i), hearConfig(state, i)];
    for (let p = 0; p < state.machines.length; p++) next.push(copy(state, i, p, true), copyFromSecondary(state, i, p));
    if (m.role === Role.secondary && !seesPrimary(state, i)) next.push(elect(state, i));
    for (const one of next) if (one !== null) yield one;
  }
}

/**
 * Secondaries also copy from each other. The explorer leaves it out: what it leads to comes about as well when the one had
 * copied from the primary before.
 */
function copyFromSecondary(state: State, i: number, j: number): State | null {
  const [m, source] = [machine(state, i), machine(state, j)];
  const both = answers(m) && answers(source) && m.role === Role.secondary && source.role === Role.secondary;
  if (!both || m.synced === 0 || source.synced === 0 || !source.log.startsWith(m.log) || source.log === m.log)
    return null;
  return withMachine(state, i, { log: source.log.slice(0, m.log.length + 1) });
}

const maskOf = (ids: readonly number[]): number => ids.reduce((mask, id) => mask | (1 << id), 0);

/** The state after the event, with exactly the answer that was seen; null when the model would have answered otherwise. */
function apply(state: State, event: TraceEvent): State | null {
  if ('see' in event) return looksLike(state, event.see) ? state : null;
  const { to } = event;
  switch (event.do) {
    case 'reconfig': {
      const next = { version: event.version, voters: maskOf(event.voters), members: maskOf(event.members) };
      const answer = reconfig(state, to, next, REAL);
      if (answer.ok) return event.code === 0 ? answer.state : null;
      return answer.code === event.code ? state : null;
    }
    case 'force':
      return force(state, to);
    case 'write':
    case 'write-alone': {
      if (event.do === 'write' && event.code !== 0) return isPrimary(machine(state, to)) ? null : state;
      const written = write(state, to);
      if (written === null) return null;
      if (event.do === 'write-alone') return written;
      return event.told ? toldOf(written, to) : written;
    }
    case 'stand-up': {
      const elected = elect(state, to);
      if (event.code === 0) return elected ?? (isPrimary(machine(state, to)) ? state : null);
      return elected === null ? state : null;
    }
    case 'kill':
      return withMachine(state, to, {
        up: 0,
        role: Role.secondary,
        commit: 0,
        need: 0,
        sure: 0,
        config: machine(state, to).disk,
      });
    case 'start':
      return restart(state, to);
    case 'freeze':
      return withMachine(state, to, { cond: Cond.cut });
    case 'thaw':
      return withMachine(state, to, { cond: Cond.running });
  }
}

/** Copies on until the client can be told of the last entry, if it ever can. */
function toldOf(written: State, to: number): State | null {
  const wanted = machine(written, to).log;
  for (const state of closure([written], machine(written, to).term).values()) {
    if (state.acked.startsWith(wanted)) return state;
  }
  return null;
}

function looksLike(state: State, see: readonly Said[]): boolean {
  const placed = see.flatMap((said, i) =>
    said?.place === undefined ? [] : [{ place: said.place, log: machine(state, i).log }],
  );
  for (const a of placed) {
    for (const b of placed) {
      if (Math.sign(compareLogs(a.log, b.log)) !== Math.sign(a.place - b.place)) return false;
    }
  }
  return see.every((said, i) => said === null || saysSo(state, i, said));
}

function saysSo(state: State, i: number, said: NonNullable<Said>): boolean {
  const m = machine(state, i);
  if (!answers(m)) return false;
  const roles = {
    PRIMARY: Role.primary,
    SECONDARY: Role.secondary,
    STARTUP2: Role.secondary,
    REMOVED: Role.removed,
    fresh: Role.fresh,
  };
  if (m.role !== roles[said.state]) return false;
  if (said.state === 'SECONDARY' && m.synced === 0) return false;
  if (said.state === 'STARTUP2' && m.synced === 1) return false;
  if (said.term !== undefined && m.term !== said.term) return false;
  const { config } = said;
  return (
    config === undefined ||
    (versionOf(m.config) === config.version &&
      termOf(m.config) === config.term &&
      same(each(votersOf(m.config)), config.voters) &&
      same(each(membersOf(m.config)), config.members))
  );
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id) => b.includes(id));
