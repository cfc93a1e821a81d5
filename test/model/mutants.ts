/**
 * The planner and its executors without one guard each, and the change and faults in which that does harm. What each guard
 * is for, in one place: docs/membership.md, *Why each guard is there*.
 */
import { type Guard, planWithout } from '../support/membership/mutants.js';
import { CAREFUL, type ExecutorRules } from './executors.js';
import type { Found } from './explore.js';
import type { Proof } from './observe.js';
import type { FaultKind, Rules } from './rules.js';
import { REAL, type ServerRules } from './server.js';
import { atRest, Mark, type State } from './state.js';

/** What a mutant lacks. */
export interface Lacks {
  readonly plan?: readonly Guard[];
  readonly executors?: Partial<ExecutorRules>;
  readonly server?: Partial<ServerRules>;
  readonly proof?: Proof;
  readonly promptly?: boolean;
}

export interface Mutant {
  readonly name: string;
  /** What it does without. */
  readonly says: string;
  readonly lacks: Lacks;
  /** How the invariant that falls begins: the design's number for it, or the rule of the planner. */
  readonly falls: string;
  /** What holds the same invariant in the same run as soon as it is there again: the guards cover each other. */
  readonly covers: Readonly<Record<string, Lacks>>;
  readonly from: number;
  readonly to: number;
  readonly writes: number;
  readonly faults: number;
  readonly kinds: readonly FaultKind[];
  readonly marks: readonly number[];
  /** What must not be done counts, as doing it harms nobody by itself. */
  readonly rules: boolean;
  /** Also what machines do for themselves comes in any order. */
  readonly anyOrder: boolean;
}

type Given = Partial<Mutant> & Pick<Mutant, 'name' | 'says' | 'lacks' | 'falls'>;
const mutant = (given: Given): Mutant => ({
  ...{ covers: {}, from: 1, to: 3, writes: 0, faults: 0, kinds: [], marks: [], rules: false, anyOrder: false },
  ...given,
});

const ended = { faults: 1, kinds: ['end'] } as const;
const down = { from: 3, to: 1 } as const;
const unasked = { executors: { ready: false } } as const;
const { none, avoid } = Mark;

