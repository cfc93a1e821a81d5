/** What members answer, as far as Quorate reads it, and the few values computed from it. */
import type { Timestamp } from 'mongodb';
import type { OpTime } from '../membership/types.js';

/** One member of a config as MongoDB keeps it; fields that are not ours are carried along untouched. */
export interface MemberConfig {
  readonly _id: number;
  readonly host: string;
  readonly votes: number;
  readonly priority: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly arbiterOnly?: boolean;
  /** MongoDB's own mark of a voter still in initial sync; may not be sent back. */
  readonly newlyAdded?: boolean;
  readonly [field: string]: unknown;
}

export interface SetConfig {
  readonly _id: string;
  readonly version: number;
  /** Missing in a config that was forced, until the next ordinary one. */
  readonly term?: number;
  readonly members: readonly MemberConfig[];
  readonly settings?: { readonly heartbeatTimeoutSecs?: number; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface WireOpTime {
  readonly ts: Timestamp;
  readonly t: number | bigint;
}

export interface StatusMember {
  readonly _id: number;
  readonly name: string;
  readonly health: number;
  readonly state: number;
  readonly stateStr: string;
  readonly self?: boolean;
  readonly optime?: WireOpTime;
  readonly lastHeartbeat?: Date;
  readonly lastHeartbeatRecv?: Date;
  readonly configVersion?: number;
  readonly configTerm?: number;
  readonly syncSourceHost?: string;
  /** Of a primary: when it was elected. */
  readonly electionTime?: Timestamp;
}

export interface SetStatus {
  readonly date: Date;
  readonly myState: number;
  readonly term: number;
  readonly syncSourceHost: string;
  readonly heartbeatIntervalMillis: number;
  readonly optimes: { readonly appliedOpTime: WireOpTime; readonly lastCommittedOpTime?: WireOpTime };
  readonly members: readonly StatusMember[];
}

export interface Hello {
  readonly isWritablePrimary: boolean;
  readonly secondary: boolean;
  readonly primary?: string;
  readonly me?: string;
  readonly setName?: string;
  readonly setVersion?: number;
  readonly lastWrite?: { readonly opTime: WireOpTime; readonly lastWriteDate?: Date };
  readonly localTime?: Date;
}

/** What a member has applied last, as it says itself; null before it has a config. */
export const lastWritten = ({ lastWrite }: Hello): OpTime | null => (lastWrite ? opTime(lastWrite.opTime) : null);

/** MongoDB's own number for a config without a term. */
export const NO_TERM = -1;

export function termOfConfig(config: SetConfig): number {
  return config.term ?? NO_TERM;
}

/** As MongoDB orders them: a config that was forced has no term, and only versions count against it. */
export function isNewer(a: SetConfig, b: SetConfig): boolean {
  const [left, right] = [termOfConfig(a), termOfConfig(b)];
  return left !== right && left !== NO_TERM && right !== NO_TERM ? left > right : a.version > b.version;
}

export function opTime(wire: WireOpTime): OpTime {
  return { t: Number(wire.t), s: wire.ts.getHighBitsUnsigned(), i: wire.ts.getLowBitsUnsigned() };
}

/** A frozen primary is shown as one for as long as heartbeats may take, beside the one that was elected since. */
export function newestPrimary(status: SetStatus): StatusMember | undefined {
  const primaries = status.members.filter((m) => m.stateStr === 'PRIMARY');
  return primaries.find((m) => m.self) ?? primaries.sort((a, b) => electedAt(b) - electedAt(a))[0];
}

/** Seconds and count of the election in one number that grows with both. */
function electedAt({ electionTime }: StatusMember): number {
  return electionTime === undefined
    ? 0
    : electionTime.getHighBitsUnsigned() * 2 ** 20 + electionTime.getLowBitsUnsigned();
}
