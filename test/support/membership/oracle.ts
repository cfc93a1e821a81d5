/**
 * The invariants once more, told from the outcome and not from the code that keeps them: what must be true of any step,
 * written for the tests alone and sharing nothing with `safety.ts`. Returns what is wrong; empty when nothing is.
 */
import type { Goal, Member, Observed, Step } from '../../../src/membership/types.js';

type Set = NonNullable<Observed['set']>;

const answering = (member: Member) => member.healthy && ['PRIMARY', 'SECONDARY'].includes(member.state);

function current(set: Set, member: Member): boolean {
  if (!answering(member)) return false;
  if (member.id === set.primary) return true;
  if (!member.optime || !set.reference) return false;
  const [a, b] = [member.optime, set.reference];
  return a.t !== b.t ? a.t > b.t : a.s !== b.s ? a.s > b.s : a.i >= b.i;
}

export function wrongs(observed: Observed, goal: Goal, step: Step): string[] {
  const wrong: string[] = [];
  const must = (holds: boolean, what: string) => holds || wrong.push(what);
  if (step.kind === 'blocked') {
    must(step.reason.endsWith('.') && step.wayOut !== '', 'blocked says why and what to do');
    must(!step.wayOut.includes('defect'), `no candidate step is refused: ${step.reason}`);
    return wrong;
  }
  must(step.text !== '', 'it has a text');
  const set = observed.set;
  const machine = (id: string | null) => observed.machines.find((one) => one.id === id);
  const voters = set?.members.filter((member) => member.votes === 1) ?? [];
  if (step.kind === 'done') {
    must(set?.primary !== null && set?.committed === true, 'done is settled');
    must(voters.length % 2 === 1, 'voters are odd at rest');
    must(JSON.stringify(set?.timings) === JSON.stringify(observed.timings), 'the timings are as wanted');
    if (goal.settle) {
      const primary = set?.members.find((member) => member.id === set.primary);
      must(goal.primary === null || primary?.machine === goal.primary, 'the one that was asked for is primary');
      return wrong;
    }
    must(voters.length === goal.controllers && set?.members.length === goal.controllers, 'done is as many as wanted');
    must(
      voters.every((member) => answering(member) || machine(member.machine)?.maintenance),
      'all are healthy when done',
    );
    const machines = voters
      .map((member) => member.machine)
      .sort()
      .join();
    must([...observed.addresses.machines].sort().join() === machines, 'the addresses are those of the controllers');
    must(
      observed.machines.every(
        (machine) =>
          voters.some((member) => member.machine === machine.id) ||
          !machine.jobs.includes('manage-state') ||
          machine.life === 'dead',
      ),
      'nobody else has the job',
    );
    return wrong;
  }
  if (step.kind === 'wait') {
    must(Number.isFinite(step.deadlineMs) && step.deadlineMs >= 0, 'a wait ends');
    must(step.otherwise !== '' && step.reason.trim() !== '', 'a wait says what then');
    return wrong;
  }
  const { deed } = step;
  if (deed.kind === 'force-survivor' || deed.kind === 'terminate') {
    const silent = voters.find((member) =>
      deed.kind === 'terminate' ? member.machine === deed.machine : member.id !== deed.member && !answering(member),
    );
    const holds = (member: Member) => (member.optime ? [member.optime.t, member.optime.s, member.optime.i] : [-1]);
    const before = (a: readonly number[], b: readonly number[]) => {
      const at = a.findIndex((part, i) => part !== b[i]);
      return at >= 0 && (a[at] as number) < (b[at] as number);
    };
    const others = set?.members.filter((member) => member !== silent) ?? [];
    const survivor =
      deed.kind === 'force-survivor'
        ? others.find((member) => member.id === deed.member)
        : others.find((member) => answering(member) && !others.some((other) => before(holds(member), holds(other))));
    const other = silent;
    must(voters.length === 2 && set?.primary === null, 'forced only among two without a primary');
    must(survivor !== undefined && answering(survivor), 'forced only on one that answers');
    must(
      others.every((member) => ['STARTUP', 'STARTUP2'].includes(member.state) || answering(member)),
      'forced only with all others asked',
    );
    must(
      others.every((member) => survivor !== undefined && !before(holds(survivor), holds(member))),
      'forced only on one that holds most',
    );
    must(
      set?.notes.some((note) => note.member === survivor?.id && note.version === set.version && note.noted) === true,
      'forced only with the note',
    );
    must(
      deed.kind === 'terminate' || machine(other?.machine ?? null)?.instance === 'terminated',
      'forced only when the other is terminated',
    );
    return wrong;
  }
  if (set === null) return [...wrong, 'nothing is done without a set'];
  must(set.primary !== null, 'nothing is done without a primary');
  let after = voters;
  if (deed.kind === 'grant-vote') after = [...voters, ...set.members.filter((member) => member.id === deed.member)];
  if (deed.kind === 'withdraw-vote') after = voters.filter((member) => member.id !== deed.member);
  if (deed.kind === 'remove-members') after = voters.filter((member) => !deed.members.includes(member.id));
  if (['grant-vote', 'withdraw-vote', 'remove-members', 'join', 'equal-priority', 'set-timings'].includes(deed.kind)) {
    must(set.committed && set.unsettled === null, 'a reconfig only on a committed, settled set');
    must(step.fence?.version === set.version && step.fence.term === set.term, 'a reconfig is fenced');
    must(Math.abs(after.length - voters.length) <= 1, 'one vote at a time');
    const healthy = after.filter(
      (member) =>
        answering(member) && member.cutOffMs === undefined && (machine(member.machine)?.life ?? 'dead') !== 'dead',
    );
    must(healthy.length > after.length / 2, 'a majority of the new voters is healthy');
    must(
      after.some((member) => member.id === set.primary),
      'the primary stays a voter',
    );
    must(after.length <= 7, 'at most seven vote');
  }
  if (deed.kind === 'grant-vote' || deed.kind === 'hand-over') {
    must(
      set.members.some((member) => member.id === deed.member && current(set, member)),
      'only to one that is caught up',
    );
  }
  if (deed.kind === 'grant-vote' && voters.length % 2 === 1) {
    const newcomers = set.members.filter((member) => {
      const of = machine(member.machine);
      return (
        member.votes === 0 && of?.life === 'alive' && of.memberId === member.id && of.jobs.includes('manage-state')
      );
    });
    const all = voters.length + newcomers.length <= goal.controllers;
    must(!all || newcomers.every((member) => current(set, member)), 'all are ready before the first gets its vote');
  }
  if (deed.kind === 'withdraw-vote') {
    must(after.filter((member) => current(set, member)).length > after.length / 2, 'a caught-up majority remains');
  }
  if (deed.kind === 'remove-members') must(after.length === voters.length, 'votes go before membership');
  if (deed.kind === 'drop-jobs') {
    must(
      !deed.machines.some((id) =>
        set.members.some((member) => member.machine === id && member.id === machine(id)?.memberId),
      ),
      'membership goes before jobs',
    );
    must(!deed.machines.some((id) => observed.addresses.machines.includes(id)), 'addresses go before processes');
  }
  if (deed.kind === 'hand-over')
    must(
      set.members.find(({ id }) => id === deed.member)?.cutOffMs === undefined,
      'no heir is cut off from the primary',
    );
  if (deed.kind === 'hand-over') must(machine(deed.machine)?.maintenance === false, 'no heir is under maintenance');
  if (deed.kind === 'mark-dying') {
    for (const id of deed.machines) {
      const one = machine(id);
      must(
        !one?.maintenance || one.instance === 'terminated' || one.agent === 'pending',
        'maintenance is no loss, whatever is silent',
      );
      const member = set.members.find((other) => other.machine === id && other.id === one?.memberId);
      must(
        one?.instance === 'terminated' || (one?.agent !== 'started' && !(member && answering(member))),
        'nothing that answers is written off',
      );
    }
  }
  if (deed.kind === 'add-machines')
    must(deed.count >= 1 && deed.count <= goal.controllers, 'no more machines than wanted');
  return wrong;
}
