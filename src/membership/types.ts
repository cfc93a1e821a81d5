/**
 * The words of the planner: what is seen, what is wanted, and what may be answered.
 *
 * Everything here is plain JSON (it travels through workflow histories) and small. Times are durations in milliseconds on
 * the observer's own monotonic clock; there are no dates, since no two machines' clocks are ever compared.
 */

/** A machine's ID in the environment, "0", "1", …; never used twice. */
export type MachineId = string;
/** A replica set member's `_id`; never used twice in an environment. */
export type MemberId = number;

/** What a machine is for. `manage-state`: mongod. `manage-environ`: API server and worker. `host-units`: workloads. */
export type Job = 'manage-state' | 'manage-environ' | 'host-units';
export type Life = 'alive' | 'dying' | 'dead';

/** MongoDB's member states (replSetGetStatus `stateStr`), with UNKNOWN and DOWN for one that did not answer. */
export type MemberState =
  | 'STARTUP'
  | 'PRIMARY'
  | 'SECONDARY'
  | 'RECOVERING'
  | 'STARTUP2'
  | 'UNKNOWN'
  | 'ARBITER'
  | 'DOWN'
  | 'ROLLBACK'
  | 'REMOVED';

/** An applied optime: comparable within one set; `t` is the term, `s` and `i` the timestamp's seconds and increment. */
export interface OpTime {
  readonly t: number;
  readonly s: number;
  readonly i: number;
}

/** One member of the config, with what was seen of it in the same observation. */
export interface Member {
  readonly id: MemberId;
  /** The machine of the member's `machine` tag, or null when no known machine carries it (a hand-made member). */
  readonly machine: MachineId | null;
  readonly host: string;
  readonly votes: 0 | 1;
  readonly priority: number;
  readonly state: MemberState;
  /** It answered the observer itself, or the primary's heartbeats reach it, or those of another member that answered. */
  readonly healthy: boolean;
  /**
   * Milliseconds that it was seen to live while the primary does not hear it, as far as the observer watched; absent where it
   * is in touch. It is no part of a majority then.
   */
  readonly cutOffMs?: number;
  /** Its applied optime, read after `ReplicaSet.reference`; null when it could not be asked. */
  readonly optime: OpTime | null;
  /** Milliseconds behind the primary's applied optime, for people; null when unknown. */
  readonly lagMs: number | null;
  /** Milliseconds that it has acknowledged nothing, as far as the observer watched, on its monotonic clock; 0 when it does. */
  readonly downMs: number;
}

/** How often members ask for each other, and how long they miss the primary before they elect another by themselves. */
export interface Timings {
  readonly heartbeatMs: number;
  readonly electionMs: number;
}

export interface ReplicaSet {
  readonly version: number;
  readonly term: number;
  /** The current config is on a majority of its voters (and so is everything acknowledged in earlier ones). */
  readonly committed: boolean;
  /** The member that is writable primary as seen by a majority, or null. */
  readonly primary: MemberId | null;
  readonly members: readonly Member[];
  /** The primary's applied optime at the start of the observation: who has reached it by the end is caught up. */
  readonly reference: OpTime | null;
  /** A reconfig, an election or a succession is under way: no reconfig may be sent now. */
  readonly unsettled: string | null;
  /**
   * Members of a config of two, with a vote or without, that were asked themselves while there was no primary: whether the
   * oplog proves, by Quorate's notes of exactly the installed version, that it holds everything (src/replicaset/note.ts).
   */
  readonly notes: readonly { readonly member: MemberId; readonly version: number; readonly noted: boolean }[];
  readonly timings: Timings;
}

/** What the cloud says of a machine's instance. `unknown`: the cloud could not be asked. */
export type InstanceSeen = 'none' | 'pending' | 'running' | 'stopped' | 'terminated' | 'unknown';

