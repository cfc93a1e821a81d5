/**
 * One state of the model: what each machine, its mongod and its instance are, what the documents say, what clients were told,
 * and what is under way. Small integers and short strings; never changed, only copied (`with…`).
 *
 * A log is a string, one character an entry, so that "holds all of" is `startsWith`. A config is one integer. Sets of machines
 * are bit masks; machine `i` runs member `i`.
 */

/** What has become of a machine's instance. `cut`: it runs, and nobody reaches it nor does it reach anybody. */
export const Cond = { booting: 0, running: 1, cut: 2, off: 3, ended: 4 } as const;
export const Life = { alive: 0, dying: 1, dead: 2 } as const;
/** `fresh`: a mongod that belongs to no set yet. */
export const Role = { fresh: 0, secondary: 1, primary: 2, removed: 3 } as const;
export const Mark = { none: 0, keep: 1, avoid: 2, heir: 3 } as const;

export interface Machine {
  readonly cond: number;
  readonly life: number;
  /** It has the controller's jobs. */
  readonly job: number;
  /** What the goal says of it. */
  readonly mark: number;
  /** Its agent runs, has been heard of at all, and has the published addresses. */
  readonly agent: number;
  readonly known: number;
  readonly heard: number;
  /** How often its member was made anew in place. */
  readonly resyncs: number;
  /** Its mongod runs. */
  readonly up: number;
  readonly role: number;
  readonly term: number;
  /** The config in force, and the one on disk: they differ while a primary installs. */
  readonly config: number;
  readonly disk: number;
  /** It has copied the data once. */
  readonly synced: number;
  readonly log: string;
  /** Of a primary: how much of its log it knows to be on a majority, and how much must be before the next reconfig. */
  readonly commit: number;
  readonly need: number;
  /** Of a primary: it has seen its config, and what had to be before it, on a majority; it does not forget when members go. */
  readonly sure: number;
}

/**
 * Where a deed is on its way. `decided`: the executor has not looked yet. `announcing`: it has noted that one of two goes on
 * alone. `sent`: nobody looks any more. `noting`: a config of two is on its way into force.
 */
export const Stage = { decided: 0, announcing: 1, sent: 2, noting: 3 } as const;

export const DEEDS = [
  'add-machines',
  'join',
  'grant-vote',
  'withdraw-vote',
  'hand-over',
  'remove-members',
  'publish',
  'drop-jobs',
  'renew-member',
  'mark-dying',
  'mark-dead',
  'terminate',
  'force-survivor',
] as const;
export type DeedKind = (typeof DEEDS)[number];

/** The version of a deed that no config fences. */
export const NO_FENCE = 255;

export interface Flight {
  readonly stage: number;
  readonly kind: DeedKind;
  /** Machines that it is about; for `add-machines` how many. */
  readonly mask: number;
  /** The config that it was decided on. */
  readonly version: number;
  readonly term: number;
  /** The documents are still those that it was decided on. */
  readonly fresh: number;
  /** The command that it belongs to: the first or the second. */
  readonly by: number;
  /** Once sent: the config that is sent, and to whom. */
  readonly config: number;
  readonly to: number;
}

export const End = { running: 0, done: 1, blocked: 2 } as const;

export interface State {
  readonly machines: readonly Machine[];
  /** Machines whose addresses are published. */
  readonly published: number;
  /** The longest history that a client was told is written. */
  readonly acked: string;
  /** Writes and faults that may still come. */
  readonly writes: number;
  readonly faults: number;
  /** Waits that ended at their deadline: which wait, and for which machines (`packExpired`). */
  readonly expired: readonly number[];
  readonly flight: Flight | null;
  /** A deed whose workflow has given it up, and that still may land. */
  readonly late: Flight | null;
  readonly settle: number;
  /** A second command has taken over from the first. */
  readonly second: number;
  readonly end: number;
}

export const withMachine = (state: State, i: number, change: Partial<Machine>): State => {
  const machines = state.machines.slice();
  machines[i] = { ...(machines[i] as Machine), ...change };
  return { ...state, machines };
};

export const bit = (i: number): number => 1 << i;
export const has = (mask: number, i: number): boolean => (mask & (1 << i)) !== 0;
export function count(mask: number): number {
  let n = 0;
  for (let m = mask; m !== 0; m &= m - 1) n++;
  return n;
}
export function each(mask: number): number[] {
  const out: number[] = [];
  for (let i = 0; mask >> i !== 0; i++) if (has(mask, i)) out.push(i);
  return out;
}
export const majority = (voters: number): number => (count(voters) >> 1) + 1;

