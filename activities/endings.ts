import type { Status } from '../src/api/status.js';
import { QuorateError } from '../src/errors.js';
import type { Life } from '../src/membership/types.js';

/**
 * Who may have an instance ended, by the life of its machine: the one table. `destroy` ends everything, since the whole
 * environment is dying by then. Where no majority is left to say what a machine's document says, that there is none still
 * takes the place of its life: `membership` is the planner, which asks for the silent one of two voters alone, and `recover`
 * ends all controllers but the survivor. `leftovers` are instances that belong to no machine at all.
 */
export const MAY_END = {
  provisioner: ['dead'],
  destroy: ['alive', 'dying', 'dead'],
  membership: 'no majority',
  recover: 'no majority',
  leftovers: 'no machine',
} as const satisfies Record<string, readonly Life[] | 'no majority' | 'no machine'>;

export type Ender = keyof typeof MAY_END;
/** Those who end an instance where no majority is left to say what its document says. */
export type EnderWithoutMajority = { [E in Ender]: (typeof MAY_END)[E] extends 'no majority' ? E : never }[Ender];

export const endsWithoutMajority = (ender: Ender): ender is EnderWithoutMajority => MAY_END[ender] === 'no majority';

export function mayEnd(ender: Exclude<Ender, EnderWithoutMajority | 'leftovers'>, life: Life): boolean {
  return (MAY_END[ender] as readonly Life[]).includes(life);
}

/**
 * What fences such an end when it comes late: that there is no majority still, and for the planner that no more than two vote.
 * `ha` is null when no controller could be asked, so that none has a majority to use. Throws `has-majority`, which ends a
 * recovery, or for the planner `not-yet`: it looks again.
 */
export function checkNoMajority(
  ender: EnderWithoutMajority,
  ha: Pick<Status['ha'], 'primary' | 'voters'> | null,
): void {
  if (ha === null) return;
  const code = ender === 'recover' ? 'has-majority' : 'not-yet';
  if (ha.primary !== null) {
    throw new QuorateError(code, `Machine ${ha.primary} is primary: there is a majority, so nothing is fenced.`);
  }
  if (ender === 'membership' && ha.voters > 2) {
    throw new QuorateError(code, `${ha.voters} vote by now: the one that was silent is no longer one of two.`);
  }
}

/** What fences the end of a leftover: the machine of its tag is not known, or has another instance. Throws `may-not-end`. */
export function checkNoOwner(
  { machine, instance }: { readonly machine: string; readonly instance: string | null },
  document: { readonly instance: string } | null,
): void {
  if (document === null || (document.instance !== '' && document.instance !== instance)) return;
  throw new QuorateError('may-not-end', `Instance ${instance} may belong to machine ${machine}: it is not ended.`);
}
