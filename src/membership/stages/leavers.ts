/** Leavers: vote, membership, process, instance. */
import { hasControllerJob, instanceGone, runsServices } from '../facts.js';
import { idsOf, leavingMembers, leavingVoters, type Situation, wasController } from '../situation.js';
import { act, waitOrBlock } from '../steps.js';
import type { Machine, Step } from '../types.js';
import { remove, withdraw } from '../votes.js';
import { hasExpired, wait } from '../waits.js';
import { agree, machinesText } from '../words.js';

export function withdrawVotes(situation: Situation): Step | null {
  const last = leavingVoters(situation).at(-1);
  return last ? withdraw(situation, last, 'It does not stay, and everyone has the new addresses.') : null;
}

export function removeMembers(situation: Situation): Step | null {
  const leaving = leavingMembers(situation);
  return leaving.length === 0 ? null : remove(situation, leaving, 'Without a vote nothing depends on it any more.');
}

export function dropJobs(situation: Situation): Step | null {
  const leaving = situation.observed.machines.filter(
    (machine) => machine.life !== 'dead' && hasControllerJob(machine) && !situation.seats.stay.includes(machine.id),
  );
  if (leaving.length === 0) return null;
  return act(
    situation,
    { kind: 'drop-jobs', machines: idsOf(leaving) },
    `${agree(leaving, 'It is no member', 'They are no members')} any more, so nothing is lost when ${agree(leaving, 'it stops', 'they stop')}.`,
  );
}

export function servicesStop({ observed, expired, seats: { stay } }: Situation): Step | null {
  const serves = (machine: Machine) => machine.agent === 'started' && runsServices(machine);
  const left = observed.machines.filter(
    (machine) =>
      machine.life !== 'dead' &&
      !stay.includes(machine.id) &&
      (serves(machine) || (machine.life === 'dying' && wasController(machine))),
  );
  if (!left.some((machine) => serves(machine) && !hasExpired(expired, 'services-stopped', machine.id))) return null;
  return wait('services-stopped', idsOf(left), {
    text: `wait until ${machinesText(idsOf(left))} ${agree(left, 'has', 'have')} stopped serving`,
    reason: 'What still runs is given time to end in order.',
    otherwise: 'go on: what runs there is no part of the set',
  });
}

export function instancesEnd({ observed, expired }: Situation): Step | null {
  const dead = observed.machines.filter((machine) => machine.life === 'dead' && wasController(machine));
  const left = dead.filter((machine) => !instanceGone(machine));
  if (left.length === 0) return null;
  return waitOrBlock(
    expired,
    'instances-gone',
    idsOf(dead),
    {
      text: `wait until the cloud has ended ${machinesText(idsOf(left))}`,
      reason: `The controllers are as wanted, but the cloud does not say that ${machinesText(idsOf(left))} ${agree(left, 'is', 'are')} gone.`,
    },
    'See what is left with quorate doctor.',
  );
}
