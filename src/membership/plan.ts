/**
 * The planner: from what is seen and what is wanted to the one next step. A pure function, asked again after every step
 * with fresh facts, so that a crash, a loss in the middle and a hand-made change all land in the same code.
 *
 * The stages stand in the order in which they are asked; the first that has an answer gives it (docs/membership.md).
 */
import {
  answers,
  hasControllerJob,
  instanceGone,
  isCaughtUp,
  isSilent,
  isVoter,
  machineOf,
  memberOf,
  runsServices,
  servesFully,
  votersOf,
  withoutAddresses,
} from './facts.js';
import { guarded, isAtRest, sameIds } from './safety.js';
import { seats, zonesFor } from './seats.js';
import { act, blocked, type Situation, waitOrBlock } from './steps.js';
import { order } from './succession.js';
import type { Expired, Goal, Machine, MachineId, Member, Observed, Step } from './types.js';
import { verdict } from './verdict.js';
import { DEADLINES, failedStarts, graceLeft, hasExpired, MAX_FAILED_STARTS, wait } from './waits.js';
import { withoutPrimary } from './without-primary.js';
import { count, list, machinesText, memberText } from './words.js';

type Stage = (situation: Situation) => Step | null;

/** The next single safe step towards the goal; what to wait for; done; or blocked, with the reason and the way out. */
export function plan(observed: Observed, goal: Goal, expired: readonly Expired[] = []): Step {
  if (observed.life !== 'alive') {
    return blocked('The environment is being destroyed.', 'Nothing needs to be done.');
  }
  if (observed.set === null) {
    return waitOrBlock(
      expired,
      'primary',
      [],
      { text: 'wait until a member of the set answers', reason: 'No member of the set answers.' },
      'See what the cloud says with quorate cloud list, and start a controller with quorate cloud start.',
    );
  }
  const situation = { observed, set: observed.set, goal, expired, seats: seats(observed, goal, expired) };
  for (const stage of goal.settle ? SETTLING : STAGES) {
    const step = stage(situation);
    if (step !== null) return guarded(situation, step);
  }
  return done(situation);
}

const noPrimary: Stage = (situation) => (situation.set.primary === null ? withoutPrimary(situation) : null);

/** The verdict is a document before anything follows from it. */
const writeOffLost: Stage = (situation) => {
  const { observed, set, expired } = situation;
  const lost = observed.machines.filter(
    (machine) =>
      machine.life === 'alive' &&
      (machine.jobs.includes('manage-state') || memberOf(set, machine.id) !== undefined) &&
      verdict(observed, machine, expired) === 'lost',
  );
  if (lost.length === 0) return null;
  return act(situation, { kind: 'mark-dying', machines: idsOf(lost) }, whyLost(lost));
};

/** Machines that are ours to end: no workload's machine that somebody removes, and no member that still answers. */
const endStopped: Stage = (situation) => {
  const { observed, set, expired } = situation;
  const stopped = observed.machines.filter((machine) => {
    const member = memberOf(set, machine.id);
    if (machine.life !== 'dying' || !wasController(machine) || (member && answers(member))) return false;
    if (machine.agent !== 'started' || machine.instance === 'terminated') return true;
    if (member || hasControllerJob(machine)) return false;
    return !runsServices(machine) || hasExpired(expired, 'services-stopped', machine.id);
  });
  if (stopped.length === 0) return null;
  return act(
    situation,
    { kind: 'mark-dead', machines: idsOf(stopped) },
    `Nothing of ${machinesText(idsOf(stopped))} is needed any more.`,
  );
};

