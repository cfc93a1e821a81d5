/**
 * What evidence says of each controller, and whether somebody is to be replaced now (the table *Evidence*, docs/membership.md).
 * A pure function, asked by the sentinel whenever what it sees changes. It starts a change and does nothing else: whoever is
 * written off is judged by the planner once more, from its own fresh facts.
 */
import {
  answers,
  hasControllerJob,
  isController,
  isCutOff,
  isSilent,
  isVoter,
  majority,
  memberOf,
  votersOf,
} from './facts.js';
import { goalToRestore } from './goal.js';
import { hold, lastFailed, type Past } from './pace.js';
import type { Goal, Machine, MachineId, Member, Observed } from './types.js';
import { MAX_RESYNCS } from './verdict.js';
import { DEGRADED_MS, graceLeft, silenceOf } from './waits.js';
import { agree, capital, count, machinesText } from './words.js';

/** How the observer looks, and what it may do. */
export interface JudgeSettings {
  /** Setting `auto-replace`. */
  readonly autoReplace: boolean;
  /** Milliseconds that this observer has watched without a gap. */
  readonly watchedMs: number;
  /** Presence could be written lately: somebody is primary, and at least one agent was heard. */
  readonly writable: boolean;
  /** A change of controllers runs, whoever asked for it. */
  readonly changeRuns: boolean;
}

/**
 * - `well`; `starting`: not a voter yet; `leaving`: written off, or on its way out.
 * - `terminated`, `stopped`: what its cloud says. `silent`: nothing of it answers. `ill`: its agent is there, its member of
 *   no use. `degraded`: its member is well, its agent silent. `cut-off`: all of it is well, and the primary does not hear it.
 *   `maintenance`: absent with leave.
 */
export type Found =
  | 'well'
  | 'starting'
  | 'leaving'
  | 'terminated'
  | 'stopped'
  | 'silent'
  | 'ill'
  | 'degraded'
  | 'cut-off'
  | 'maintenance';

export interface Judged {
  readonly machine: MachineId;
  readonly verdict: Found;
  /** Milliseconds that it has been so, as far as the observer watched. */
  readonly sinceMs: number;
  /** What happens next, in words that go after "in 9 s: " or stand alone; empty where nothing is to be said. */
  readonly next: string;
  /** In how many milliseconds; 0 now; null when time alone changes nothing. */
  readonly inMs: number | null;
}

export interface Judgement {
  readonly controllers: readonly Judged[];
  readonly action: 'none' | 'replace';
  /** One sentence: why somebody is replaced, or why nothing is done though something is wrong. Empty when all is well. */
  readonly why: string;
  /** Whom it is about; empty where one that is missing is to be brought. */
  readonly machines: readonly MachineId[];
  /** The goal of the change to start; null for none. */
  readonly goal: Goal | null;
  /** Look again after this long at the latest, even if nothing that is seen changes. */
  readonly nextLookMs: number;
}

/** Before the observer has watched for so long, silence says nothing. */
const WATCH_FIRST_MS = 5_000;
const LOOK_MS = { least: 250, most: 60_000 };

/**
 * `desired`: controllers that were asked for last. `history`: the sentinel's own changes of the last day, in any order.
 */
export function judge(
  observed: Observed,
  desired: number,
  history: readonly Past[],
  settings: JudgeSettings,
): Judgement {
  const found = observed.machines
    .filter((machine) => isJudged(observed, machine))
    .map((machine) => look(observed, machine, settings));
  const due = found.filter(({ inMs }) => inMs === 0);
  const missing = due.length === 0 && isMissing(observed, desired, history);
  const wrong = due.length > 0 || missing;
  const held =
    observed.life !== 'alive' ? never('The environment is being destroyed.') : wrong ? hold(history, settings) : null;
  const controllers = found.map((one) => (held !== null && one.inMs === 0 ? { ...one, ...held.next } : one));
  const why =
    due.length > 0
      ? whyReplace(observed, due)
      : missing
        ? `Not all of ${count(desired, 'controller')} are there.`
        : whyNothing(found);
  const acts = wrong && held === null;
  return {
    controllers,
    action: acts ? 'replace' : 'none',
    why: held === null ? why : `${why} ${held.why}`,
    machines: due.map(({ machine }) => machine),
    goal: acts ? goalToRestore(Math.max(desired, oddOf(observed))) : null,
    nextLookMs: nextLook(controllers, held?.next.inMs ?? null),
  };
}

