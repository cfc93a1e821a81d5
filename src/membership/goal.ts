import {
  answers,
  byId,
  isCaughtUp,
  isController,
  isCutOff,
  isVoter,
  machineOf,
  memberById,
  memberOf,
  votersOf,
} from './facts.js';
import { canBecomeController } from './seats.js';
import { wasController } from './situation.js';
import { order } from './succession.js';
import type { Goal, MachineId, Member, Observed, ReplicaSet } from './types.js';

/** What a person asked for, as it was typed. */
export interface Asked {
  /** `-n`; absent: what was asked for before, at least 3. */
  readonly n?: string | number;
  readonly to?: readonly MachineId[];
  readonly keep?: readonly MachineId[];
  readonly avoid?: readonly MachineId[];
}

export type Result<T> =
  | ({ readonly ok: true } & T)
  | { readonly ok: false; readonly message: string; readonly todo: string };

const MOST = 7;
const no = (message: string, todo: string) => ({ ok: false, message, todo }) as const;

/** How many controllers were asked for, if so many can be had: 1, 3, 5 or 7. */
export function controllersOf(typed: string | number): Result<{ readonly controllers: number }> {
  const text = String(typed).trim();
  const cannot = `${text} controllers cannot be had`;
  if (!/^[+-]?\d+$/.test(text)) return no(`"${text}" is no number of controllers.`, 'Ask for 1, 3, 5 or 7.');
  const n = Number(text);
  if (n <= 0) return no(`${cannot}: an environment has at least one.`, 'Ask for 1, 3, 5 or 7.');
  if (n > MOST) return no(`${cannot}: at most seven members of a replica set vote.`, 'Ask for 7 or fewer.');
  if (n % 2 === 0) return no(`${cannot}: a majority needs an odd number.`, `Ask for ${n - 1} or ${n + 1}.`);
  return { ok: true, controllers: n };
}

/**
 * The goal of enable-ha (and of `-n` up and down). `desired` is what was asked for before.
 * Those that `--to` names are among the controllers in the end, so there must be room for them.
 */
export function goalFor(observed: Observed, asked: Asked, desired: number): Result<{ readonly goal: Goal }> {
  const sized =
    asked.n === undefined ? { ok: true as const, controllers: Math.max(3, desired) } : controllersOf(asked.n);
  if (!sized.ok) return sized;
  const { controllers } = sized;
  const to = [...new Set(asked.to ?? [])];
  const avoid = [...new Set(asked.avoid ?? [])];
  const keep = [...new Set(asked.keep ?? [])];
  for (const id of [...keep, ...avoid]) {
    const machine = machineOf(observed, id);
    if (machine === undefined || !isController(machine))
      return no(`Machine ${id} is no controller.`, listControllers(observed));
    if (keep.includes(id) && avoid.includes(id)) return no(`Machine ${id} cannot both stay and go.`, 'Name it once.');
  }
  for (const id of to) {
    const machine = machineOf(observed, id);
    if (machine === undefined) return no(`There is no machine ${id}.`, 'See them with: quorate machines');
    if (isController(machine))
      return no(`Machine ${id} is a controller already.`, 'Name machines that are none, or leave --to out.');
    if (!canBecomeController(machine))
      return no(`Machine ${id} is on its way out.`, 'Name another one. See them with: quorate machines');
    if (machine.agent !== 'started')
      return no(`The agent of machine ${id} is not heard.`, 'Name another one. See them with: quorate machines');
  }
  const there = observed.machines.filter((machine) => isController(machine) && !avoid.includes(machine.id)).length;
  const room = Math.max(0, controllers - there);
  if (to.length > room) {
    return no(
      `--to names ${to.length} ${to.length === 1 ? 'machine' : 'machines'}, and ${room === 0 ? 'no controller is' : `${room} more ${room === 1 ? 'is' : 'are'}`} missing from ${controllers}.`,
      'Ask for more with -n, or leave some out.',
    );
  }
  if (keep.length > controllers) {
    return no(
      `${keep.length} machines cannot stay where ${controllers} ${controllers === 1 ? 'is' : 'are'} wanted.`,
      'Keep fewer, or ask for more with -n.',
    );
  }
  return { ok: true, goal: { controllers, keep, avoid, to, settle: false, primary: null } };
}

/** The goal of disable-ha: one controller, the one named or the present primary. */
export function goalForOne(observed: Observed, keep?: MachineId): Result<{ readonly goal: Goal }> {
  const chosen = keep ?? primaryMachine(observed);
  return goalFor(observed, { n: 1, keep: chosen === null ? [] : [chosen] }, 1);
}

/** The goal of a change that adds and removes nobody, where so many vote. */
export const goalAsItIs = (voters: number): Goal => ({
  controllers: voters,
  keep: [],
  avoid: [],
  to: [],
  settle: true,
  primary: null,
});

/** The goal of the sentinel: as many as were asked for; who is lost is judged anew from each round's own facts. */
export const goalToRestore = (desired: number): Goal => ({ ...goalAsItIs(desired), settle: false });