/** Termination is asked for first; where it is not confirmed a majority can go on without, since no config is forced. */
const lostAreGone: Stage = ({ observed, set, expired }) => {
  const lost = observed.machines.filter((machine) => {
    const member = memberOf(set, machine.id);
    return machine.life === 'dead' && member && isVoter(member) && !instanceGone(machine);
  });
  const waiting = lost.filter((machine) => !hasExpired(expired, 'instances-gone', machine.id));
  if (waiting.length === 0) return null;
  return wait('instances-gone', idsOf(waiting), {
    text: `wait until ${machinesText(idsOf(waiting))} is gone`.replace('machines', 'machines'),
    reason: 'A lost controller should be gone for good before another takes its place.',
    otherwise: 'go on, as a majority outvotes it, and name it among the problems',
  });
};

/** The dead vote goes first, so that a successor that never comes up cannot block. */
const withdrawDeadVotes: Stage = (situation) => {
  const dead = leavingVoters(situation).filter((member) => !answers(member));
  const [first] = [...dead].sort((a, b) => deadness(situation, b) - deadness(situation, a) || a.id - b.id);
  if (first === undefined) return null;
  return withdraw(
    situation,
    first,
    `${capital(memberText(first))} does not answer, and its vote counts against the others.`,
  );
};

const removeDeadMembers: Stage = (situation) => {
  const gone = leavingMembers(situation).filter(
    (member) => !isVoter(member) && (!answers(member) || member.machine === null),
  );
  return gone.length === 0 ? null : remove(situation, gone, 'They have no vote and do not belong to the set any more.');
};

/** An even number of voters is only passed through: whoever is ready makes it odd again at once. */
const makeOdd: Stage = (situation) => {
  const { set } = situation;
  if (votersOf(set).length % 2 === 1) return null;
  const ready = joiners(situation).find((member) => isCaughtUp(set, member));
  if (ready) return grant(situation, ready);
  const leaving = leavingVoters(situation);
  const victim = leaving.find((member) => member.id !== set.primary) ?? leaving[0];
  return victim ? withdraw(situation, victim, 'The number of voters must be odd, and it does not stay.') : null;
};

const withdrawAddressesOfLost: Stage = (situation) => {
  const { observed } = situation;
  const serving = observed.addresses.machines.filter((id) => {
    const machine = machineOf(observed, id);
    return machine !== undefined && (machine.life === 'alive' || (machine.life === 'dying' && !isSilent(machine)));
  });
  const gone = observed.addresses.machines.filter((id) => !serving.includes(id));
  if (gone.length === 0 || serving.length === 0) return null;
  return act(
    situation,
    { kind: 'publish', machines: serving },
    `${capital(machinesText(gone))} will not answer again.`,
  );
};

const stayingAnswer: Stage = ({ observed, expired, seats: { stay } }) => {
  const away = machinesOf(observed, stay).filter((machine) => verdict(observed, machine, expired) === 'away');
  const [first] = away;
  if (first === undefined) return null;
  const silent = away.filter(isSilent);
  const ids = idsOf(silent.length > 0 ? silent : away);
  return wait(
    'healthy',
    ids,
    {
      text: `wait for ${machinesText(ids)} to answer`,
      reason:
        silent.length > 0
          ? `Nothing of ${machinesText(ids)} answers.`
          : `The mongod of ${machinesText(ids)} does not answer.`,
      otherwise:
        silent.length > 0 ? 'write it off and take another machine in its place' : 'take another machine in its place',
    },
    silent.length > 0 ? Math.max(...silent.map((machine) => graceLeft(observed.grace, machine))) : DEADLINES.healthy,
  );
};

const equalPriorities: Stage = (situation) => {
  const odd = votersOf(situation.set).filter((member) => member.priority !== 1 && isStaying(situation, member));
  if (odd.length === 0) return null;
  return act(
    situation,
    { kind: 'equal-priority', members: odd.map((member) => member.id) },
    'Its priority was changed by hand, and any voter must be able to take over.',
  );
};

