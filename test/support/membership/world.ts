/**
 * A world with faults, for the convergence test. Over the planner's own simulation it lays what matters for the data: each
 * member has a log, writes are acknowledged by a majority of the voters, elections need a majority that is not ahead, a
 * primary writes the note of a config right after installing it (or dies just before), and what was acknowledged is kept.
 */
import { apply, change, proceed } from '../../../src/membership/simulate.js';
import type {
  Deed,
  Goal,
  MachineId,
  Member,
  MemberId,
  Observed,
  ReplicaSet,
  Step,
} from '../../../src/membership/types.js';
import { LOCAL_GRACE } from '../../../src/membership/waits.js';

/** An entry is a write, or the note of a config version. `id`s are unique, terms rise. */
interface Entry {
  readonly id: number;
  readonly term: number;
  readonly note?: number;
}
type Log = readonly Entry[];

/** Draws the world's dice; fast-check decides them. */
export type Dice = (sides: number) => number;

export type Fault = 'terminate' | 'power-off' | 'mongod-down' | 'agent-down' | 'crash-at-reconfig';

export class World {
  seen: Observed;
  readonly lost: number[] = [];
  /** Faults that have not been made good yet: at most one at a time is what must be survived. */
  faulty: MachineId | null = null;
  readonly #dice: Dice;
  readonly #logs = new Map<MemberId, Log>();
  /** Members whose mongod runs. */
  readonly #up = new Set<MemberId>();
  readonly #acknowledged: number[] = [];
  #nextId = 1;
  #term = 1;
  #crashAtNextReconfig = false;

  constructor(controllers: number, dice: Dice) {
    this.#dice = dice;
    const ids = Array.from({ length: controllers }, (_, i) => i);
    const log: Log = [{ id: 0, term: 1, note: 1 }];
    for (const id of ids) this.#logs.set(id, log);
    for (const id of ids) this.#up.add(id);
    this.seen = {
      set: {
        version: 1,
        term: 1,
        committed: true,
        primary: 0,
        members: ids.map(
          (id): Member => ({
            id,
            machine: String(id),
            host: `10.0.0.${id}:37017`,
            votes: 1,
            priority: 1,
            state: id === 0 ? 'PRIMARY' : 'SECONDARY',
            healthy: true,
            optime: null,
            lagMs: null,
            downMs: 0,
          }),
        ),
        reference: null,
        unsettled: null,
        notes: [],
        // Now and then somebody has changed the settings just before.
        timings: { heartbeatMs: dice(3) === 0 ? 1000 : 500, electionMs: 2000 },
      },
      machines: ids.map((id) => ({
        id: String(id),
        jobs: ['manage-state', 'manage-environ'],
        life: 'alive',
        zone: 'abc'[id % 3] as string,
        memberId: id,
        mongo: `10.0.0.${id}:37017`,
        instance: 'running',
        problem: '',
        agent: 'started',
        silentMs: 0,
        services: { mongod: true, api: true, worker: true },
        addressVersion: 1,
        ageMs: 60_000,
        maintenance: false,
        resyncs: 0,
      })),
      addresses: { version: 1, machines: ids.map(String) },
      environmentVersion: 1,
      life: 'alive',
      zones: ['a', 'b', 'c'],
      next: { machine: controllers, member: controllers },
      grace: LOCAL_GRACE,
      timings: { heartbeatMs: 500, electionMs: 2000 },
    };
    this.observe();
  }

