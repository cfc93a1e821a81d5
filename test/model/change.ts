/** What the change does next: it asks the real planner, and its executors go on with a deed, or come late with it. */

import type { Step } from '../../src/membership/types.js';
import { stillExpired } from '../../src/membership/waits.js';
import { wrongs } from '../support/membership/oracle.js';
import { type Progress, step as stepDeed } from './executors.js';
import { goalOf, observe, packExpired, unpackExpired } from './observe.js';
import {
  DEFECT,
  HASTY,
  type Wrong,
  wrongAddresses,
  wrongConfig,
  wrongDone,
  wrongDrop,
  wrongEnd,
  wrongLate,
  wrongLeave,
  wrongVerdict,
  wrongWhenDone,
} from './oracle.js';
import { type Fault, type Faulty, type Happens, Rank, type Rules } from './rules.js';
import { machine, reconfig } from './server.js';
import {
  answers,
  Cond,
  DEEDS,
  type DeedKind,
  End,
  each,
  type Flight,
  type Machine,
  membersOf,
  NO_FENCE,
  Stage,
  type State,
  versionOf,
  votersOf,
  withMachine,
} from './state.js';

/** One step of a deed under way, of the change's own or of one that it has given up. */
export function stepFlight(
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

export function planNext(
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