const enlist: Stage = (situation) => {
  const { observed, goal, expired, seats: chosen } = situation;
  const failed = goal.to.find((id) => !chosen.stay.includes(id) && failedToStart(expired, id));
  if (failed !== undefined) {
    return blocked(
      `Machine ${failed} was asked for as a controller and did not come up as one.`,
      `See why with quorate show-controller ${failed}, or ask again without --to ${failed}.`,
    );
  }
  if (chosen.convert.length > 0) {
    return act(situation, { kind: 'add-jobs', machines: chosen.convert }, 'They were asked for as controllers.');
  }
  if (chosen.start === 0) return null;
  if (failedStarts(expired) >= MAX_FAILED_STARTS) {
    return blocked(
      `${MAX_FAILED_STARTS} times machines did not come up as controllers${lastProblem(observed)}.`,
      'See why with quorate doctor, then run the same command again.',
    );
  }
  const zones = zonesFor(observed, chosen.stay, chosen.start);
  return act(
    situation,
    { kind: 'add-machines', count: chosen.start, zones },
    `${count(goal.controllers, 'controller')} ${goal.controllers === 1 ? 'is' : 'are'} wanted, and ${chosen.stay.length} ${chosen.stay.length === 1 ? 'is' : 'are'} there or on the way.`,
  );
};

const comeUp: Stage = ({ observed, set, seats: { stay } }) => {
  const outside = machinesOf(observed, stay).filter((machine) => memberOf(set, machine.id) === undefined);
  const booting = outside.filter((machine) => machine.agent === 'pending');
  if (booting.length > 0) {
    const ids = idsOf(booting);
    const problem = booting.find((machine) => machine.problem !== '')?.problem;
    const dead = booting.some((machine) => machine.instance === 'terminated');
    return wait(
      'boot',
      dead ? idsOf(booting.filter((machine) => machine.instance === 'terminated')) : ids,
      {
        text: `wait until ${machinesText(ids)} ${ids.length === 1 ? 'is' : 'are'} up`,
        reason: problem ? `It could not be started so far: ${problem}` : 'A new controller has to boot first.',
        otherwise: 'give it up and start another one',
      },
      dead ? 0 : Math.max(0, DEADLINES.boot - Math.max(...booting.map((machine) => machine.ageMs))),
    );
  }
  const preparing = outside.filter(
    (machine) => !machine.services.mongod || machine.mongo === null || machine.memberId === null,
  );
  if (preparing.length === 0) return null;
  const ids = idsOf(preparing);
  return wait('services', ids, {
    text: `wait until the mongod of ${machinesText(ids)} is up`,
    reason: 'It has to run before it can join.',
    otherwise: 'give it up and take another machine',
  });
};

const join: Stage = (situation) => {
  const {
    observed,
    set,
    seats: { stay },
  } = situation;
  const outside = machinesOf(observed, stay).filter((machine) => memberOf(set, machine.id) === undefined);
  if (outside.length === 0) return null;
  return act(
    situation,
    { kind: 'join', machines: idsOf(outside) },
    'Without a vote they copy the data and endanger nothing.',
  );
};

const catchUp: Stage = (situation) => {
  const { set, expired, goal } = situation;
  const behind = joiners(situation).filter((member) => !isCaughtUp(set, member));
  const ids = behind.flatMap((member) => member.machine ?? []);
  const primary = set.members.find((member) => member.id === set.primary);
  if (ids.length === 0) return null;
  const all =
    joiners(situation).length === ids.length && ids.length === 2
      ? 'both hold'
      : `${machinesText(ids)} ${ids.length === 1 ? 'holds' : 'hold'}`;
  const slow = behind.filter((member) => answers(member)).flatMap((member) => member.machine ?? []);
  const late = slow.filter((id) => hasExpired(expired, 'caught-up', id));
  if (late.length > 0) {
    return blocked(
      `${capital(machinesText(late))} still ${late.length === 1 ? 'lacks' : 'lack'} writes that ${primary ? memberText(primary) : 'the primary'} holds.`,
      `Run the same command again to go on waiting, or ask for fewer than ${goal.controllers}.`,
    );
  }
  return wait('caught-up', ids, {
    text: `wait until ${all} all that ${primary ? memberText(primary) : 'the primary'} holds`,
    reason: 'A vote for one that lacks writes could lose them.',
    otherwise: slow.length > 0 ? 'stop here and say so' : 'give it up and take another machine',
  });
};