  get #set(): ReplicaSet {
    return this.seen.set as ReplicaSet;
  }

  /** One moment passes: writes, replication, elections, the cloud ending what is dead. Then it is looked at. */
  pass(): void {
    this.#elect();
    this.#write();
    for (const machine of this.seen.machines) {
      if (machine.life === 'dead' && machine.instance !== 'terminated' && this.#dice(2) === 0) this.#end(machine.id);
    }
    this.observe();
  }

  perform(deed: Deed): void {
    const before = this.#set;
    const forced = deed.kind === 'force-survivor';
    // Between the look and the deed others write on, and what they write is acknowledged by the config of before.
    this.#write();
    // A planned hand-over lets the heir reach the primary first.
    if (deed.kind === 'hand-over') this.#replicate(1);
    if (deed.kind === 'terminate') this.#end(deed.machine);
    this.seen = apply(this.seen, deed);
    const after = this.#set;
    if (deed.kind === 'join') {
      for (const { id } of after.members.filter((member) => deed.machines.includes(member.machine ?? ''))) {
        this.#logs.set(id, []);
        this.#up.add(id);
      }
    }
    if (deed.kind === 'hand-over' || forced) this.#lead(deed.member);
    if (after.version !== before.version && after.primary !== null) {
      const crashes = this.#crashAtNextReconfig && !forced;
      if (!crashes || this.#dice(2) === 0) this.#append(after.primary, after.version);
      if (crashes) this.#crash(after.primary);
    }
    this.observe();
  }

  /** The primary dies right after installing a config, with or without the note of it in its own oplog. */
  #crash(primary: MemberId): void {
    this.#crashAtNextReconfig = false;
    const machine = this.#set.members.find((member) => member.id === primary)?.machine;
    if (machine) this.fault('terminate', machine);
  }

  /** What was waited for comes about where it still can; true when it did. */
  fulfil(wait: Extract<Step, { kind: 'wait' }>): void {
    if (wait.for === 'caught-up' || wait.for === 'committed') this.#replicate(1);
    else if (wait.for === 'primary') this.#elect();
    else if (wait.for === 'boot' || wait.for === 'services') {
      const alive = wait.machines.filter((id) =>
        this.seen.machines.some((machine) => machine.id === id && machine.instance !== 'terminated'),
      );
      this.seen = proceed(this.seen, { ...wait, machines: alive });
    } else if (wait.for === 'instances-gone') {
      for (const id of wait.machines) this.#end(id);
    } else if (wait.for !== 'healthy') this.seen = proceed(this.seen, wait);
    this.observe();
  }

  /** Breaks a machine. Nothing is broken while something else still is. */
  fault(kind: Fault, id: MachineId): void {
    const machine = this.seen.machines.find((one) => one.id === id);
    if (machine === undefined || machine.instance === 'terminated') return;
    if (kind === 'crash-at-reconfig') {
      this.#crashAtNextReconfig = true;
      return;
    }
    this.faulty = id;
    if (kind === 'terminate') this.#end(id);
    else if (kind === 'power-off') {
      this.#down(id);
      this.seen = change(this.seen, [id], () => ({ instance: 'stopped', agent: 'down' }));
    } else if (kind === 'mongod-down') {
      this.#down(id);
      this.seen = change(this.seen, [id], (one) => ({ services: { ...one.services, mongod: false } }));
    } else this.seen = change(this.seen, [id], (one) => ({ agent: one.agent === 'started' ? 'down' : one.agent }));
    this.observe();
  }

  /** What can come back does. */
  mend(): void {
    const id = this.faulty;
    this.faulty = null;
    const machine = this.seen.machines.find((one) => one.id === id);
    if (id === null || machine === undefined || machine.instance === 'terminated' || machine.life === 'dead') return;
    const member = this.#set.members.find((one) => one.machine === id);
    if (member) this.#up.add(member.id);
    this.seen = change(this.seen, [id], (one) => ({
      instance: 'running',
      agent: one.agent === 'pending' ? 'pending' : 'started',
      services: { ...one.services, mongod: one.agent !== 'pending' && one.jobs.includes('manage-state') },
    }));
    this.observe();
  }

  /** Whether all that was broken is out of the way: gone from the set, or back. */
  get whole(): boolean {
    return this.#set.members.every((member) => this.#up.has(member.id)) && this.#set.primary !== null;
  }

  /** Takes a fresh look, as the observe activity does: the primary first, then the others. */
  observe(): void {
    const set = this.#set;
    const source = set.primary === null ? null : this.#optime(set.primary);
    const members = set.members.map((member): Member => {
      const up = this.#up.has(member.id);
      const copied = this.#log(member.id).length > 0;
      const state = !up ? 'DOWN' : member.id === set.primary ? 'PRIMARY' : copied ? 'SECONDARY' : 'STARTUP2';
      return { ...member, healthy: up, state, optime: up && copied ? this.#optime(member.id) : null };
    });
    const committed = this.#isOnMajority(this.#acknowledged.at(-1) ?? 0);
    const notes =
      set.primary === null && members.filter((member) => member.votes === 1).length === 2
        ? members
            .filter((member) => member.healthy)
            .map((member) => ({
              member: member.id,
              version: set.version,
              noted: this.#log(member.id).some((entry) => entry.note === set.version),
            }))
        : [];
    this.seen = { ...this.seen, set: { ...set, members, reference: source, committed, notes } };
  }

  #optime(id: MemberId) {
    const log = this.#log(id);
    return { t: log.at(-1)?.term ?? 0, s: log.length, i: 0 };
  }

  #isOnMajority(entry: number): boolean {
    const voters = this.#set.members.filter((member) => member.votes === 1);
    const having = voters.filter(
      (member) => this.#up.has(member.id) && this.#log(member.id).some(({ id }) => id === entry),
    );
    return having.length > voters.length / 2;
  }

  #log(id: MemberId): Log {
    return this.#logs.get(id) ?? [];
  }

  #end(id: MachineId): void {
    this.#down(id);
    this.seen = change(this.seen, [id], (machine) => ({
      instance: 'terminated',
      agent: machine.agent === 'pending' ? 'pending' : 'down',
      services: { mongod: false, api: false, worker: false },
    }));
  }

  #down(id: MachineId): void {
    const set = this.#set;
    for (const member of set.members.filter((one) => one.machine === id)) this.#up.delete(member.id);
    const voters = set.members.filter((member) => member.votes === 1);
    const upCount = voters.filter((member) => this.#up.has(member.id)).length;
    const kept = set.primary !== null && this.#up.has(set.primary) && upCount > voters.length / 2;
    if (!kept) this.seen = { ...this.seen, set: { ...set, primary: null } };
  }

  #elect(): void {
    const set = this.#set;
    if (set.primary !== null) return;
    const voters = set.members.filter((member) => member.votes === 1);
    const up = voters.filter((member) => this.#up.has(member.id));
    const log = (member: Member) => this.#log(member.id);
    const able = up.filter((one) => up.filter((other) => ahead(log(other), log(one)) <= 0).length > voters.length / 2);
    const heir = able[this.#dice(able.length)];
    if (heir !== undefined) this.#lead(heir.id);
  }

  #lead(id: MemberId): void {
    this.#term += 1;
    const log = this.#log(id);
    for (const write of this.#acknowledged) if (!log.some((entry) => entry.id === write)) this.lost.push(write);
    this.seen = { ...this.seen, set: { ...this.#set, primary: id, term: this.#term } };
    this.#append(id);
  }

  #append(id: MemberId, note?: number): void {
    const entry = { id: this.#nextId++, term: this.#term, ...(note === undefined ? {} : { note }) };
    this.#logs.set(id, [...this.#log(id), entry]);
  }

  #write(): void {
    const { primary } = this.#set;
    if (primary === null) return;
    this.#append(primary);
    this.#replicate(3);
  }

  /** Members copy the primary's log (dropping what it does not have); one in `laggards` does not get to it. */
  #replicate(laggards: number): void {
    const set = this.#set;
    if (set.primary === null) return;
    const log = this.#log(set.primary);
    for (const member of set.members) {
      if (this.#up.has(member.id) && (laggards === 1 || this.#dice(laggards) > 0)) this.#logs.set(member.id, log);
    }
    // What was written in this term and is on a majority is acknowledged, and with it all before it.
    const newest = log.findLast((entry) => entry.term === this.#term && this.#isOnMajority(entry.id));
    if (newest === undefined) return;
    for (const entry of log.slice(0, log.indexOf(newest) + 1)) {
      if (!this.#acknowledged.includes(entry.id)) this.#acknowledged.push(entry.id);
    }
  }
}

/** Positive when `a` is ahead of `b`, as members compare their last entries. */
const ahead = (a: Log, b: Log): number => (a.at(-1)?.term ?? 0) - (b.at(-1)?.term ?? 0) || a.length - b.length;

export const goalOf = (controllers: number, more: Partial<Goal> = {}): Goal => ({
  controllers,
  keep: [],
  avoid: [],
  to: [],
  settle: false,
  primary: null,
  ...more,
});
