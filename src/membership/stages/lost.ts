/** What is lost goes first: verdict, instance, vote, membership, address. Then those that stay must answer. */
import {
  answers,
  hasControllerJob,
  instanceGone,
  isHealthy,
  isSilent,
  isVoter,
  machineOf,
  mayBePublished,
  memberOf,
  runsServices,
} from '../facts.js';
import { idsOf, leavingMembers, leavingVoters, type Situation, stayingMachines, wasController } from '../situation.js';
import { act, waitOrBlock } from '../steps.js';
import type { Machine, Member, Step } from '../types.js';
import { verdict } from '../verdict.js';
import { remove, withdraw } from '../votes.js';
import { graceLeft, hasExpired, wait } from '../waits.js';
import { absence, agree, capital, machinesText, memberText } from '../words.js';

/** The verdict is a document before anything follows from it. */
export function writeOffLost(situation: Situation): Step | null {
  const { observed, expired } = situation;
  const lost = observed.machines.filter(
    (machine) =>
      machine.life === 'alive' &&
      (machine.jobs.includes('manage-state') || memberOf(observed, machine.id) !== undefined) &&
      verdict(observed, machine, expired) === 'lost',
  );
  return lost.length === 0 ? null : act(situation, { kind: 'mark-dying', machines: idsOf(lost) }, whyLost(lost));
}

function whyLost(lost: readonly Machine[]): string {
  const who = capital(machinesText(idsOf(lost)));
  if (lost.every((machine) => machine.agent === 'pending')) return `${who} did not come up in time.`;
  if (lost.every((machine) => machine.instance === 'terminated')) {
    return `The cloud says that ${machinesText(idsOf(lost))} ${agree(lost, 'is', 'are')} terminated.`;
  }
  return `Nothing of ${machinesText(idsOf(lost))} answered for as long as a controller may be silent.`;
}

/**
 * Ends what is lost at once, and leavers together when all of them have stopped. Never a workload's machine that somebody
 * removes, nor a member that answers.
 */
export function endStopped(situation: Situation): Step | null {
  const { observed, expired } = situation;
  const ending = observed.machines.filter((machine) => machine.life === 'dying' && wasController(machine));
  const lost = ending.filter((machine) => {
    const member = memberOf(observed, machine.id);
    if (member !== undefined && answers(member)) return false;
    return machine.instance === 'terminated' || (machine.agent !== 'started' && hasControllerJob(machine));
  });
  if (lost.length > 0) {
    const reason = 'What is lost must not come back in the middle, so it is ended before its vote is.';
    return act(situation, { kind: 'mark-dead', machines: idsOf(lost) }, reason);
  }
  const left = ending.filter((machine) => !hasControllerJob(machine) && memberOf(observed, machine.id) === undefined);
  const stopped = left.filter(
    (machine) =>
      machine.agent !== 'started' || !runsServices(machine) || hasExpired(expired, 'services-stopped', machine.id),
  );
  if (left.length === 0 || stopped.length < left.length) return null;
  return act(
    situation,
    { kind: 'mark-dead', machines: idsOf(left) },
    'No job is left there, and nothing runs any more.',
  );
}

/** Termination is asked for first; where it is not confirmed a majority can go on without, since no config is forced. */
export function lostAreGone({ observed, expired }: Situation): Step | null {
  const lost = observed.machines.filter((machine) => {
    const member = memberOf(observed, machine.id);
    return (
      machine.life === 'dead' &&
      member !== undefined &&
      isVoter(member) &&
      !instanceGone(machine) &&
      !hasExpired(expired, 'instances-gone', machine.id)
    );
  });
  if (lost.length === 0) return null;
  return wait('instances-gone', idsOf(lost), {
    text: `wait until the cloud has ended ${machinesText(idsOf(lost))}`,
    reason: 'A lost controller should be gone for good before its vote is.',
    otherwise: 'go on, as the majority outvotes it, and name it among the problems',
  });
}