/** At seven voters a leaving one has to make room first. */
const grantVotes: Stage = (situation) => {
  const [next] = joiners(situation);
  if (next === undefined) return null;
  const leaving = leavingVoters(situation);
  if (votersOf(situation.set).length >= 7 && leaving[0]) {
    const victim = leaving.find((member) => member.id !== situation.set.primary) ?? leaving[0];
    return withdraw(situation, victim, 'Seven vote already, and it does not stay.');
  }
  return grant(situation, next);
};

const handOver: Stage = (situation) => {
  const primary = leavingVoters(situation).find((member) => member.id === situation.set.primary);
  return primary === undefined ? null : handOverFrom(situation, primary);
};

const serve: Stage = ({ observed, expired, seats: { stay } }) => {
  const lame = machinesOf(observed, stay).filter((machine) => !servesFully(machine));
  const ids = idsOf(lame);
  if (ids.length === 0) return null;
  const silent = lame.filter((machine) => machine.agent !== 'started');
  return waitOrBlock(
    expired,
    'services',
    ids,
    {
      text: `wait until ${machinesText(ids)} ${ids.length === 1 ? 'serves' : 'serve'} clients`,
      reason:
        silent.length > 0
          ? `The agent of ${machinesText(idsOf(silent))} is not heard, though its member is well.`
          : `Not all services of ${machinesText(ids)} are up.`,
    },
    `See why with quorate show-controller ${ids[0]}, then run the same command again.`,
  );
};

const publish: Stage = (situation) => {
  const {
    observed,
    seats: { stay },
  } = situation;
  if (sameIds(observed.addresses.machines, stay)) return null;
  return act(situation, { kind: 'publish', machines: stay }, 'Clients and agents should look for these and no others.');
};

const agentsMove: Stage = ({ observed, expired }) => {
  const late = withoutAddresses(observed).filter((machine) => !hasExpired(expired, 'agents', machine.id));
  if (late.length === 0) return null;
  return wait('agents', idsOf(late), {
    text: 'wait until agents and clients have the addresses',
    reason: 'Nobody should look for a controller where none is.',
    otherwise: 'go on: who has not heard finds them by those that stay, or by the URL',
  });
};

const withdrawVotes: Stage = (situation) => {
  const [last] = [...leavingVoters(situation)].reverse();
  return last === undefined ? null : withdraw(situation, last, 'It does not stay, and everyone has the new addresses.');
};

const removeMembers: Stage = (situation) => {
  const leaving = leavingMembers(situation);
  return leaving.length === 0 ? null : remove(situation, leaving, 'Without a vote they are not needed.');
};

const dropJobs: Stage = (situation) => {
  const {
    observed,
    seats: { stay },
  } = situation;
  const leaving = observed.machines.filter(
    (machine) => machine.life !== 'dead' && hasControllerJob(machine) && !stay.includes(machine.id),
  );
  if (leaving.length === 0) return null;
  return act(
    situation,
    { kind: 'drop-jobs', machines: idsOf(leaving) },
    'They are no members any more, so nothing is lost when they stop.',
  );
};

const servicesStop: Stage = ({ observed, expired, seats: { stay } }) => {
  const running = observed.machines.filter(
    (machine) =>
      machine.life !== 'dead' &&
      machine.agent === 'started' &&
      !stay.includes(machine.id) &&
      runsServices(machine) &&
      !hasExpired(expired, 'services-stopped', machine.id),
  );
  if (running.length === 0) return null;
  return wait('services-stopped', idsOf(running), {
    text: `wait until ${machinesText(idsOf(running))} ${running.length === 1 ? 'has' : 'have'} stopped serving`,
    reason: 'What still runs is given time to end in order.',
    otherwise: 'go on: what runs there is no part of the set',
  });
};

