import { planNext, stepFlight } from './change.js';
import { configText, stale, writable } from './executors.js';
import { agentHeard } from './observe.js';
import { LOST, type Wrong, wrongEnd, wrongOf, wrongStop } from './oracle.js';
import { type Emit, type Fault, type FaultKind, type Faulty, type Happens, Rank, type Rules } from './rules.js';
import {
  acknowledgeAll,
  copy,
  elect,
  hearConfig,
  install,
  machine,
  restart,
  seesPrimary,
  stepDown,
  write,
} from './server.js';
import { Cond, End, Life, NO_MEMBER, Role, runs, type State, withMachine } from './state.js';

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
  () =>
    told.acked.length > acked.length ? `${text()}; the client is told that its write is safe` : text();

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
      return { next, text: () => `the cloud ends the instance of machine ${i}`, wrong: wrongEnd(state, i) };
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
