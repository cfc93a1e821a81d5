/**
 * One form for states that behave alike, so that they are explored once: what everybody has is cut off the logs, versions and
 * terms count from the lowest in use, an ended instance remembers nothing, and machines that nobody names any more are gone.
 * Machines keep their order, as the planner goes by it.
 */
import {
  Cond,
  commonPrefix,
  entryTermOf,
  type Flight,
  has,
  isNaming,
  Kind,
  kindOf,
  Life,
  type Machine,
  machineBits,
  membersOf,
  NO_FENCE,
  NO_MEMBER,
  noteMemberOf,
  noteVersionOf,
  pack,
  Role,
  Stage,
  type State,
  termOf,
  versionOf,
  votersOf,
} from './state.js';

/** The same state in its one form. */
export function canonical(state: State): State {
  return shifted(trimmed(compacted(forgetful(state))));
}

const GONE: Partial<Machine> = { agent: 0, heard: 0, ...NO_MEMBER };

/** What no longer matters is set to one value. */
function forgetful(state: State): State {
  let machines: Machine[] | null = null;
  for (const [i, m] of state.machines.entries()) {
    let next = m;
    if (m.cond === Cond.ended && m.agent === 1) next = { ...m, ...GONE };
    else if (m.up === 0 && (m.role === Role.primary || m.commit > 0 || m.need > 0 || m.config !== m.disk))
      next = { ...m, role: Role.secondary, commit: 0, need: 0, sure: 0, config: m.disk };
    if (next !== m) {
      machines ??= state.machines.slice();
      machines[i] = next;
    }
  }
  return machines === null ? state : { ...state, machines };
}

const live = (m: Machine): boolean => m.cond !== Cond.ended;

/** Machines whose documents are forgotten and whom no config, deed or address names are left out. */
function compacted(state: State): State {
  const { machines } = state;
  if (!machines.some((m) => m.life === Life.dead && m.cond === Cond.ended)) return state;
  let named = state.published | maskIn(state.flight) | maskIn(state.late);
  for (const m of machines) if (live(m)) named |= membersOf(m.config) | membersOf(m.disk);
  const keep = machines.flatMap((m, i) => (m.life === Life.dead && m.cond === Cond.ended && !has(named, i) ? [] : [i]));
  if (keep.length === machines.length) return state;
  const move = (mask: number): number => keep.reduce((to, from, i) => to | (has(mask, from) ? 1 << i : 0), 0);
  const config = (c: number): number =>
    c === 0 ? 0 : pack(versionOf(c), termOf(c), move(votersOf(c)), move(membersOf(c)));
  const log = (from: string): string => {
    let to = '';
    for (let i = 0; i < from.length; i++) {
      const code = from.charCodeAt(i);
      const who = keep.indexOf(noteMemberOf(code));
      to += isNaming(code) ? String.fromCharCode((code & ~(7 << 8)) | ((who < 0 ? 7 : who) << 8)) : from[i];
    }
    return to;
  };
  const flight = (f: Flight | null): Flight | null =>
    f && {
      ...f,
      mask: f.kind === 'add-machines' ? f.mask : move(f.mask),
      config: config(f.config),
      to: Math.max(0, keep.indexOf(f.to)),
    };
  return {
    ...state,
    machines: keep.map((i) => {
      const m = machines[i] as Machine;
      return { ...m, config: config(m.config), disk: config(m.disk), log: log(m.log) };
    }),
    acked: log(state.acked),
    published: move(state.published),
    expired: state.expired.flatMap((code) => {
      const mask = move(code & 0xff);
      // A boot that failed counts on, whoever it was.
      return mask === 0 && (code & 0xff) !== 0 && code >> 8 !== 0 ? [] : [(code & ~0xff) | mask];
    }),
    flight: flight(state.flight),
    late: flight(state.late),
  };
}

const maskIn = (f: Flight | null): number =>
  f === null
    ? 0
    : (f.kind === 'add-machines' ? 0 : f.mask) | membersOf(f.config) | (f.stage === Stage.decided ? 0 : 1 << f.to);

/** All configs that are in use anywhere. */
function* configsOf(state: State): Iterable<number> {
  for (const m of state.machines) {
    if (m.config !== 0) yield m.config;
    if (m.disk !== 0 && m.disk !== m.config) yield m.disk;
  }
}

function lowestVersion(state: State): number {
  let least = 255;
  for (const config of configsOf(state)) least = Math.min(least, versionOf(config));
  for (const f of [state.flight, state.late]) if (f !== null) least = Math.min(least, f.version);
  return least;
}