export interface Machine {
  readonly id: MachineId;
  readonly jobs: readonly Job[];
  readonly life: Life;
  readonly zone: string;
  readonly memberId: MemberId | null;
  /** host:port of its mongod, once its address is known. */
  readonly mongo: string | null;
  readonly instance: InstanceSeen;
  /** The cloud's own checks of it, as far as it makes any: absent unless they fail. */
  readonly checks?: 'failing';
  /** Why the last attempt to start its instance failed, in one sentence; empty when it did not. */
  readonly problem: string;
  /** pending: never connected. started: present. down: silent. stopped: left in order. */
  readonly agent: 'pending' | 'started' | 'down' | 'stopped';
  /**
   * Milliseconds that the agent has been silent, on the observer's monotonic clock (0 when present). Only those in which
   * others were heard: while nobody's presence is written, nobody's silence counts.
   */
  readonly silentMs: number;
  /** Services its agent reports as running. */
  readonly services: { readonly mongod: boolean; readonly api: boolean; readonly worker: boolean };
  /** The version of the address set that its agent has acknowledged; 0 for none. */
  readonly addressVersion: number;
  /** Milliseconds since the machine was asked for (for boot deadlines). */
  readonly ageMs: number;
  /** A person said that it will be away for a while: silence says nothing, and nothing planned is handed to it. */
  readonly maintenance: boolean;
  /** How often its member was made anew in place, with an empty directory. */
  readonly resyncs: number;
}

/** How long a silent controller is waited for before it counts as lost, by what its cloud says; settings of the environment. */
export interface Grace {
  /** The cloud says that somebody stopped the instance (local 0, EC2 60 s). */
  readonly stoppedMs: number;
  /** The cloud says that it runs, and its checks do not fail (local 15 s, EC2 5 min: a reboot takes that long). */
  readonly runningMs: number;
  /** The cloud says neither, its checks fail, or it cannot be asked (local 15 s, EC2 60 s). */
  readonly silentMs: number;
  /** Its agent is there, and its member does not answer (10 min): then it is resynced, or leaves. */
  readonly memberMs: number;
}

export interface Observed {
  /** null: no member could be asked at all. */
  readonly set: ReplicaSet | null;
  /** Controllers, those that were one, and machines that the goal names: what hosts workloads alone is no concern. */
  readonly machines: readonly Machine[];
  /** How many agents of all other machines are heard and have not taken the published address set; absent for none. */
  readonly othersLate?: number;
  readonly addresses: { readonly version: number; readonly machines: readonly MachineId[] };
  /** Version of the environment's document, the fence of every state transaction planned on this. */
  readonly environmentVersion: number;
  /** life of the environment. */
  readonly life: Life;
  readonly zones: readonly string[];
  /** The next machine and member IDs that the state will give out: for the words of a step and for `explainPlan`. */
  readonly next: { readonly machine: number; readonly member: number };
  readonly grace: Grace;
  /** Those that the set is to have; settings of the environment. */
  readonly timings: Timings;
}

/** What is wanted. Plain data: it is the input of a workflow. */
export interface Goal {
  /** 1, 3, 5 or 7; 0 never (destroying is not a change of membership). */
  readonly controllers: number;
  /** Machines that must be among those that stay. */
  readonly keep: readonly MachineId[];
  /** Machines that must not be among those that stay. */
  readonly avoid: readonly MachineId[];
  /** Machines that should become controllers before any new one is started. */
  readonly to: readonly MachineId[];
  /** Add and remove nobody: go only to the nearest safe point (an odd number of voters), then done. */
  readonly settle: boolean;
  /** With `settle`: the machine whose member is to be primary in the end (switchover). null: whoever is. */
  readonly primary: MachineId | null;
}

