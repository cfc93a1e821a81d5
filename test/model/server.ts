/**
 * MongoDB's rules for a set and its config, as far as they decide what may happen: who installs a config, how it spreads, who
 * is elected, what is copied, what counts as written. Each rule is one function from a state to the next, or null where the
 * server refuses or nothing changes. Where the rules come from: mongodb.md's facts, seen on real servers (trace.test.ts).
 */
import {
  answers,
  bit,
  Cond,
  commonPrefix,
  compareConfigs,
  compareLogs,
  count,
  each,
  entry,
  entryTermOf,
  has,
  isPrimary,
  Kind,
  kindOf,
  type Machine,
  majority,
  membersOf,
  pack,
  Role,
  runs,
  type State,
  termOf,
  versionOf,
  votersOf,
  withMachine,
} from './state.js';

/** Which checks of the server hold; the model shows what MongoDB itself refuses by leaving one out. */
export interface ServerRules {
  /** 103: at most one vote may differ. */
  readonly oneVote: boolean;
  /** 308: the current config, and what was acknowledged in earlier ones, is on a majority. */
  readonly committed: boolean;
  /** 103: the version must be higher than the current one. */
  readonly version: boolean;
  /** 93: the primary keeps its vote. */
  readonly primaryVotes: boolean;
  /** 74: a majority of the new voters answers. */
  readonly quorum: boolean;
  /** MongoDB's own notes are in the logs: left out where nobody reads them. */
  readonly notes: boolean;
}
export const REAL: ServerRules = {
  ...{ oneVote: true, committed: true, version: true, primaryVotes: true, quorum: true },
  notes: false,
};

export const machine = (state: State, i: number): Machine => state.machines[i] as Machine;

/** Whether two machines can talk; one that is cut off talks to itself. */
export const reaches = (state: State, i: number, j: number): boolean =>
  i === j ? runs(machine(state, i)) : answers(machine(state, i)) && answers(machine(state, j));

const reachable = (state: State, from: number, mask: number): number[] =>
  each(mask).filter((j) => j < state.machines.length && reaches(state, from, j));

/** Its config, and what had to be written before it, is or was on a majority of its voters: `commitmentStatus`. */
export function isCommitted(state: State, i: number): boolean {
  const p = machine(state, i);
  if (p.sure === 1) return true;
  const voters = votersOf(p.config);
  const there = reachable(state, i, voters);
  const configs = there.filter((j) => machine(state, j).config === p.config).length;
  const oplog = there.filter((j) => machine(state, j).log.startsWith(p.log.slice(0, p.need))).length;
  return configs >= majority(voters) && (termOf(p.config) === -1 || oplog >= majority(voters));
}

export type Answer = { readonly ok: true; readonly state: State } | { readonly ok: false; readonly code: number };
const refused = (code: number): Answer => ({ ok: false, code });

/**
 * `replSetReconfig` at member `i`, up to where it is on disk with MongoDB's own note in the oplog; it is not in force yet
 * (`install`). That order was seen: writes are acknowledged under the old config after the note of the new one.
 */
export function reconfig(
  state: State,
  i: number,
  next: { readonly version: number; readonly voters: number; readonly members: number },
  rules: ServerRules,
  note = true,
): Answer {
  const p = machine(state, i);
  if (!isPrimary(p)) return refused(10107);
  if (p.disk !== p.config) return refused(109);
  if (rules.committed && !isCommitted(state, i)) return refused(308);
  if (rules.version && next.version <= versionOf(p.config)) return refused(103);
  if (rules.oneVote && count(votersOf(p.config) ^ next.voters) > 1) return refused(103);
  if (rules.primaryVotes && !has(next.voters, i)) return refused(93);
  const there = reachable(state, i, next.members);
  if (there.some((j) => machine(state, j).config !== 0 && compareConfigs(machine(state, j).config, p.config) > 0))
    return refused(103);
  if (there.some((j) => machine(state, j).term > p.term)) return refused(10107);
  if (rules.quorum && there.filter((j) => has(next.voters, j)).length < majority(next.voters)) return refused(74);
  const disk = pack(next.version, p.term, next.voters, next.members);
  const log =
    note && rules.notes && count(next.voters) === 2 ? p.log + entry(Kind.serverNote, p.term, next.version) : p.log;
  return { ok: true, state: withMachine(state, i, { disk, log }) };
}