const instancesEnd: Stage = ({ observed, expired }) => {
  const left = observed.machines.filter(
    (machine) => machine.life === 'dead' && wasController(machine) && !instanceGone(machine),
  );
  if (left.length === 0) return null;
  return waitOrBlock(
    expired,
    'instances-gone',
    idsOf(left),
    {
      text: `wait until the cloud has ended ${machinesText(idsOf(left))}`,
      reason: `The controllers are as wanted, but the cloud does not say that ${machinesText(idsOf(left))} is gone.`,
    },
    'See what is left with quorate doctor.',
  );
};

const configSpreads: Stage = ({ set, expired }) =>
  set.committed
    ? null
    : waitOrBlock(
        expired,
        'committed',
        [],
        {
          text: 'wait until a majority has the last config',
          reason: 'The last change of the set has not reached a majority.',
        },
        'See which members answer with: quorate show-controller',
      );

const settledAtOdd: Stage = (situation) => {
  const { set, goal } = situation;
  const voters = votersOf(set);
  if (voters.length % 2 === 0) return null;
  const spread = configSpreads(situation);
  if (spread) return spread;
  const others = set.members.filter((member) => !isVoter(member));
  const rest =
    others.length === 0
      ? ''
      : ` ${capital(list(others.map(memberText)))} ${others.length === 1 ? 'is a member' : 'are members'} without a vote.`;
  return {
    kind: 'done',
    text: `Stopped on the way to ${count(goal.controllers, 'controller')}: ${voters.length} vote (${list(voters.map(memberText))}).${rest} The same command goes on from here.`,
  };
};

/** Cancelled with an even number of voters and nobody ready to join or to leave: the youngest gives its vote back. */
const stepBack: Stage = (situation) => {
  const { set } = situation;
  const [youngest] = votersOf(set)
    .filter((member) => member.id !== set.primary)
    .sort((a, b) => b.id - a.id);
  return youngest
    ? withdraw(situation, youngest, 'The change was cancelled, and the number of voters must be odd.')
    : null;
};

const SETTLING: readonly Stage[] = [noPrimary, settledAtOdd, withdrawDeadVotes, makeOdd, stepBack];

const STAGES: readonly Stage[] = [
  noPrimary,
  // What is lost goes first, in the order verdict, instance, vote, membership, address.
  writeOffLost,
  endStopped,
  lostAreGone,
  withdrawDeadVotes,
  removeDeadMembers,
  makeOdd,
  withdrawAddressesOfLost,
  stayingAnswer,
  equalPriorities,
  // Newcomers: machine, mongod, membership, data, vote.
  enlist,
  comeUp,
  join,
  catchUp,
  grantVotes,
  // The primary and the addresses move to those that stay.
  handOver,
  serve,
  publish,
  agentsMove,
  // Leavers: vote, membership, process, instance.
  withdrawVotes,
  removeMembers,
  dropJobs,
  servicesStop,
  instancesEnd,
  configSpreads,
];

function done(situation: Situation): Step {
  const {
    set,
    seats: { stay },
  } = situation;
  if (!isAtRest(situation)) {
    return blocked(
      'The controllers are not as wanted, and no step is known that leads there.',
      'This is a defect: please report it with the output of quorate status --format json.',
    );
  }
  const primary = set.members.find((member) => member.id === set.primary);
  const spare = Math.floor((stay.length - 1) / 2);
  return {
    kind: 'done',
    text: `${stay.length} of ${stay.length} vote; primary ${primary ? memberText(primary) : 'unknown'}; ${spare === 0 ? 'no controller can be lost' : `any ${spare === 1 ? 'one controller' : `${spare} controllers`} can be lost`}.`,
  };
}

