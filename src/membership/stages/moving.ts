/** The primary and the addresses move to those that stay. */
import { othersLate, sameIds, servesFully, withoutAddresses } from '../facts.js';
import { idsOf, leavingVoters, type Situation, stayingMachines } from '../situation.js';
import { act, waitOrBlock } from '../steps.js';
import type { Step } from '../types.js';
import { handOverFrom } from '../votes.js';
import { hasExpired, othersHaveExpired, wait } from '../waits.js';
import { agree, count, machinesText } from '../words.js';

export function handOver(situation: Situation): Step | null {
  const primary = leavingVoters(situation).find((member) => member.id === situation.set.primary);
  return primary === undefined ? null : handOverFrom(situation, primary);
}

export function serve(situation: Situation): Step | null {
  const lame = stayingMachines(situation).filter((machine) => !servesFully(machine) && !machine.maintenance);
  const ids = idsOf(lame);
  if (ids.length === 0) return null;
  const silent = lame.filter((machine) => machine.agent !== 'started');
  const reason =
    silent.length > 0
      ? `The agent of ${machinesText(idsOf(silent))} is not heard, though its member is well.`
      : `Not all services of ${machinesText(ids)} are up.`;
  return waitOrBlock(
    situation.expired,
    'services',
    situation.seats.stay,
    { text: `wait until ${machinesText(ids)} ${agree(ids, 'serves', 'serve')} clients`, reason },
    `See why with quorate show-controller ${ids[0]}, then run the same command again.`,
  );
}

export function publish(situation: Situation): Step | null {
  const { stay } = situation.seats;
  if (sameIds(situation.observed.addresses.machines, stay)) return null;
  return act(situation, { kind: 'publish', machines: stay }, 'Clients and agents are to look for these and no others.');
}

export function agentsMove({ observed, expired }: Situation): Step | null {
  const late = withoutAddresses(observed).filter((machine) => !hasExpired(expired, 'agents', machine.id));
  if (late.length === 0) return null;
  // All of them, so that the wait stays the same one while they move one by one.
  const agents = observed.machines.filter((machine) => machine.life !== 'dead' && machine.agent === 'started');
  return wait('agents', idsOf(agents), {
    text: 'wait until agents and clients have the addresses',
    reason: 'Nobody should look for a controller where none is.',
    otherwise: 'go on: who has not heard finds them by those that stay, or by the URL',
  });
}

/** Thousands are waited for as one, so that the wait stays the same while they move. */
export function othersMove({ observed, expired }: Situation): Step | null {
  if (othersLate(observed) === 0 || othersHaveExpired(expired)) return null;
  return wait('agents', [], {
    text: 'wait until the agents of other machines have the addresses',
    reason: `Nobody should look for a controller where none is; ${count(othersLate(observed), 'agent')} had not taken them.`,
    otherwise: 'go on: who has not heard finds them by those that stay, or by the URL',
  });
}
