/**
 * After a majority was lost: what each member that answers holds, whom to go on with, and what would be kept or lost by it.
 * Decides nothing by itself; a person does, and `recover` forces a set of one on the member that was named.
 */
import { compareOpTimes, majority } from './facts.js';
import type { MachineId, MemberId, MemberState, OpTime } from './types.js';
import { agree, capital, count, list, machinesText, membersText, memberText } from './words.js';

/** What one member that answers says of itself. */
export interface Holder {
  readonly id: MemberId;
  readonly machine: MachineId | null;
  readonly host: string;
  readonly votes: 0 | 1;
  readonly state: MemberState;
  /** The election term that it knows of. */
  readonly term: number;
  /** The config that it has installed. */
  readonly config: { readonly version: number; readonly term: number };
  /** Its newest write. */
  readonly applied: OpTime | null;
  /** The newest write that it knows a majority to have. */
  readonly committed: OpTime | null;
  /** How old its newest write is, in milliseconds, by its own clock; null when it does not say. */
  readonly ageMs: number | null;
  /** Its oplog holds the note of the config that it has installed; null when that could not be read. */
  readonly noted: boolean | null;
}

/** A member of the newest config that is known. */
export interface Listed {
  readonly id: MemberId;
  readonly machine: MachineId | null;
  readonly host: string;
  readonly votes: 0 | 1;
}

/** What was asked of the members, each for itself; plain JSON. */
export interface Survey {
  /** The newest config that an answering member has installed. */
  readonly version: number;
  readonly members: readonly Listed[];
  readonly holders: readonly Holder[];
  /** A member that takes writes; null when none does. */
  readonly primary: MemberId | null;
}

const STATES: ReadonlySet<MemberState> = new Set(['PRIMARY', 'SECONDARY']);

/** Whether it can be gone on with: it holds data as a whole, and belongs to a machine. */
export const canSurvive = (holder: Holder): boolean =>
  STATES.has(holder.state) && holder.applied !== null && holder.machine !== null;

/** Those that answer, the one that holds most first: newest term, then optime; voters before others that hold the same. */
export function ranked(survey: Survey): readonly Holder[] {
  return [...survey.holders].sort(
    (a, b) =>
      Number(canSurvive(b)) - Number(canSurvive(a)) ||
      (a.applied && b.applied ? compareOpTimes(b.applied, a.applied) : Number(b.applied !== null)) ||
      b.votes - a.votes ||
      b.config.version - a.config.version ||
      a.id - b.id,
  );
}

/** Whom to go on with; null when nobody who answers holds data as a whole. */
export function recommended(survey: Survey): Holder | null {
  const [best] = ranked(survey);
  return best !== undefined && canSurvive(best) ? best : null;
}

export const survivorOf = (survey: Survey, machine: MachineId): Holder | undefined =>
  survey.holders.find((holder) => holder.machine === machine);

/** Members of the newest config of which nobody has heard. */
export const silentOf = ({ members, holders }: Survey): readonly Listed[] =>
  members.filter(({ id }) => !holders.some((holder) => holder.id === id));

/** Why nothing is to be recovered; null when the majority is lost. */
export function hasMajority({ members, holders, primary }: Survey): string | null {
  const voters = members.filter(({ votes }) => votes === 1);
  const answering = voters.filter(({ id }) => holders.some((holder) => holder.id === id && STATES.has(holder.state)));
  const answer = `${answering.length} of ${count(voters.length, 'voter')} ${agree(answering, 'answers', 'answer')}`;
  const first = members.find(({ id }) => id === primary);
  if (first !== undefined) return `${answer}, and ${memberText(first)} is primary`;
  return answering.length >= majority(voters.length) ? `${answer}, which is a majority` : null;
}

/**
 * The set is the survivor's alone and takes writes: forced before, so that only growing is left of the recovery. What was
 * asked for before says that more are wanted.
 */
export const isAlone = ({ members, primary }: Survey, machine: MachineId): boolean => {
  const voters = members.filter(({ votes }) => votes === 1);
  return voters.length === 1 && voters[0]?.machine === machine && voters[0].id === primary;
};

/** What is known when a recovery is asked for, or goes on. */
export interface RecoveryView {
  /** null when no member of the set answers. */
  readonly survey: Survey | null;
  /** Controllers that were asked for last. */
  readonly desired: number;
  /** The latest change that the environment knows of is a recovery that did not come to its end. */
  readonly unfinished: boolean;
  /** Controllers that have, or had, an instance and are not written off, as the documents know them. */
  readonly controllers: readonly MachineId[];
  /** Machines that are no controllers: they are left alone. */
  readonly workloads: readonly MachineId[];
}

/** Whether what was forced stands already, so that only growing back is left: nothing is fenced or forced any more. */
export const isForced = ({ survey, desired, unfinished }: RecoveryView, machine: MachineId): boolean =>
  survey !== null && survey.primary !== null && (unfinished || (desired > 1 && isAlone(survey, machine)));

