/** Newcomers: machine, mongod, membership, data, vote. */
import { answers, canJoin, isCaughtUp, machineOf, memberById, memberOf } from '../facts.js';
import { zonesFor } from '../seats.js';
import { idsOf, joiners, type Situation, stayingMachines } from '../situation.js';
import { act, blocked } from '../steps.js';
import type { Machine, Member, Observed, Step } from '../types.js';
import { grant } from '../votes.js';
import { DEADLINES, failedStarts, failedToStart, hasExpired, MAX_FAILED_STARTS, wait } from '../waits.js';
import { agree, capital, count, machinesText, memberText } from '../words.js';

export function enlist(situation: Situation): Step | null {
  const { observed, goal, expired, seats } = situation;
  const failed = goal.to.find((id) => !seats.stay.includes(id) && failedToStart(expired, id));
  if (failed !== undefined) {
    return blocked(
      `Machine ${failed} was asked for as a controller and did not come up as one.`,
      `See why with quorate show-controller ${failed}, or ask again without --to ${failed}.`,
    );
  }
  if (seats.convert.length > 0) {
    return act(
      situation,
      { kind: 'add-jobs', machines: seats.convert },
      `${agree(seats.convert, 'It was', 'They were')} asked for as ${agree(seats.convert, 'a controller', 'controllers')}.`,
    );
  }
  if (seats.start === 0) return null;
  if (failedStarts(expired) >= MAX_FAILED_STARTS) {
    return blocked(
      `${MAX_FAILED_STARTS} times in this change a new controller did not come up${lastProblem(observed)}.`,
      'See why with quorate doctor, then run the same command again.',
    );
  }
  return addMachines(situation);
}

/**
 * A successor boots while the lost one leaves the set: its boot takes longest and touches nothing there, and it joins only
 * when the dead vote is gone.
 */
export function bootSuccessors(situation: Situation): Step | null {
  const { observed, expired, seats } = situation;
  const leaving = observed.machines.some(
    (machine) => machine.life === 'dead' && memberOf(observed, machine.id) !== undefined,
  );
  // What could not be started before is left to its turn, where it may be said.
  if (!leaving || seats.start === 0 || seats.convert.length > 0 || failedStarts(expired) > 0) return null;
  return addMachines(situation);
}

function addMachines(situation: Situation): Step {
  const { observed, goal, seats } = situation;
  const there = seats.stay.length;
  return act(
    situation,
    { kind: 'add-machines', count: seats.start, zones: zonesFor(observed, seats.stay, seats.start) },
    `${count(goal.controllers, 'controller')} ${goal.controllers === 1 ? 'is' : 'are'} wanted, and ${there} ${there === 1 ? 'is' : 'are'} there or on the way.`,
  );
}

function lastProblem(observed: Observed): string {
  const problem = observed.machines.map((machine) => machine.problem).findLast((text) => text !== '');
  return problem === undefined ? '' : `: ${problem.replace(/\.$/, '')}`;
}

const outside = (situation: Situation): readonly Machine[] =>
  stayingMachines(situation).filter((machine) => memberOf(situation.observed, machine.id) === undefined);

/**
 * Waits for all newcomers together, so that the wait stays the same one while they come up one by one. Its deadline counts
 * from when they were asked for, so that asking again does not prolong it.
 */
export function boot(situation: Situation): Step | null {
  const newcomers = outside(situation);
  const booting = newcomers.filter(isBooting);
  const ended = booting.filter((machine) => machine.instance === 'terminated');
  if (ended.length > 0) {
    const words = {
      text: `give up ${machinesText(idsOf(ended))}`,
      reason: `The instance of ${machinesText(idsOf(ended))} ended before it came up.`,
      otherwise: 'start another one',
    };
    return wait('boot', idsOf(ended), words, 0);
  }
  if (booting.length === 0) return null;
  const problem = booting.find((machine) => machine.problem !== '')?.problem;
  const oldest = Math.max(...booting.map((machine) => machine.ageMs));
  const words = {
    text: `wait until ${machinesText(idsOf(newcomers))} ${agree(newcomers, 'is', 'are')} up`,
    reason: problem ? `Not up so far: ${problem}` : 'A new controller has to boot first.',
    otherwise: `give up ${agree(newcomers, 'it', 'those that are not')} and start ${agree(newcomers, 'another one', 'others')}`,
  };
  return wait('boot', idsOf(newcomers), words, Math.max(0, DEADLINES.boot - oldest));
}

/** Not heard of yet, or a new machine whose mongod is still on its way. */
const isBooting = (machine: Machine): boolean =>
  machine.agent === 'pending' ||
  (!canJoin(machine) && !machine.jobs.includes('host-units') && machine.ageMs < DEADLINES.boot);

export function startMongod(situation: Situation): Step | null {
  const newcomers = outside(situation);
  if (newcomers.every(canJoin)) return null;
  const away = idsOf(newcomers).filter((id) => hasExpired(situation.expired, 'services', id));
  if (away.length > 0) {
    return blocked(
      `${capital(machinesText(away))} ${agree(away, 'is', 'are')} under maintenance, and no mongod answers there.`,
      `When that is over, run the same command again, or end it with: quorate maintenance ${away[0]} --end`,
    );
  }
  return wait('services', idsOf(newcomers), {
    text: `wait until the mongod of ${machinesText(idsOf(newcomers))} is up`,
    reason: 'It has to run before it can join.',
    otherwise: `give up ${agree(newcomers, 'it', 'those where it is not')} and take ${agree(newcomers, 'another machine', 'others')}`,
  });
}

export function join(situation: Situation): Step | null {
  const ready = idsOf(outside(situation));
  if (ready.length === 0) return null;
  return act(
    situation,
    { kind: 'join', machines: ready },
    'A member without a vote copies the data and endangers nothing.',
  );
}

export function catchUp(situation: Situation): Step | null {
  const { observed, set, expired, goal } = situation;
  const all = joiners(situation);
  const behind = all.filter((member) => !isCaughtUp(set, member));
  if (behind.length === 0) return null;
  const primary = memberById(set, set.primary as number);
  const source = primary ? memberText(primary) : 'the primary';
  const machines = (members: readonly Member[]) => members.flatMap((member) => member.machine ?? []);
  const lags = behind.filter((member) => answers(member) || machineOf(observed, member.machine)?.maintenance);
  const late = machines(lags).filter((id) => hasExpired(expired, 'caught-up', id));
  if (late.length > 0) {
    return blocked(
      `${capital(machinesText(late))} still ${agree(late, 'lacks', 'lack')} writes that ${source} holds.`,
      `Run the same command again to go on waiting, or ask for fewer than ${count(goal.controllers, 'controller')}.`,
    );
  }
  const who = all.length === 2 ? 'both hold' : `${machinesText(machines(all))} ${agree(all, 'holds', 'hold')}`;
  return wait('caught-up', machines(all), {
    text: `wait until ${who} all that ${source} holds`,
    reason: 'A vote for one that lacks writes could lose them.',
    otherwise: 'stop here, or take another machine for one that does not answer',
  });
}

export function grantVotes(situation: Situation): Step | null {
  const all = joiners(situation);
  const next = all.find((member) => isCaughtUp(situation.set, member)) ?? all[0];
  return next === undefined ? null : grant(situation, next);
}
