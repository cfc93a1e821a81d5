import type { Life } from '../src/membership/types.js';

/**
 * Who may have an instance ended, by the life of its machine: the one table. `destroy` ends everything, since the whole
 * environment is dying by then; `membership` is the planner, which asks for the silent one of two voters alone, where no
 * majority is left to write its verdict; neither is one for `recover`, which ends all controllers but the survivor.
 */
export const MAY_END = {
  provisioner: ['dead'],
  destroy: ['alive', 'dying', 'dead'],
  membership: ['alive', 'dying', 'dead'],
  recover: ['alive', 'dying', 'dead'],
} as const satisfies Record<string, readonly Life[]>;

export type Ender = keyof typeof MAY_END;

export function mayEnd(ender: Ender, life: Life): boolean {
  return (MAY_END[ender] as readonly Life[]).includes(life);
}