const never = (why: string) => ({ why, next: { next: '', inMs: null } });

/** It is a controller, or still has a part in the set or its job. */
const isJudged = (observed: Observed, machine: Machine): boolean =>
  isController(machine) ||
  memberOf(observed, machine.id) !== undefined ||
  (machine.life !== 'alive' && hasControllerJob(machine));

type Judging = (verdict: Found, sinceMs: number, next?: string, inMs?: number | null) => Judged;

/** What is seen of one, and when something follows from it by itself. */
function look(observed: Observed, machine: Machine, settings: JudgeSettings): Judged {
  const member = memberOf(observed, machine.id);
  const judged: Judging = (verdict, sinceMs, next = '', inMs = null) => ({
    machine: machine.id,
    verdict,
    sinceMs,
    next,
    inMs,
  });
  if (machine.life !== 'alive') return judged('leaving', 0);
  if (machine.instance === 'terminated') {
    return mayChange(observed)
      ? judged('terminated', machine.silentMs, 'replaced', 0)
      : judged('terminated', machine.silentMs, 'nothing by itself, as no majority answers: quorate recover');
  }
  if (member === undefined && machine.agent === 'pending') return judged('starting', machine.ageMs);
  const silent = isSilent(machine);
  if (machine.maintenance && (silent || (member !== undefined && !answers(member)))) {
    return judged('maintenance', machine.silentMs, 'nothing, until its maintenance is over');
  }
  const unjudged = whyUnjudged(observed, settings);
  /** What follows from silence or illness. */
  const after: Judging = (verdict, sinceMs, next, inMs) =>
    unjudged === null ? judged(verdict, sinceMs, next, Math.max(0, inMs ?? 0)) : judged(verdict, sinceMs, unjudged);
  if (member !== undefined && answers(member)) {
    if (!silent && isCutOff(member))
      return judged('cut-off', member.cutOffMs ?? 0, 'nothing by itself, as it is well: mend the link');
    if (!silent) return judged(isVoter(member) ? 'well' : 'starting', 0);
    return after(
      'degraded',
      machine.silentMs,
      'replaced, unless its agent is heard again',
      DEGRADED_MS - machine.silentMs,
    );
  }
  const stopped = machine.instance === 'stopped' && member !== undefined;
  if (silent || stopped || isOther(observed, member)) return judgeSilent(observed, machine, member, after);
  if (member === undefined || !isVoter(member)) return judged('starting', 0);
  const next =
    machine.resyncs < MAX_RESYNCS
      ? 'made anew in place, with an empty directory'
      : 'replaced, as being made anew did not help';
  return after('ill', member.downMs, `${next}; unless its member comes up`, observed.grace.memberMs - member.downMs);
}

function judgeSilent(observed: Observed, machine: Machine, member: Member | undefined, after: Judging): Judged {
  const stopped = machine.instance === 'stopped';
  const next = `written off and replaced, unless ${stopped ? 'it is started again' : 'something of it answers'}`;
  const sinceMs = silenceOf(observed, machine, member);
  return after(stopped ? 'stopped' : 'silent', sinceMs, next, graceLeft(observed, machine, member));
}

/** The silent one of two voters: no majority, and yet the other may be able to go on (docs/membership.md, *Two voters*). */
function isOther(observed: Observed, member: Member | undefined): boolean {
  const { set } = observed;
  if (set === null || set.primary !== null || member === undefined || !isVoter(member) || answers(member)) return false;
  const voters = votersOf(set);
  return voters.length === 2 && voters.some(answers);
}