/** The config on disk comes into force: from now on it decides what counts as written, and others hear of it. */
export function install(state: State, i: number): State | null {
  const p = machine(state, i);
  if (!runs(p) || p.disk === p.config) return null;
  return withMachine(state, i, { config: p.disk, need: Math.max(p.need, p.commit), sure: 0 });
}

/** A config forced on member `i`: nothing is checked, the version jumps, and it has no term. */
export function force(state: State, i: number): State {
  const { config } = machine(state, i);
  const forced = pack(versionOf(config) + 8, -1, bit(i), bit(i));
  return withMachine(state, i, { config: forced, disk: forced, sure: 0 });
}

/** Member `i` hears the newest config that is newer than its own, with the term of who has it. One that it is no part of makes it REMOVED. */
export function hearConfig(state: State, i: number): State | null {
  const m = machine(state, i);
  if (!answers(m) || m.disk !== m.config) return null;
  let newest = m.config;
  let { term } = m;
  for (const [j, other] of state.machines.entries()) {
    if (j === i || !answers(other) || other.config === 0) continue;
    const linked = has(membersOf(other.config), i) || has(membersOf(m.config), j);
    if (!linked || (newest !== 0 && compareConfigs(other.config, newest) <= 0)) continue;
    newest = other.config;
    term = Math.max(term, other.term);
  }
  if (newest === m.config) return null;
  if (!has(membersOf(newest), i)) {
    if (m.role === Role.fresh) return null;
    return withMachine(state, i, {
      config: newest,
      disk: newest,
      term,
      role: Role.removed,
      commit: 0,
      need: 0,
      sure: 0,
    });
  }
  // A primary hears of the higher term in the same heartbeat.
  if (m.role === Role.primary && term === m.term && has(votersOf(newest), i))
    return withMachine(state, i, { config: newest, disk: newest, sure: 0 });
  return withMachine(state, i, {
    config: newest,
    disk: newest,
    term,
    role: Role.secondary,
    commit: 0,
    need: 0,
    sure: 0,
  });
}

/** A primary that hears of a higher term, or reaches no majority any more, steps down. */
export function stepDown(state: State, i: number): State | null {
  const p = machine(state, i);
  if (!isPrimary(p)) return null;
  const there = reachable(state, i, votersOf(p.config));
  const higher = Math.max(...reachable(state, i, membersOf(p.config)).map((j) => machine(state, j).term), p.term);
  const heardOf = state.machines.some((m, j) => m.term > p.term && reaches(state, i, j) && has(membersOf(m.config), i));
  if (higher === p.term && !heardOf && there.length >= majority(votersOf(p.config))) return null;
  return withMachine(state, i, { role: Role.secondary, term: Math.max(higher, p.term), commit: 0, need: 0, sure: 0 });
}

/** Member `i` stands up: the voters that it reaches vote unless their config, term or log is newer. Atomic, with the first entry. */
export function elect(state: State, i: number): State | null {
  const c = machine(state, i);
  if (!runs(c) || c.role !== Role.secondary || c.synced === 0 || c.disk !== c.config) return null;
  const voters = votersOf(c.config);
  if (!has(voters, i)) return null;
  const willing = reachable(state, i, voters).filter((j) => {
    const v = machine(state, j);
    return v.role !== Role.fresh && compareConfigs(v.config, c.config) <= 0 && compareLogs(v.log, c.log) <= 0;
  });
  if (willing.length < majority(voters)) return null;
  const term = Math.max(...willing.map((j) => machine(state, j).term)) + 1;
  const machines = state.machines.slice();
  for (const j of willing) {
    const v = machine(state, j);
    const deposed = v.role === Role.primary ? { role: Role.secondary, commit: 0, need: 0, sure: 0 } : {};
    machines[j] = { ...v, ...deposed, term };
  }
  // The term goes into the config at once, unless it was forced.
  const config = termOf(c.config) === -1 ? c.config : pack(versionOf(c.config), term, voters, membersOf(c.config));
  const log = c.log + entry(Kind.start, term);
  machines[i] = { ...c, term, role: Role.primary, config, disk: config, log, commit: 0, need: log.length, sure: 0 };
  return { ...state, machines };
}