/** What every disk with data holds says nothing about any of them; notes of configs in use are kept. */
function trimmed(state: State): State {
  let prefix: string | null = null;
  for (const m of state.machines) {
    if (m.synced === 0) continue;
    prefix = prefix === null ? m.log : commonPrefix(prefix, m.log);
    if (prefix === '') break;
  }
  if (prefix === null || prefix === '') return state;
  const least = lowestVersion(state);
  let cut = 0;
  while (cut < prefix.length) {
    const code = prefix.charCodeAt(cut);
    if (kindOf(code) >= Kind.serverNote && noteVersionOf(code) >= least) break;
    cut++;
  }
  // All disks hold it, so it is as good as acknowledged.
  const acked = state.acked.length < prefix.length && prefix.startsWith(state.acked) ? prefix : state.acked;
  if (cut === 0) return acked === state.acked ? state : { ...state, acked };
  const less = (n: number): number => Math.max(0, n - cut);
  return {
    ...state,
    acked: acked.slice(cut),
    machines: state.machines.map((m) =>
      m.synced === 0 ? m : { ...m, log: m.log.slice(cut), commit: less(m.commit), need: less(m.need) },
    ),
  };
}

function shifted(state: State): State {
  let term = 63;
  for (const m of state.machines) {
    if (m.role !== Role.fresh || m.term > 0) term = Math.min(term, m.term);
    for (let i = 0; i < m.log.length; i++) term = Math.min(term, entryTermOf(m.log.charCodeAt(i)));
  }
  for (let i = 0; i < state.acked.length; i++) term = Math.min(term, entryTermOf(state.acked.charCodeAt(i)));
  for (const config of configsOf(state)) if (termOf(config) >= 0) term = Math.min(term, termOf(config));
  for (const f of [state.flight, state.late]) if (f !== null && f.term >= 0) term = Math.min(term, f.term);
  const dt = term === 63 ? 0 : term - 1;
  const least = lowestVersion(state);
  const dv = least === 255 ? 0 : least - 1;
  const log = (from: string): string => {
    let to = '';
    for (let i = 0; i < from.length; i++) {
      const code = from.charCodeAt(i);
      const old = kindOf(code) >= Kind.serverNote && noteVersionOf(code) < least;
      const kind = old ? Kind.start : kindOf(code);
      const version = kind >= Kind.serverNote ? noteVersionOf(code) - dv : 0;
      const who = !old && isNaming(code) ? noteMemberOf(code) : 0;
      to += String.fromCharCode(kind | (version << 3) | (who << 8) | ((entryTermOf(code) - dt) << 11));
    }
    return to;
  };
  const hasOldNote = dt === 0 && dv === 0 && !notesBelow(state, least);
  if (hasOldNote) return state;
  const config = (c: number): number =>
    c === 0 ? 0 : pack(versionOf(c) - dv, termOf(c) === -1 ? -1 : termOf(c) - dt, votersOf(c), membersOf(c));
  const flight = (f: Flight | null): Flight | null =>
    f && {
      ...f,
      version: f.version === NO_FENCE ? NO_FENCE : f.version - dv,
      term: f.term === -1 ? -1 : f.term - dt,
      config: f.config === 0 ? 0 : pack(versionOf(f.config) - dv, -1, votersOf(f.config), membersOf(f.config)),
    };
  return {
    ...state,
    acked: log(state.acked),
    machines: state.machines.map((m) => ({
      ...m,
      term: m.role === Role.fresh && m.term === 0 ? 0 : m.term - dt,
      config: config(m.config),
      disk: config(m.disk),
      log: log(m.log),
    })),
    flight: flight(state.flight),
    late: flight(state.late),
  };
}

function notesBelow(state: State, least: number): boolean {
  for (const m of state.machines) {
    for (let i = 0; i < m.log.length; i++) {
      const code = m.log.charCodeAt(i);
      if (kindOf(code) >= Kind.serverNote && noteVersionOf(code) < least) return true;
    }
  }
  return false;
}

const flightKey = (f: Flight | null): string =>
  f === null
    ? '-'
    : `${f.kind}${f.stage}${String.fromCharCode(f.mask, f.version, f.term + 1, f.fresh | (f.by << 1), f.config & 0x7fff, f.config >>> 15, f.to)}`;

/** The same for states that are the same, and only for those. Of a canonical state. */
export function keyOf(state: State): string {
  let key = '';
  for (const m of state.machines) {
    key += String.fromCharCode(
      machineBits(m) | (m.role << 12) | (m.synced << 14),
      m.term | (m.sure << 5) | (m.commit << 6) | (m.need << 11),
      m.config & 0x7fff,
      m.config >>> 15,
      m.disk === m.config ? 0 : (m.disk & 0x7fff) + 1,
      m.disk === m.config ? 0 : m.disk >>> 15,
      m.log.length | (m.resyncs << 8),
    );
    key += m.log;
  }
  key += String.fromCharCode(
    state.published,
    state.writes | (state.faults << 3) | (state.settle << 6) | (state.second << 7) | (state.end << 8),
    ...state.expired,
    0xffff,
  );
  return `${key}${state.acked}${flightKey(state.flight)}${flightKey(state.late)}`;
}