/** The goal of replace: as many as before, and not this one. */
export function goalForReplace(observed: Observed, id: MachineId, desired: number): Result<{ readonly goal: Goal }> {
  const machine = machineOf(observed, id);
  if (machine === undefined) return no(`There is no machine ${id}.`, listControllers(observed));
  if (machine.life !== 'alive' && wasController(machine)) {
    return no(`Machine ${id} is on its way out already.`, 'See what replaces it with: quorate status');
  }
  if (!isController(machine)) return no(`Machine ${id} is no controller.`, listControllers(observed));
  if (observed.machines.filter(isController).length === 1) {
    return no(`Machine ${id} is the only controller.`, 'Have more of them first, with: quorate enable-ha');
  }
  return { ok: true, goal: { ...goalToRestore(desired), avoid: [id] } };
}

/**
 * The goal of switchover: the named controller becomes primary, or the first in the order of succession that could at once.
 * Refused for one that could not take over now.
 */
export function goalForSwitchover(observed: Observed, to?: MachineId): Result<{ readonly goal: Goal }> {
  const { set } = observed;
  if (set === null || set.primary === null) {
    return no('No member is primary, so nothing can be handed over.', 'See why with: quorate status');
  }
  const voters = votersOf(set);
  if (to === undefined && voters.length < 2) {
    const only = primaryMachine(observed);
    return no(`Machine ${only} is the only controller.`, 'Have more of them first, with: quorate enable-ha');
  }
  const heirs = successors(observed, set);
  const able = to ?? heirs.find((id) => whyNoHeir(observed, set, id) === null);
  if (able === undefined) {
    const reasons = heirs.map((id) => whyNoHeir(observed, set, id)?.message ?? '');
    return no(
      ['No other controller could take over now.', ...reasons].join(' '),
      'See more with: quorate show-controller',
    );
  }
  // Between two votes the nearest odd number is the next one up, where the one that is asked for keeps its vote.
  const odd = voters.length % 2 === 0 ? voters.length + 1 : voters.length;
  return whyNoHeir(observed, set, able) ?? { ok: true, goal: { ...goalAsItIs(odd), primary: able } };
}

/** Machines whose members could become primary by the config alone, in the order of succession. */
function successors(observed: Observed, set: ReplicaSet): readonly MachineId[] {
  const zone = (member: Member) => machineOf(observed, member.machine)?.zone ?? '';
  const members = set.members.map((member) => ({ ...member, zone: zone(member) }));
  return order({ primary: set.primary, members }).flatMap((id) => {
    const machine = memberById(set, id)?.machine ?? null;
    return machine !== null && memberOf(observed, machine)?.id === id ? [machine] : [];
  });
}

/** Why this machine's member cannot become primary now; null when it can. */
function whyNoHeir(observed: Observed, set: ReplicaSet, id: MachineId): ReturnType<typeof no> | null {
  const another = 'Name another one, or leave --to out.';
  const machine = machineOf(observed, id);
  if (machine === undefined) return no(`There is no machine ${id}.`, listControllers(observed));
  if (machine.life !== 'alive' && wasController(machine)) return no(`Machine ${id} is on its way out.`, another);
  if (!isController(machine)) return no(`Machine ${id} is no controller.`, listControllers(observed));
  const member = memberOf(observed, id);
  if (member !== undefined && member.id === set.primary) return no(`Machine ${id} is primary already.`, another);
  if (votersOf(set).length < 2) {
    return no(`Machine ${primaryMachine(observed)} is the only controller that votes.`, 'Wait until more of them do.');
  }
  if (machine.maintenance) {
    return no(`Machine ${id} is under maintenance.`, `End it with: quorate maintenance ${id} --end`);
  }
  if (member === undefined || !isVoter(member)) return no(`Machine ${id} does not vote.`, another);
  if (!answers(member)) return no(`The member of machine ${id} does not answer.`, another);
  if (isCutOff(member)) return no(`The member of machine ${id} is cut off from the primary.`, another);
  if (machine.agent !== 'started') return no(`The agent of machine ${id} is not heard.`, another);
  if (!isCaughtUp(set, member)) {
    const lag = member.lagMs === null ? '' : `, by ${Math.ceil(member.lagMs / 1000)} s`;
    return no(`Machine ${id} lags behind the primary${lag}.`, 'Wait until it has caught up, or name another one.');
  }
  return null;
}

/** The machine whose member is primary, if one is and its machine is known. */
export function primaryMachine(observed: Observed): MachineId | null {
  const primary = observed.set?.primary;
  if (primary === null || primary === undefined) return null;
  return memberById(observed.set, primary)?.machine ?? null;
}

function listControllers(observed: Observed): string {
  const ids = [...observed.machines]
    .sort(byId)
    .filter(isController)
    .map((machine) => machine.id);
  return `The controllers are ${ids.join(', ')}.`;
}