/** A majority of the voters answers: there is a primary, or an election is due. */
const answersAsMajority = ({ set }: Observed): boolean =>
  set !== null && (set.primary !== null || votersOf(set).filter(answers).length >= majority(votersOf(set).length));

/** Something can be done about a loss at all: a majority answers, or one of two voters does. */
const mayChange = (observed: Observed): boolean =>
  answersAsMajority(observed) || observed.set?.members.some((member) => isOther(observed, member)) === true;

/** Why nothing follows from silence now; null when it does. */
function whyUnjudged(observed: Observed, { watchedMs, writable }: JudgeSettings): string | null {
  const primary = observed.set?.primary ?? null;
  if (!mayChange(observed)) return 'nothing by itself, as no majority answers: quorate recover';
  if (primary === null && answersAsMajority(observed)) return 'nothing yet, as no member is primary';
  if (primary !== null && !(writable && observed.machines.some(({ agent }) => agent === 'started'))) {
    return 'nothing yet, as nobody’s presence is written';
  }
  return watchedMs < WATCH_FIRST_MS ? 'nothing yet, as it has not been watched for long enough' : null;
}

/** A replacement failed, and what it was to bring is not there. What a person's change did not bring is a person's to ask for. */
const isMissing = (observed: Observed, desired: number, history: readonly Past[]): boolean =>
  mayChange(observed) && lastFailed(history) && observed.machines.filter(isController).length < desired;

/** What there is, as an odd number: nobody is removed because somebody else is lost. */
function oddOf(observed: Observed): number {
  const voters = observed.set === null ? 0 : votersOf(observed.set).filter(({ machine }) => machine !== null).length;
  return Math.max(1, voters - ((voters + 1) % 2));
}

const WHY: Readonly<Record<Found, string>> = {
  terminated: 'the cloud says that it is terminated',
  stopped: 'the cloud says that it is stopped, and it was not started again',
  silent: 'nothing of it answered for as long as a controller may be silent',
  ill: 'its agent is there, but its member came to nothing',
  degraded: 'its agent was not heard for half an hour',
  'cut-off': '',
  well: '',
  starting: '',
  leaving: '',
  maintenance: '',
};

function whyReplace({ machines }: Observed, due: readonly Judged[]): string {
  const fail = (id: MachineId) => machines.some((machine) => machine.id === id && machine.checks === 'failing');
  const reasons = due.map(({ machine, verdict }) => {
    const witness = verdict === 'silent' && fail(machine) ? ', and the cloud’s own checks of it fail' : '';
    return `machine ${machine}: ${WHY[verdict]}${witness}`;
  });
  return `${capital(reasons.join('; '))}.`;
}

/** Where the verdict alone is no good English. */
const WORDS: Partial<Record<Found, string>> = {
  maintenance: 'under maintenance',
  'cut-off': 'cut off from the primary',
};

/** Something is wrong, and nothing follows from it as things are. */
function whyNothing(found: readonly Judged[]): string {
  const idle = found.filter(({ inMs, next }) => inMs === null && next !== '');
  const sentences = idle.map(({ verdict, next }) => {
    const alike = idle
      .filter((other) => other.verdict === verdict && other.next === next)
      .map(({ machine }) => machine);
    const is = `${agree(alike, 'is', 'are')} ${WORDS[verdict] ?? verdict}`;
    return `${capital(machinesText(alike))} ${is}: ${next}.`;
  });
  return [...new Set(sentences)].join(' ');
}

function nextLook(controllers: readonly Judged[], heldMs: number | null): number {
  const times = [...controllers.map(({ inMs }) => inMs), heldMs].filter((ms): ms is number => ms !== null && ms > 0);
  return Math.max(LOOK_MS.least, Math.min(LOOK_MS.most, ...times));
}
