/** Everything that may happen next in a state: by itself, by the change, by a fault, by a repair. */
import type { Expired, Goal, Observed, Step } from '../../src/membership/types.js';
import { stillExpired } from '../../src/membership/waits.js';
import { wrongs } from '../support/membership/oracle.js';
import { configText, type Progress, stale, step as stepDeed, type World, writable } from './executors.js';
import { agentHeard, goalOf, observe, packExpired, unpackExpired } from './observe.js';
import {
  DEFECT,
  HASTY,
  LOST,
  type Wrong,
  wrongAddresses,
  wrongConfig,
  wrongDone,
  wrongDrop,
  wrongEnd,
  wrongLate,
  wrongLeave,
  wrongOf,
  wrongStop,
  wrongVerdict,
  wrongWhenDone,
} from './oracle.js';
import {
  acknowledgeAll,
  copy,
  elect,
  hearConfig,
  install,
  machine,
  reconfig,
  restart,
  seesPrimary,
  stepDown,
  write,
} from './server.js';
import {
  answers,
  Cond,
  DEEDS,
  type DeedKind,
  End,
  each,
  type Flight,
  Kind,
  kindOf,
  Life,
  type Machine,
  membersOf,
  NO_FENCE,
  NO_MEMBER,
  Role,
  runs,
  Stage,
  type State,
  versionOf,
  votersOf,
  withMachine,
} from './state.js';

export type FaultKind =
  /** mongod dies; its agent starts it again, some time. */
  | 'crash'
  /** The instance ends for good. */
  | 'end'
  /** The instance is powered off; somebody may start it again. */
  | 'off'
  /** Nobody reaches the machine, nor it anybody; may heal. */
  | 'cut'
  /** The agent dies; starts again, some time. */
  | 'agent'
  /** The executor of a deed dies in the middle. */
  | 'drop'
  /** The executor of a deed freezes; the workflow gives it up, and it goes on later. */
  | 'late'
  /** A deed is tried a second time, and the second attempt comes late. */
  | 'twice'
  /** A wait ends at its deadline though what was waited for would have come. */
  | 'slow'
  /** A member stands up though the primary is well. */
  | 'false-election'
  /** mongod dies between writing a config to disk and writing its note. */
  | 'torn'
  /** The change is cancelled. */
  | 'cancel'
  /** The change is terminated, and another one asked for. */
  | 'second';

/** What is explored: the change, its faults, and who plans and acts. */
export interface Rules {
  readonly controllers: number;
  /** What the second command wants, where there may be one. */
  readonly second?: number;
  readonly faults: ReadonlySet<FaultKind>;
  readonly plan: (observed: Observed, goal: Goal, expired: readonly Expired[]) => Step;
  readonly world: World;
  /** Rules of the design are checked too, not only outcomes. */
  readonly rules: boolean;
}

/** What an action is to a run in which no fault comes any more: the lowest goes first; `never`: it does not happen then. */
export const Rank = { repair: 0, progress: 1, deed: 2, plan: 3, time: 4, never: 9 } as const;

/** Takes one thing that may happen: the state after it, its rank, in words, and what was wrong about it. */
export type Emit = (next: State, rank: number, text: () => string, wrong: Wrong | null) => void;