/** A config: 8 bits of version, 6 of term + 1 (0: none, it was forced), 8 of voters, 8 of members. */
export const pack = (version: number, term: number, voters: number, members: number): number =>
  (version << 22) | ((term + 1) << 16) | (voters << 8) | members;
export const versionOf = (config: number): number => (config >> 22) & 0xff;
export const termOf = (config: number): number => ((config >> 16) & 0x3f) - 1;
export const votersOf = (config: number): number => (config >> 8) & 0xff;
export const membersOf = (config: number): number => config & 0xff;

/** MongoDB's order: by term where both have one, then by version. */
export function compareConfigs(a: number, b: number): number {
  const [ta, tb] = [termOf(a), termOf(b)];
  if (ta !== tb && ta !== -1 && tb !== -1) return ta - tb;
  return versionOf(a) - versionOf(b);
}

/**
 * Entries of a log: the first of a term, a client's write, MongoDB's note of a config of two, ours that it is in force, ours
 * that one of the two goes on alone, ours that one was alone before there were two. 3 bits of kind, 5 of version, 3 of the
 * member that a note names, 5 of term.
 */
export const Kind = { start: 0, write: 1, serverNote: 2, inForce: 3, alone: 4, sole: 5 } as const;
export function entry(kind: number, term: number, version = 0, who = 0): string {
  if (version > 31 || term > 31) throw new Error('an entry has no room for such a version or term');
  return String.fromCharCode(kind | (version << 3) | (who << 8) | (term << 11));
}
export const kindOf = (code: number): number => code & 7;
/** The note names a member. */
export const isNaming = (code: number): boolean => kindOf(code) === Kind.alone || kindOf(code) === Kind.sole;
export const noteVersionOf = (code: number): number => (code >> 3) & 31;
export const noteMemberOf = (code: number): number => (code >> 8) & 7;
export const entryTermOf = (code: number): number => code >> 11;
export const lastTerm = (log: string): number => (log === '' ? 0 : entryTermOf(log.charCodeAt(log.length - 1)));

/** Order of two logs as members compare them: the last entry's term, then the length. */
export const compareLogs = (a: string, b: string): number => lastTerm(a) - lastTerm(b) || a.length - b.length;

export function commonPrefix(a: string, b: string): string {
  let i = 0;
  while (i < a.length && i < b.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return a.slice(0, i);
}

/** Its mongod runs and answers everybody. */
export const answers = (m: Machine): boolean => m.up === 1 && m.cond === Cond.running;
/** Its mongod runs, whoever reaches it. */
export const runs = (m: Machine): boolean => m.up === 1 && (m.cond === Cond.running || m.cond === Cond.cut);
export const isPrimary = (m: Machine): boolean => m.role === Role.primary && runs(m);

/** A mongod that does not run and holds nothing. */
export const NO_MEMBER = {
  ...{ up: 0, role: Role.fresh, term: 0, config: 0, disk: 0, synced: 0, log: '', commit: 0, need: 0, sure: 0 },
} as const;

/** What a key says of a machine beside its mongod's role and data: 12 bits. */
export const machineBits = (m: Machine): number =>
  m.cond |
  (m.life << 3) |
  (m.job << 5) |
  (m.mark << 6) |
  (m.agent << 8) |
  (m.known << 9) |
  (m.heard << 10) |
  (m.up << 11);

export const newMachine = (change: Partial<Machine> = {}): Machine => ({
  cond: Cond.booting,
  life: Life.alive,
  job: 1,
  mark: Mark.none,
  agent: 1,
  known: 0,
  heard: 0,
  resyncs: 0,
  ...NO_MEMBER,
  ...change,
});

/** A set at rest with `controllers` voters, machine 0 primary, and nothing left to be copied. */
export function atRest(
  controllers: number,
  budget: { writes: number; faults: number; marks?: readonly number[] },
): State {
  const all = (1 << controllers) - 1;
  const config = pack(1, 1, all, all);
  return {
    machines: Array.from({ length: controllers }, (_, i) =>
      newMachine({
        ...{ cond: Cond.running, known: 1, heard: 1, up: 1, term: 1, config, disk: config, synced: 1 },
        role: i === 0 ? Role.primary : Role.secondary,
        mark: budget.marks?.[i] ?? Mark.none,
      }),
    ),
    published: all,
    acked: '',
    writes: budget.writes,
    faults: budget.faults,
    expired: [],
    flight: null,
    late: null,
    settle: 0,
    second: 0,
    end: End.running,
  };
}