/** Why a set of one may not be forced on this machine's member, and what to do instead; null when it may. */
export function refusalOf({ survey }: RecoveryView, machine: MachineId): Refusal | null {
  const look = 'See what the cloud says with: quorate cloud list';
  if (survey === null) return { code: 'no-member', message: 'no member of the set answers', todo: look };
  const majority = hasMajority(survey);
  if (majority !== null) {
    const todo = 'A lost controller is replaced without forcing anything: quorate enable-ha';
    return { code: 'has-majority', message: `nothing is to be recovered: ${majority}`, todo };
  }
  const holder = survivorOf(survey, machine);
  const others = survey.holders.filter(canSurvive).flatMap((other) => other.machine ?? []);
  const todo = others.length > 0 ? `Those that can be gone on with: ${machinesText(others)}.` : look;
  if (holder === undefined) {
    const member = survey.members.some((listed) => listed.machine === machine);
    return member
      ? { code: 'silent-survivor', message: `machine ${machine} does not answer`, todo }
      : { code: 'no-survivor', message: `machine ${machine} is no member of the set`, todo };
  }
  if (canSurvive(holder)) return null;
  return { code: 'bad-survivor', message: `machine ${machine} is ${holder.state} and holds no whole data`, todo };
}

export interface Refusal {
  readonly code: 'no-member' | 'has-majority' | 'no-survivor' | 'silent-survivor' | 'bad-survivor';
  /** Without the full stop, for a sentence that it is part of. */
  readonly message: string;
  readonly todo: string;
}

/** What going on with a member would mean; sentences for people. */
export interface Consequences {
  /** Nothing that was acknowledged can be missing. */
  readonly safe: boolean;
  readonly kept: readonly string[];
  readonly lost: readonly string[];
}

/**
 * What would be kept and what could be lost by going on with `survivor` alone.
 *
 * A write is acknowledged once a majority of the voters has it. Where those that answer are too few for a majority but hold
 * one vote of every majority there could be (half of an even number), the one that is furthest holds all that was
 * acknowledged under its config; with the note of that config in its oplog also all from before. In every other case the
 * silent ones may have acknowledged writes among themselves, and nobody here can say which.
 */
export function consequencesOf(survey: Survey, survivor: Holder): Consequences {
  const voters = survey.members.filter(({ votes }) => votes === 1);
  const silent = silentOf(survey);
  const silentVoters = silent.filter(({ votes }) => votes === 1);
  const ahead = survey.holders.filter(
    ({ applied }) => applied !== null && survivor.applied !== null && compareOpTimes(applied, survivor.applied) > 0,
  );
  const meetsEveryMajority = silentVoters.length < majority(voters.length);
  const newest = survivor.config.version === survey.version;
  const safe =
    ahead.length === 0 &&
    meetsEveryMajority &&
    newest &&
    survivor.noted === true &&
    // One without a vote here may have been given one since.
    silent.length === silentVoters.length;

  const who = memberText(survivor);
  const until = survivor.applied === null ? 'its newest write' : timeOf(survivor.applied);
  const known =
    survivor.committed === null
      ? 'it does not know what a majority held'
      : `a majority is known to have held what was written up to ${timeOf(survivor.committed)}`;
  const kept = [`What ${who} holds, up to ${until}; ${known}.`];
  if (safe) {
    const reason = `every majority needed one of those that answer, and its oplog holds the note of configuration ${survey.version}`;
    return { safe, kept: [...kept, `Every acknowledged write: ${reason}.`], lost: [] };
  }
  const lost = ahead.map(
    (other) => `${capital(memberText(other))} holds ${aheadText(other, survivor)} that ${who} lacks.`,
  );
  if (!meetsEveryMajority || silent.length > silentVoters.length) {
    lost.push(
      `Whatever was acknowledged and is held only by ${membersText(silent)}, which ${agree(silent, 'does', 'do')} not answer: nobody here can say whether there is any, or up to when.`,
    );
  } else if (survivor.noted !== true || !newest) {
    lost.push(
      `Writes that were acknowledged before configuration ${survey.version} and never reached ${who}: its oplog ${survivor.noted === null ? 'could not be read' : 'does not hold the note of that configuration'}.`,
    );
  }
  return { safe, kept, lost };
}

/** The machines that must be gone for good before anything is forced: all controllers but the survivor, whatever they say. */
export function othersOf(survey: Survey, survivor: Holder): string {
  const machines = survey.members.flatMap(({ machine }) =>
    machine === null || machine === survivor.machine ? [] : machine,
  );
  const unknown = survey.members.filter(({ machine }) => machine === null).map((member) => memberText(member));
  return list([...(machines.length > 0 ? [machinesText(machines)] : []), ...unknown]);
}

function aheadText(other: Holder, survivor: Holder): string {
  const [a, b] = [other.applied as OpTime, survivor.applied as OpTime];
  const seconds = a.s - b.s;
  return seconds > 0 ? `${count(seconds, 'second')} of writes` : 'writes of the last second';
}

/** When a write was made, by the clock of whoever was primary then. */
function timeOf({ s }: OpTime): string {
  return `${new Date(s * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