export function actions(state: State, rules: Rules, emit: Emit): void {
  const happens = (next: State, rank: number, text: () => string, wrong: Wrong | null = null): void => {
    // Told at once: whatever a client may have been told must hold from then on.
    const told = acknowledgeAll(next);
    emit(told.state, rank, withAnswers(text, next, told.state), wrong ?? (told.lost ? LOST : wrongOf(told.state)));
  };
  const faulty = (kind: FaultKind): boolean => state.faults > 0 && rules.faults.has(kind);
  const fault = (next: State, text: () => string, wrong: Wrong | null = null): void =>
    happens({ ...next, faults: next.faults - 1 }, Rank.never, () => `FAULT: ${text()}`, wrong);
  const over = state.end !== End.running;
  // What is left of a change that has ended matters only while a deed of it may still land.
  if (over && state.late === null) return;
  const first = quiet(state, rules);
  if (first !== null && rules.world.quietFirst) {
    happens(first.next, Rank.progress, first.text, first.wrong);
    machineFaults(state, fault, faulty);
    return;
  }
  if (first !== null) happens(first.next, Rank.progress, first.text, first.wrong);
  const progressed = byItself(state, rules, happens, fault, faulty) || first !== null;
  repairs(state, happens);
  machineFaults(state, fault, faulty);
  if (state.late !== null) stepFlight(state, state.late, 'late', rules, happens);
  if (over) return;
  if (faulty('cancel') && state.settle === 0) fault({ ...state, settle: 1 }, () => 'the change is cancelled');
  if (faulty('second') && rules.second !== undefined && state.second === 0) {
    // That it begins is written down, which the deeds of the first one hear of; without a majority it cannot be.
    const told = writable(state);
    const left = state.late ?? state.flight;
    const late = left && (told ? stale(left) : { ...left, by: 1 });
    const orphan = { ...state, second: 1, expired: [], flight: null, late };
    fault(orphan, () => `the change is terminated, and ${rules.second} controllers are asked for instead`);
  }
  if (state.flight === null) planNext(state, rules, progressed, happens, fault, faulty);
  else stepFlight(state, state.flight, 'flight', rules, happens, fault, faulty);
}

/** What happens, and the answer to a client that it brings. */
const withAnswers =
  (text: () => string, { acked }: State, told: State): (() => string) =>
  () => {
    for (let i = acked.length; i < told.acked.length; i++)
      if (kindOf(told.acked.charCodeAt(i)) === Kind.write)
        return `${text()}; the client is told that its write is safe`;
    return text();
  };

type Happens = (next: State, rank: number, text: () => string, wrong?: Wrong | null) => void;
type Fault = (next: State, text: () => string, wrong?: Wrong | null) => void;
type Faulty = (kind: FaultKind) => boolean;

/**
 * What one machine does for itself and nobody else waits to see: it comes up, ends, stops what it was told to stop, takes
 * addresses. It comes first and alone, together with the faults that could keep it from coming: what else happens in
 * between happens in the same way before and after it, so the other orders lead to no state that these do not.
 */
function quiet(
  state: State,
  { faults }: Rules,
): { readonly next: State; readonly text: () => string; readonly wrong: Wrong | null } | null {
  for (const [i, m] of state.machines.entries()) {
    if (m.cond === Cond.booting && m.life !== Life.dead) {
      const next = withMachine(state, i, { cond: Cond.running, known: 1, up: m.job, heard: 1 });
      return { next, text: () => `machine ${i} comes up with an empty mongod`, wrong: null };
    }
    // A lost one may turn up again before the cloud has ended it, and is still a member then.
    if (m.life === Life.dead && m.cond !== Cond.ended && m.job === 0) {
      const next = withMachine(state, i, { cond: Cond.ended });
      const wrong = m.job === 0 ? wrongEnd(state, i) : null;
      return { next, text: () => `the cloud ends the instance of machine ${i}`, wrong };
    }
    if (m.job === 0 && m.up === 1 && agentHeard(m)) {
      const next = withMachine(state, i, NO_MEMBER);
      return {
        next,
        text: () => `machine ${i} stops its services`,
        wrong: wrongStop(state, i, faults.has('late') || faults.has('twice') || faults.has('second')),
      };
    }
  }
  const deaf = state.machines.flatMap((m, i) => (agentHeard(m) && m.heard === 0 && m.life !== Life.dead ? [i] : []));
  if (deaf.length === 0) return null;
  const next = deaf.reduce((heard, i) => withMachine(heard, i, { heard: 1 }), state);
  return { next, text: () => `the agents of ${deaf.join(', ')} take the published addresses`, wrong: null };
}