export const MUTANTS: readonly Mutant[] = [
  mutant({
    ...{ name: 'one-vote', falls: '9', writes: 1, ...ended },
    says: 'all newcomers get their votes in one reconfig, and MongoDB does not refuse it (103)',
    lacks: { executors: { oneVote: false }, server: { oneVote: false } },
    covers: { 'MongoDB (103)': { executors: { oneVote: false } } },
  }),
  mutant({
    ...{ name: 'committed', falls: '9', writes: 1, ...down, ...ended },
    says: 'a reconfig follows before the last one is on a majority, and MongoDB does not refuse it (308)',
    lacks: { plan: ['committed'], ...unasked, server: { committed: false } },
    covers: {
      'the planner': { ...unasked, server: { committed: false } },
      'the executor': { plan: ['committed'], server: { committed: false } },
      'MongoDB (308)': { plan: ['committed'], ...unasked },
    },
  }),
  mutant({
    ...{ name: 'majority-after', falls: '2', ...down, faults: 1, kinds: ['crash'], rules: true },
    says: 'a reconfig may leave no healthy majority, and MongoDB does not refuse it (74)',
    lacks: { plan: ['majority-after', 'staying-answer', 'remaining-caught-up'], ...unasked, server: { quorum: false } },
  }),
  mutant({
    ...{ name: 'caught-up', falls: 'plan: only to one that is caught up', writes: 1, rules: true },
    says: 'a member gets its vote as soon as it is SECONDARY',
    lacks: { plan: ['caught-up'], ...unasked },
  }),
  mutant({
    ...{ name: 'caught-up-and-note', falls: '9', writes: 1, ...ended },
    says: 'a member gets its vote as soon as it is SECONDARY, and a survivor of two needs no proof',
    lacks: { plan: ['caught-up', 'note', 'holds-most'], executors: { ready: false, forceNote: false } },
  }),
  mutant({
    ...{ name: 'all-ready', falls: 'plan: all are ready before the first', writes: 1, rules: true },
    says: 'the first newcomer gets its vote while the second one still copies',
    lacks: { plan: ['all-ready'] },
  }),
  mutant({
    ...{ name: 'remaining-caught-up', falls: 'plan: a caught-up majority remains', writes: 1, ...down, rules: true },
    says: 'a vote is withdrawn while one that keeps its vote lags behind',
    lacks: { plan: ['remaining-caught-up'], ...unasked },
  }),
  mutant({
    ...{ name: 'hand-over-first', falls: '5', from: 3, to: 3, marks: [avoid] },
    says: 'the primary loses its vote while it is primary, and MongoDB does not refuse it (93)',
    lacks: { plan: ['hand-over-first'], ...unasked, server: { primaryVotes: false } },
  }),
  mutant({
    ...{ name: 'hand-over-first-refused', falls: '8', from: 3, to: 3, marks: [avoid] },
    says: 'the primary is to lose its vote while it is primary, which MongoDB refuses (93) again and again',
    lacks: { plan: ['hand-over-first'], ...unasked },
  }),
  mutant({
    ...{ name: 'vote-first', falls: '4', from: 3, to: 3, marks: [none, none, avoid], rules: true },
    says: 'a member is removed while it votes',
    lacks: { plan: ['vote-first', 'odd'], ...unasked },
  }),
  mutant({
    ...{ name: 'membership-first', falls: '4', ...down },
    says: 'jobs go while their machine is a member',
    lacks: { plan: ['membership-first'] },
  }),
  mutant({
    ...{ name: 'stop-last', falls: '4', ...down },
    says: 'jobs go before votes and membership',
    lacks: { plan: ['stop-last'] },
  }),
  mutant({
    ...{ name: 'addresses-first', falls: '7', ...down, rules: true, anyOrder: true },
    says: 'what answers on an address stops before everybody has heard of the others',
    lacks: { plan: ['addresses-first'] },
  }),
  mutant({
    ...{ name: 'primary', falls: '8', ...ended },
    says: 'the planner goes on without a primary',
    lacks: { plan: ['primary'] },
  }),
  mutant({
    ...{ name: 'seven', falls: 'plan: at most seven vote', from: 7, to: 7, marks: [none, avoid], rules: true },
    says: 'at seven voters an eighth one gets its vote before an old one goes',
    lacks: { plan: ['seven'] },
  }),
  mutant({
    ...{ name: 'grace', falls: '6', faults: 1, kinds: ['crash'] },
    says: 'the silent one of two is ended at once',
    lacks: { plan: ['grace'] },
  }),
  mutant({
    ...{ name: 'note', falls: '9', writes: 1, ...ended },
    says: 'a survivor of two goes on without proof that it holds everything',
    lacks: { plan: ['note'], executors: { forceNote: false } },
    covers: { 'the planner': { executors: { forceNote: false } }, 'the survivor’s agent': { plan: ['note'] } },
  }),
  mutant({
    ...{ name: 'mongodbs-note', falls: '9', writes: 1, ...ended },
    says: 'MongoDB’s own note of the config of two is taken for the proof',
    lacks: { server: { notes: true }, proof: 'server-note' },
  }),
  mutant({
    ...{ name: 'sole', falls: '9', writes: 1, ...ended },
    says: 'the note that one was alone before there were two is taken for the proof of the other one',
    lacks: { proof: 'sole' },
  }),
  mutant({
    ...{ name: 'holds-most', falls: '9', writes: 1, faults: 2, kinds: ['end'] },
    says: 'nobody asks the members without a vote what they hold',
    lacks: { plan: ['holds-most'] },
  }),
  mutant({
    ...{ name: 'alone', falls: '9', writes: 1, ...down, ...ended },
    says: 'nobody notes that one of two goes on alone',
    lacks: { executors: { alone: false } },
  }),
  mutant({
    ...{ name: 'terminated-first', falls: '6', faults: 1, kinds: ['cut'] },
    says: 'a config is forced while the other one of two only is silent',
    lacks: { plan: ['terminated-first'] },
  }),
  mutant({
    ...{ name: 'force-fence', falls: '6', faults: 2, kinds: ['end', 'late'] },
    says: 'who forces does not read again what was decided on',
    lacks: { executors: { forceFence: false, forcePrimary: false, forceNote: false } },
  }),
  mutant({
    ...{ name: 'end-fence', falls: '6', faults: 2, kinds: ['cut', 'late'] },
    says: 'the end of the silent one of two is not decided again when it comes late',
    lacks: { executors: { endFence: false } },
  }),
  mutant({
    ...{ name: 'late-verdict', falls: '6', from: 3, to: 3, faults: 1, kinds: ['cut'] },
    says: 'a verdict is written although its machine has been heard of since',
    lacks: { executors: { evidence: false } },
  }),
  mutant({
    ...{ name: 'documents', falls: '4', ...down, faults: 2, kinds: ['late', 'second'] },
    says: 'a transaction does not ask whether the documents are those that were decided on',
    lacks: { executors: { documents: false } },
  }),
  mutant({
    ...{ name: 'running', falls: '4', ...down, faults: 2, kinds: ['late', 'second'] },
    says: 'an executor does not ask whether the change that decided still runs',
    lacks: { executors: { running: false } },
  }),
  mutant({
    ...{ name: 'next-version', falls: '1', faults: 1, kinds: ['twice'] },
    says: 'an executor sends a version that is sure to be higher, not the next one',
    lacks: { executors: { nextVersion: false } },
  }),
  mutant({
    ...{ name: 'stale-version', falls: '1', faults: 1, kinds: ['twice'] },
    says: 'MongoDB takes a version that is not higher',
    lacks: { server: { version: false } },
    covers: { 'MongoDB (103)': {} },
  }),
  mutant({
    ...{ name: 'promptly', falls: '4', ...down, faults: 1, kinds: ['second'] },
    says: 'a command that is on its way arrives after the next change has ended',
    lacks: { promptly: false },
  }),
  mutant({
    ...{ name: 'promptly-forced', falls: '6', faults: 2, kinds: ['end', 'late'] },
    says: 'the survivor’s agent freezes between its last look and the config that it forces',
    lacks: { promptly: false },
  }),
];