const idsOf = (machines: readonly Machine[]): readonly MachineId[] => machines.map((machine) => machine.id);
const machinesOf = (observed: Observed, ids: readonly MachineId[]): readonly Machine[] =>
  observed.machines.filter((machine) => ids.includes(machine.id));
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const isStaying = ({ seats: { stay } }: Situation, member: Member): boolean =>
  member.machine !== null && stay.includes(member.machine);
const leavingMembers = (situation: Situation): readonly Member[] =>
  situation.set.members.filter((member) => !isStaying(situation, member));
const leavingVoters = (situation: Situation): readonly Member[] => leavingMembers(situation).filter(isVoter);
/** Members that are to vote and do not yet, oldest first. */
const joiners = (situation: Situation): readonly Member[] =>
  situation.set.members.filter((member) => !isVoter(member) && isStaying(situation, member));

/** It is, or was until its jobs were dropped, a controller: a workload's machine on its way out is none of ours. */
const wasController = (machine: Machine): boolean => hasControllerJob(machine) || !machine.jobs.includes('host-units');

const failedToStart = (expired: readonly Expired[], id: MachineId): boolean =>
  expired.some(
    (over) =>
      (over.for === 'boot' || over.for === 'services' || over.for === 'caught-up') && over.machines.includes(id),
  );

const lastProblem = (observed: Observed): string => {
  const problem = observed.machines.map((machine) => machine.problem).findLast((text) => text !== '');
  return problem === undefined ? '' : `: ${problem.replace(/\.$/, '')}`;
};

function whyLost(lost: readonly Machine[]): string {
  const [first] = lost as readonly [Machine];
  if (lost.length > 1) return `${capital(machinesText(idsOf(lost)))} are gone, or have been silent too long.`;
  if (first.instance === 'terminated') return `The cloud says that machine ${first.id} is terminated.`;
  if (first.agent === 'pending') return `Machine ${first.id} did not come up in time.`;
  return `Nothing of machine ${first.id} answered for as long as it may be silent.`;
}

/** Those confirmed gone before those that may come back. */
const deadness = ({ observed }: Situation, member: Member): number => {
  const machine = machineOf(observed, member.machine);
  return machine === undefined ? 1 : machine.life === 'dead' ? 3 : machine.life === 'dying' ? 2 : 0;
};

const grant = (situation: Situation, member: Member): Step =>
  act(
    situation,
    { kind: 'grant-vote', member: member.id, machine: member.machine as MachineId },
    'It holds all that the primary holds.',
  );

const remove = (situation: Situation, members: readonly Member[], reason: string): Step =>
  act(situation, { kind: 'remove-members', members: members.map((member) => member.id) }, reason);

/** Withdraws a vote; the primary hands over first. */
const withdraw = (situation: Situation, member: Member, reason: string): Step =>
  member.id === situation.set.primary
    ? handOverFrom(situation, member)
    : act(situation, { kind: 'withdraw-vote', member: member.id, machine: member.machine }, reason);

/** To the first in the order of succession that stays and is caught up. */
function handOverFrom(situation: Situation, primary: Member): Step {
  const { observed, set } = situation;
  const zone = (member: Member) => machineOf(observed, member.machine)?.zone ?? '';
  const heirs = order({
    primary: primary.id,
    members: set.members.map((member) => ({ ...member, zone: zone(member) })),
  }).flatMap((id) => set.members.filter((member) => member.id === id && isStaying(situation, member)));
  const heir = heirs.find((member) => isCaughtUp(set, member)) ?? heirs[0];
  if (heir === undefined) {
    return blocked(
      `${capital(memberText(primary))} is primary and must go, and no voter that stays could take over.`,
      'See which members answer with: quorate show-controller',
    );
  }
  return act(
    situation,
    { kind: 'hand-over', member: heir.id, machine: heir.machine as MachineId },
    `${capital(memberText(primary))} is primary and leaves.`,
  );
}
