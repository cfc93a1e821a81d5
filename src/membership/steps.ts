/** Steps with their words. */
import { isReconfig } from './config.js';
import { asKnown, memberById } from './facts.js';
import type { Situation } from './situation.js';
import type { Deed, Expired, MachineId, Observed, Step, WaitFor } from './types.js';
import { hasExpired, wait } from './waits.js';
import { machinesText, membersText } from './words.js';

/** A deed as a step, fenced with the config it was planned on where it follows from it. */
export function act(situation: Situation, deed: Deed, reason: string): Step {
  const { set, observed } = situation;
  const follows = isReconfig(deed) || ['hand-over', 'mark-dying', 'terminate'].includes(deed.kind);
  const fence = follows ? { version: set.version, term: set.term } : null;
  return { kind: 'do', deed, text: deedText(observed, deed), reason, fence };
}

export const blocked = (reason: string, wayOut: string): Step => ({ kind: 'blocked', reason, wayOut });

/** The wait, or once it has ended in vain: blocked, with the way out. */
export function waitOrBlock(
  expired: readonly Expired[],
  what: WaitFor,
  machines: readonly MachineId[],
  words: { readonly text: string; readonly reason: string },
  wayOut: string,
  deadlineMs?: number,
): Step {
  const over = machines.length === 0 ? hasExpired(expired, what) : machines.some((id) => hasExpired(expired, what, id));
  if (over) return blocked(words.reason, wayOut);
  return wait(what, machines, { ...words, otherwise: 'stop here and say so' }, deadlineMs);
}

/** A deed in words, as the checklist shows it. */
export function deedText(observed: Observed, deed: Deed): string {
  switch (deed.kind) {
    case 'add-machines':
      return `start ${machinesText(Array.from({ length: deed.count }, (_, i) => String(observed.next.machine + i)))}`;
    case 'add-jobs':
      return `give ${machinesText(deed.machines)} the jobs of a controller`;
    case 'join':
      return `add ${machinesText(deed.machines)} to the set, without ${deed.machines.length === 1 ? 'a vote' : 'votes'}`;
    case 'grant-vote':
      return `grant a vote to machine ${deed.machine}`;
    case 'withdraw-vote':
      return `withdraw the vote of ${named(observed, [deed.member])}`;
    case 'hand-over':
      return `hand the primary over to machine ${deed.machine}`;
    case 'equal-priority':
      return `give ${named(observed, deed.members)} the same priority as the others`;
    case 'set-timings':
      return `set the heartbeat interval to ${deed.timings.heartbeatMs} ms, the election timeout to ${deed.timings.electionMs} ms`;
    case 'remove-members':
      return `remove ${named(observed, deed.members)} from the set`;
    case 'publish':
      return `publish the addresses of ${deed.machines.join(', ')}`;
    case 'drop-jobs':
      return `take the controller's jobs from ${machinesText(deed.machines)}`;
    case 'renew-member':
      return `have machine ${deed.machine} start anew as a member, with an empty directory`;
    case 'mark-dying':
      return `write off ${machinesText(deed.machines)}`;
    case 'mark-dead':
      return `have ${machinesText(deed.machines)} terminated`;
    case 'terminate':
      return `terminate the instance of machine ${deed.machine}`;
    case 'force-survivor':
      return `make machine ${deed.machine} a set of its own`;
  }
}

const named = (observed: Observed, ids: readonly number[]): string =>
  membersText(ids.flatMap((id) => memberById(observed.set, id) ?? []).map((member) => asKnown(observed, member)));