export const stateOf = ({ from, writes, faults, marks }: Mutant): State => atRest(from, { writes, faults, marks });

export function rulesOf({ to, from, kinds, rules, anyOrder }: Mutant, lacks: Lacks): Rules {
  const { plan = [], executors, server, proof = 'note', promptly = true } = lacks;
  return {
    ...{ controllers: to, second: from, faults: new Set(kinds), rules, plan: planWithout(...plan) },
    world: {
      ...{ executors: { ...CAREFUL, ...executors }, server: { ...REAL, ...server } },
      ...{ proof, promptly, oneByOne: false, quietFirst: !anyOrder },
    },
  };
}

/** A guard without a mutant of its own: why, and what is explored without it to see that nothing else falls. */
interface Kept {
  readonly why: string;
  readonly lacks: Lacks | null;
}
const kept = (guard: Guard, why: string): Kept => ({ why, lacks: { plan: [guard] } });
/** Nothing proposes what it forbids. */
const spare = (why: string): Kept => ({ why, lacks: null });

export const KEPT: Readonly<Record<string, Kept>> = {
  odd: kept('odd', 'without it the time with an even number is longer, and ends all the same'),
  settled: kept(
    'settled',
    'elections take one step here, so nothing is seen in the middle of one; it saves attempts that fail',
  ),
  'dead-first': kept('dead-first', 'without it one more loss blocks the change, with a reason'),
  'staying-answer': kept('staying-answer', 'it saves work that would be undone; majority-after holds what matters'),
  'lost-are-gone': kept('lost-are-gone', 'who has lost its membership cannot win with its old config'),
  'services-first': kept(
    'services-first',
    'without a membership nothing depends on the process; clients get time to leave',
  ),
  'config-fence': {
    why: 'executors plan the change anew on what they read, ask all else again, and send exactly the next version',
    lacks: { executors: { fence: false } },
  },
  'one-vote': spare('each step of the planner names one member; that MongoDB refuses more is the mutant of that name'),
  'survivor-of-two': spare('one stage proposes a forced config; the agent’s own look is the mutant force-fence'),
  evidence: spare('one stage writes off, by the verdict; that the transaction asks again is the mutant late-verdict'),
  enough: spare('one stage starts machines, and counts them'),
  published: spare('one stage publishes, and counts controllers'),
  heir: spare('one stage hands over, and asks the same'),
};

/** Changes in which nothing falls without one of those. */
export const HELD_BY_OTHERS: readonly Mutant[] = [
  mutant({ name: 'up', says: '', falls: '', lacks: {}, writes: 1, ...ended }),
  mutant({ name: 'down', says: '', falls: '', lacks: {}, writes: 1, ...down, ...ended }),
  mutant({ name: 'late', says: '', falls: '', lacks: {}, ...down, faults: 2, kinds: ['second', 'late'] }),
];

/** What happened, for people. */
export function storyOf({ says, from, to }: Mutant, { wrong, story }: Found): string {
  const lines = story.map((line, i) => `${String(i + 1).padStart(3)}  ${line}`);
  return `${from === to ? `Among ${from}` : `From ${from} to ${to}`}: ${says}.\n\n${lines.join('\n')}\n\n     FALLS ${wrong.invariant}\n`;
}