/** What the set and its clients do without being asked. True when there is something, writes apart. */
function byItself(state: State, rules: Rules, happens: Happens, fault: Fault, faulty: Faulty): boolean {
  let progressed = false;
  const does = (next: State | null, text: () => string, wrong: Wrong | null = null): void => {
    if (next === null) return;
    progressed = true;
    happens(next, Rank.progress, text, wrong);
  };
  const { machines } = state;
  for (let i = 0; i < machines.length; i++) {
    const m = machine(state, i);
    if (m.life === Life.dead && m.cond !== Cond.ended && m.job === 1)
      does(withMachine(state, i, { cond: Cond.ended }), () => `the cloud ends the instance of machine ${i}`);
    if (!runs(m)) continue;
    does(install(state, i), () => `the config with ${configText(m.disk)} is in force on machine ${i}`);
    does(stepDown(state, i), () => `machine ${i} steps down`);
    does(hearConfig(state, i), () => `machine ${i} hears of the newer config`);
    for (let p = 0; p < machines.length; p++) {
      if (p !== i && machine(state, p).role === Role.primary)
        does(copy(state, i, p, rules.world.oneByOne), () => `machine ${i} copies from machine ${p}`);
    }
    const written = write(state, i);
    if (written !== null) happens(written, Rank.never, () => `a client writes to machine ${i}`);
    const elected = m.role === Role.secondary ? elect(state, i) : null;
    if (elected !== null) {
      const term = machine(elected, i).term;
      if (!seesPrimary(state, i)) does(elected, () => `machine ${i} is elected in term ${term}`);
      else if (faulty('false-election'))
        fault(elected, () => `machine ${i} stands up without need, and is elected in term ${term}`);
    }
  }
  return progressed;
}

/** What is broken comes back: nobody says when, or whether. */
function repairs(state: State, happens: Happens): void {
  for (const [i, m] of state.machines.entries()) {
    if (m.cond === Cond.cut)
      happens(withMachine(state, i, { cond: Cond.running }), Rank.repair, () => `machine ${i} is reached again`);
    if (m.cond === Cond.off) {
      const on = m.job === 1 ? restart(state, i) : withMachine(state, i, { cond: Cond.running });
      happens(withMachine(on, i, { agent: 1 }), Rank.repair, () => `machine ${i} is started again`);
    }
    if (m.cond !== Cond.running || m.known === 0) continue;
    if (m.agent === 0)
      happens(withMachine(state, i, { agent: 1 }), Rank.repair, () => `the agent of machine ${i} starts again`);
    if (m.agent === 1 && m.up === 0 && m.job === 1)
      happens(restart(state, i), Rank.repair, () => `the mongod of machine ${i} starts again`);
  }
}

function machineFaults(state: State, fault: Fault, faulty: Faulty): void {
  if (state.faults === 0) return;
  for (const [i, m] of state.machines.entries()) {
    if (m.cond === Cond.ended || m.life === Life.dead) continue;
    if (faulty('end')) fault(withMachine(state, i, { cond: Cond.ended }), () => `machine ${i} is gone for good`);
    if (m.cond !== Cond.running) continue;
    if (faulty('crash') && m.up === 1)
      fault(withMachine(state, i, { up: 0 }), () => `the mongod of machine ${i} is killed`);
    if (faulty('off')) fault(withMachine(state, i, { cond: Cond.off, up: 0 }), () => `machine ${i} is powered off`);
    if (faulty('cut')) fault(withMachine(state, i, { cond: Cond.cut }), () => `machine ${i} is cut off from everybody`);
    if (faulty('agent') && m.agent === 1)
      fault(withMachine(state, i, { agent: 0 }), () => `the agent of machine ${i} dies`);
  }
}