/** The dead vote goes before a successor joins, so that one that never comes up cannot block. */
export function withdrawDeadVotes(situation: Situation): Step | null {
  const [first] = leavingVoters(situation)
    .filter((member) => !isHealthy(situation.observed, member))
    .sort((a, b) => deadness(situation, b) - deadness(situation, a) || a.id - b.id);
  if (first === undefined) return null;
  const reason =
    machineOf(situation.observed, first.machine) === undefined
      ? 'It belongs to no machine of the environment.'
      : `${capital(memberText(first))} ${absence(first)}, and its vote counts against the others.`;
  return withdraw(situation, first, reason);
}

/** Those confirmed gone before those that may come back. */
function deadness({ observed }: Situation, member: Member): number {
  const machine = machineOf(observed, member.machine);
  if (machine === undefined) return 1;
  if (machine.life === 'dead') return instanceGone(machine) ? 4 : 3;
  return machine.life === 'dying' ? 2 : 0;
}

export function removeDeadMembers(situation: Situation): Step | null {
  const gone = leavingMembers(situation).filter((member) => !isVoter(member) && !isHealthy(situation.observed, member));
  if (gone.length === 0) return null;
  return remove(
    situation,
    gone,
    'Without a vote, and silent or of no known machine, it is in nobody’s way when it goes.',
  );
}

export function withdrawAddressesOfLost(situation: Situation): Step | null {
  const { observed } = situation;
  const serves = (id: string) => {
    const machine = machineOf(observed, id);
    return machine !== undefined && mayBePublished(machine);
  };
  const serving = observed.addresses.machines.filter(serves);
  const gone = observed.addresses.machines.filter((id) => !serves(id));
  if (gone.length === 0) return null;
  if (serving.length === 0) return publishTheOthers(situation, gone);
  return act(
    situation,
    { kind: 'publish', machines: serving },
    `${capital(machinesText(gone))} will not answer again.`,
  );
}

/**
 * With two voters the one that is lost may be the only one that was published: until the other one is, no client finds the
 * environment and no machine that boots can enrol.
 */
function publishTheOthers(situation: Situation, gone: readonly string[]): Step | null {
  const { observed, expired } = situation;
  const others = observed.machines.filter((machine) => {
    const member = memberOf(observed, machine.id);
    return mayBePublished(machine) && member !== undefined && isVoter(member) && isHealthy(observed, member);
  });
  const lame = idsOf(others.filter(({ services }) => !services.api));
  if (others.length === 0) return null;
  if (lame.length === 0) {
    const reason = `${capital(machinesText(gone))} ${agree(gone, 'was', 'were')} all that clients knew, and will not answer again.`;
    return act(situation, { kind: 'publish', machines: idsOf(others) }, reason);
  }
  return waitOrBlock(
    expired,
    'services',
    idsOf(others),
    {
      text: `wait until ${machinesText(lame)} ${agree(lame, 'serves', 'serve')} clients`,
      reason: `Clients know only ${machinesText(gone)}, which will not answer again.`,
    },
    `See why with quorate show-controller ${lame[0]}, then run the same command again.`,
  );
}

export function stayingAnswer(situation: Situation): Step | null {
  const { observed, expired } = situation;
  const away = stayingMachines(situation).filter(
    (machine) => !machine.maintenance && verdict(observed, machine, expired) === 'away',
  );
  const silent = away.filter(isSilent);
  if (silent.length > 0) {
    const words = {
      text: `wait for ${machinesText(idsOf(silent))} to answer`,
      reason: `Nothing of ${machinesText(idsOf(silent))} answers.`,
      otherwise: `write ${agree(silent, 'it', 'them')} off and take another machine`,
    };
    return wait(
      'healthy',
      idsOf(silent),
      words,
      Math.max(...silent.map((machine) => graceLeft(observed, machine, memberOf(observed, machine.id)))),
    );
  }
  if (away.length === 0) return null;
  const words = {
    text: `wait for the mongod of ${machinesText(idsOf(away))} to answer`,
    reason: `The agent of ${machinesText(idsOf(away))} is there, its mongod does not answer.`,
    otherwise: `withdraw ${agree(away, 'its vote', 'their votes')} and start ${agree(away, 'it', 'them')} anew with an empty directory, or replace ${agree(away, 'it', 'them')} where that did not help`,
  };
  const downMs = Math.min(...away.map((machine) => memberOf(observed, machine.id)?.downMs ?? 0));
  return wait('healthy', idsOf(away), words, Math.max(0, observed.grace.memberMs - downMs));
}