/** The smallest things done to an environment; each idempotent. `reason` is one sentence for people. */
export type Deed =
  /** Documents for new machines, jobs manage-state and manage-environ; the provisioner starts their instances. */
  | { readonly kind: 'add-machines'; readonly count: number; readonly zones: readonly string[] }
  /** Existing machines get the controller's jobs. */
  | { readonly kind: 'add-jobs'; readonly machines: readonly MachineId[] }
  /** Join as members without votes (one reconfig, no vote changes). */
  | { readonly kind: 'join'; readonly machines: readonly MachineId[] }
  | { readonly kind: 'grant-vote'; readonly member: MemberId; readonly machine: MachineId }
  | { readonly kind: 'withdraw-vote'; readonly member: MemberId; readonly machine: MachineId | null }
  /** Planned hand-over of the primary to this member. */
  | { readonly kind: 'hand-over'; readonly member: MemberId; readonly machine: MachineId }
  /** Give these voters priority 1 again (changed by hand); one reconfig, no vote changes. */
  | { readonly kind: 'equal-priority'; readonly members: readonly MemberId[] }
  /** Give the set these timings; one reconfig, no vote changes. */
  | { readonly kind: 'set-timings'; readonly timings: Timings }
  /** Remove members that have no vote from the config. */
  | { readonly kind: 'remove-members'; readonly members: readonly MemberId[] }
  /** Publish exactly these machines' addresses as the address set. */
  | { readonly kind: 'publish'; readonly machines: readonly MachineId[] }
  /** Take the controller's jobs away; a machine with no job left becomes dying. */
  | { readonly kind: 'drop-jobs'; readonly machines: readonly MachineId[] }
  /** A machine whose member was removed gets a new member ID, and its agent starts it anew in an empty directory. */
  | { readonly kind: 'renew-member'; readonly machine: MachineId }
  /** The verdict that machines are lost, before anything else is done to them: life=dying, whatever jobs they have. */
  | { readonly kind: 'mark-dying'; readonly machines: readonly MachineId[] }
  /** Dying machines whose services have stopped, or that are lost, become dead; the provisioner terminates, the cleaner forgets. */
  | { readonly kind: 'mark-dead'; readonly machines: readonly MachineId[] }
  /**
   * Have the cloud terminate the instance of the silent one of two voters, and return when it confirms. The only end of an
   * instance that the planner asks for itself: without a majority no document can say dying.
   */
  | { readonly kind: 'terminate'; readonly machine: MachineId }
  /** A set of one forced on a survivor of a config of two that proves that it holds everything (the one exception outside `recover`). */
  | { readonly kind: 'force-survivor'; readonly member: MemberId; readonly machine: MachineId };

/** What a wait waits for. Each has a deadline; what happens then is in `otherwise`. */
export type WaitFor =
  | 'boot'
  | 'primary'
  | 'caught-up'
  | 'committed'
  | 'settled'
  | 'agents'
  | 'services'
  | 'services-stopped'
  | 'instances-gone'
  | 'healthy';

export type Step =
  | {
      readonly kind: 'do';
      readonly deed: Deed;
      /** The step in words: "grant a vote to machine 2". */
      readonly text: string;
      readonly reason: string;
      /** The config planned on, for every deed that touches the set; the executor refuses when it differs. */
      readonly fence: { readonly version: number; readonly term: number } | null;
    }
  | {
      readonly kind: 'wait';
      readonly for: WaitFor;
      readonly machines: readonly MachineId[];
      readonly text: string;
      readonly reason: string;
      /** Longest wait in milliseconds (0: it is over already), and what the plan will do after it, in words. */
      readonly deadlineMs: number;
      readonly otherwise: string;
    }
  | { readonly kind: 'done'; readonly text: string }
  /** Nothing safe can be done; `wayOut` is what a person can do. */
  | { readonly kind: 'blocked'; readonly reason: string; readonly wayOut: string };

/**
 * Waits that ended at their deadline, so that `plan` takes the other way: the only memory between rounds, and nothing is
 * lost with it (the waits are waited again). `for` and `machines` are those of the wait. Whoever keeps the list passes it
 * through `stillExpired` at each round, so that a machine that came back is waited for again when it goes another time.
 */
export interface Expired {
  readonly for: WaitFor;
  readonly machines: readonly MachineId[];
}