/** One step of a deed under way, of the change's own or of one that it has given up. */
function stepFlight(
  state: State,
  flight: Flight,
  slot: 'flight' | 'late',
  rules: Rules,
  happens: Happens,
  fault?: Fault,
  faulty?: Faulty,
): void {
  const progress = stepDeed(state, flight, rules.world);
  if (progress !== null) {
    const next = { ...progress.state, [slot]: progress.flight };
    // One that comes back at the very last moment was silent for as long as it may be; an end decided on long ago is wrong.
    const endsLate = slot === 'late' && flight.kind === 'terminate' && flight.stage === Stage.decided;
    const rank = slot === 'flight' ? Rank.deed : Rank.never;
    const whose = slot === 'flight' ? '' : 'LATE: ';
    const wrong = endsLate && progress.flight !== null ? wrongEnd(state, each(flight.mask)[0] as number) : null;
    happens(next, rank, () => `${whose}${progress.text}`, wrong ?? wrongProgress(state, progress, flight, slot, rules));
  }
  if (fault === undefined || faulty === undefined) return;
  const what = () => `${flight.kind}${flight.stage === Stage.decided ? '' : ' (already sent)'}`;
  if (faulty('drop')) fault({ ...state, flight: null }, () => `the executor of ${what()} dies`);
  if (rules.world.promptly && flight.kind === 'force-survivor' && flight.stage === Stage.sent) return;
  if (state.late === null && faulty('late'))
    fault({ ...state, flight: null, late: flight }, () => `the executor of ${what()} freezes, and is given up`);
  if (state.late === null && faulty('twice') && flight.stage !== Stage.noting)
    fault({ ...state, late: flight }, () => `${what()} is under way twice`);
  if (flight.stage === Stage.sent && flight.config !== 0 && faulty('torn')) {
    const next = {
      version: versionOf(flight.config),
      voters: votersOf(flight.config),
      members: membersOf(flight.config),
    };
    const torn = answers(machine(state, flight.to))
      ? reconfig(state, flight.to, next, rules.world.server, false)
      : null;
    if (torn?.ok)
      fault(
        withMachine({ ...torn.state, flight: null }, flight.to, { up: 0 }),
        () => `machine ${flight.to}'s mongod dies with the new config on its disk and no note of it`,
      );
  }
}

function wrongProgress(
  before: State,
  progress: Progress,
  flight: Flight,
  slot: 'flight' | 'late',
  rules: Rules,
): Wrong | null {
  const { state, accepted } = progress;
  const counts = (wrong: Wrong | null): Wrong | null =>
    wrong !== null && (rules.rules || wrong.kind === 'outcome') ? wrong : null;
  if (accepted !== undefined) {
    const { at, forced } = accepted;
    const wrong = counts(wrongConfig(before, state, at, forced)) ?? counts(wrongLeave(before, at, flight));
    return wrong ?? (slot === 'late' && !forced ? wrongLate(before, state, at, flight.kind, flight.mask) : null);
  }
  const late = wrongWhenDone(before, state);
  if (late !== null) return late;
  switch (flight.kind) {
    case 'mark-dying':
      return wrongVerdict(before, state);
    case 'publish':
      return wrongAddresses(state);
    case 'drop-jobs':
      return counts(wrongDrop(before, state));
    default:
      return null;
  }
}

interface Planned {
  readonly step: Step;
  readonly expired: readonly number[];
  readonly wrong: readonly string[];
}
const plans = new WeakMap<Rules, Map<string, Planned>>();

/** The real planner's answer; remembered, as many states look the same. */
export function planned(state: State, rules: Rules): Planned {
  const { observed, key } = observe(state, rules.world.proof);
  const whole = `${key}\n${String.fromCharCode(...state.expired, state.settle, state.second)}`;
  let known = plans.get(rules);
  if (known === undefined) {
    known = new Map();
    plans.set(rules, known);
  }
  const before = known.get(whole);
  if (before !== undefined) return before;
  const goal = goalOf(state, controllersOf(state, rules));
  const expired = stillExpired(observed, state.expired.map(unpackExpired));
  const step = rules.plan(observed, goal, expired);
  const wrong = rules.rules ? wrongs(observed, goal, step) : [];
  const made = { step, expired: expired.map(packExpired), wrong };
  if (known.size > 300_000) known.clear();
  known.set(whole, made);
  return made;
}

const controllersOf = (state: State, rules: Rules): number =>
  state.second === 1 ? (rules.second as number) : rules.controllers;

const isDeed = (kind: string): kind is DeedKind => (DEEDS as readonly string[]).includes(kind);