/** Whether a member that `i` could follow is primary and reached: then it does not stand up by itself. */
export const seesPrimary = (state: State, i: number): boolean =>
  state.machines.some((m, j) => isPrimary(m) && reaches(state, i, j) && m.term >= machine(state, i).term);

/**
 * Member `i` copies from primary `p`: all that is known to be written at first, then what there is, or `one` entry at a time;
 * it drops what `p` lacks. Whoever copies as entries come has been at each of them, so that all at once leaves out little.
 */
export function copy(state: State, i: number, p: number, one: boolean): State | null {
  const [m, source] = [machine(state, i), machine(state, p)];
  if (i === p || !isPrimary(source) || !reaches(state, i, p) || m.role !== Role.secondary || m.term > source.term)
    return null;
  if (!has(membersOf(source.config), i)) return null;
  const { term } = source;
  if (m.synced === 0) {
    return withMachine(state, i, { synced: 1, term, log: source.log.slice(0, source.commit) });
  }
  if (!source.log.startsWith(m.log)) {
    return withMachine(state, i, { term, log: commonPrefix(m.log, source.log) });
  }
  if (m.log.length < source.log.length)
    return withMachine(state, i, { term, log: one ? source.log.slice(0, m.log.length + 1) : source.log });
  return m.term < term ? withMachine(state, i, { term }) : null;
}

/** A client's write reaches primary `i`. */
export function write(state: State, i: number): State | null {
  const p = machine(state, i);
  if (state.writes === 0 || !isPrimary(p)) return null;
  return { ...withMachine(state, i, { log: p.log + entry(Kind.write, p.term) }), writes: state.writes - 1 };
}

/**
 * Primary `i` finds more of its log on a majority of the voters of the config in force, all in its own term, and tells its
 * clients. `lost` when what was told before is no part of it.
 */
export function acknowledge(state: State, i: number): { readonly state: State; readonly lost: boolean } | null {
  const p = machine(state, i);
  if (!isPrimary(p)) return null;
  const voters = votersOf(p.config);
  const holders = reachable(state, i, voters).filter((j) => machine(state, j).term === p.term);
  if (holders.length < majority(voters)) return null;
  let length = p.log.length;
  const held = (n: number) =>
    holders.filter((j) => machine(state, j).log.startsWith(p.log.slice(0, n))).length >= majority(voters);
  while (length > p.commit && !held(length)) length--;
  if (length <= p.commit || entryTermOf(p.log.charCodeAt(length - 1)) !== p.term) return null;
  const common = p.log.slice(0, length);
  const next = withMachine(state, i, { commit: length });
  if (!common.startsWith(state.acked)) return { state: next, lost: !state.acked.startsWith(common) };
  const told = untilLastWrite(common);
  return { state: told.length > state.acked.length ? { ...next, acked: told } : next, lost: false };
}

/** Clients are told of their own writes alone. */
function untilLastWrite(log: string): string {
  for (let n = log.length; n > 0; n--) if (kindOf(log.charCodeAt(n - 1)) === Kind.write) return log.slice(0, n);
  return '';
}

/** All primaries take note of what is on a majority, and tell their clients. */
export function acknowledgeAll(from: State): { readonly state: State; readonly lost: boolean } {
  let [state, lost] = [from, false];
  for (let i = 0; i < state.machines.length; i++) {
    const p = machine(state, i);
    if (isPrimary(p) && p.sure === 0 && isCommitted(state, i)) state = withMachine(state, i, { sure: 1 });
    const told = acknowledge(state, i);
    if (told === null) continue;
    state = told.state;
    lost ||= told.lost;
  }
  return { state, lost };
}

/** A mongod starts again with what is on its disk. */
export function restart(state: State, i: number): State {
  const m = machine(state, i);
  const role = m.disk === 0 ? Role.fresh : has(membersOf(m.disk), i) ? Role.secondary : Role.removed;
  return withMachine(state, i, { cond: Cond.running, up: 1, role, config: m.disk, commit: 0, need: 0, sure: 0 });
}