function planNext(
  state: State,
  rules: Rules,
  progressed: boolean,
  happens: Happens,
  fault: Fault,
  faulty: Faulty,
): void {
  const { step, expired, wrong: said } = planned(state, rules);
  const wrong: Wrong | null = said[0] === undefined ? null : { invariant: `plan: ${said[0]}`, kind: 'rule' };
  switch (step.kind) {
    case 'done':
      happens(
        { ...state, expired: [], end: End.done, late: leftOver(state, rules) },
        Rank.plan,
        () => `DONE: ${step.text}`,
        wrong ?? wrongDone(state, controllersOf(state, rules)),
      );
      return;
    case 'blocked': {
      const defect = step.wayOut.includes('defect') ? DEFECT : wrong;
      happens(
        { ...state, expired: [], end: End.blocked, late: leftOver(state, rules) },
        Rank.plan,
        () => `BLOCKED: ${step.reason}`,
        defect,
      );
      return;
    }
    case 'wait': {
      if (expired.length !== state.expired.length || expired.some((code, i) => code !== state.expired[i]))
        happens({ ...state, expired }, Rank.plan, () => 'the change looks again');
      // Only what can still differ; the same wait cannot end twice.
      const code = packExpired({ for: step.for, machines: step.machines });
      if (state.expired.includes(code)) return;
      const ended = { ...state, expired: [...expired, code] };
      const text = () => `"${step.text}" ends at its deadline`;
      if (!progressed || step.machines.some((id) => isBroken(machine(state, Number(id)))))
        happens(ended, Rank.time, text, wrong);
      else if (faulty('slow')) fault(ended, text, wrong);
      return;
    }
    case 'do': {
      if (!isDeed(step.deed.kind)) throw new Error(`the model knows no deed ${step.deed.kind}`);
      const { deed } = step;
      let mask = 0;
      if (deed.kind === 'add-machines') mask = deed.count;
      else if ('member' in deed) mask = 1 << deed.member;
      else if ('members' in deed) for (const id of deed.members) mask |= 1 << id;
      else if ('machines' in deed) for (const id of deed.machines) mask |= 1 << Number(id);
      else if ('machine' in deed) mask = 1 << Number(deed.machine);
      const flight: Flight = {
        ...{ stage: Stage.decided, kind: deed.kind as DeedKind, mask, fresh: 1, by: state.second, config: 0, to: 0 },
        ...{ version: step.fence?.version ?? NO_FENCE, term: step.fence?.term ?? -1 },
      };
      const text = () => `the planner: ${step.text}`;
      const hasty = deed.kind === 'terminate' && !waitedFor(state, mask) ? HASTY : null;
      startFlight({ ...state, expired, flight }, flight, text, wrong ?? hasty, rules, happens, fault, faulty);
    }
  }
}

/** The late deed that may still land once the change has ended: what was sent by then has arrived, or is lost. */
const leftOver = ({ late }: State, { world }: Rules): Flight | null =>
  world.promptly && late?.stage === Stage.sent ? null : late;

/** A silent machine was waited for to the end, or its cloud says that it does not run. */
const waitedFor = (state: State, mask: number): boolean =>
  state.expired
    .map(unpackExpired)
    .some((wait) => wait.for === 'healthy' && wait.machines.some((id) => (mask >> Number(id)) & 1)) ||
  each(mask).every((i) => machine(state, i).cond === Cond.ended);

/**
 * A reconfig's executor looks at the very moment of the plan, or else late: in between it would find what the planner would
 * have found. Documents and instances are changed some time after.
 */
function startFlight(
  state: State,
  flight: Flight,
  text: () => string,
  wrong: Wrong | null,
  rules: Rules,
  happens: Happens,
  fault: Fault,
  faulty: Faulty,
): void {
  if (state.late === null && faulty('late'))
    fault({ ...state, flight: null, late: flight }, () => `${text()}; its executor freezes, and is given up`, wrong);
  if (!looksAtOnce(flight)) {
    happens(state, Rank.plan, text, wrong);
    return;
  }
  const looked = (from: State): { state: State; text: string } => {
    const { flight: next, ...progress } = stepDeed(from, flight, rules.world) as Progress;
    return { state: { ...progress.state, flight: next }, text: progress.text };
  };
  happens(looked(state).state, Rank.plan, () => `${text()}; ${looked(state).text}`, wrong);
  if (state.late === null && faulty('twice'))
    fault(looked({ ...state, late: flight }).state, () => `${text()}; it is under way twice`, wrong);
}

const looksAtOnce = ({ kind }: Flight): boolean =>
  kind === 'hand-over' ||
  kind === 'join' ||
  kind === 'grant-vote' ||
  kind === 'withdraw-vote' ||
  kind === 'remove-members';

const isBroken = (m: Machine | undefined): boolean =>
  m === undefined ||
  (m.cond !== Cond.running && m.cond !== Cond.booting) ||
  m.agent === 0 ||
  (m.up === 0 && m.job === 1 && m.known === 1);
