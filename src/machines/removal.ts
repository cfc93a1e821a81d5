import { QuorateError } from '../errors.js';
import type { Job, Life, MachineId } from '../membership/types.js';

/** What a machine's removal is judged from. */
export interface RemovalSeen {
  readonly machine: {
    readonly id: MachineId;
    readonly life: Life;
    readonly jobs: readonly Job[];
    /** What the cloud said of its instance last; null: it has none. */
    readonly instance: string | null;
  };
  /** Its agent was heard of at least once. */
  readonly heard: boolean;
  /** Its member has a vote. */
  readonly votes: boolean;
  /** All machines that are controllers and alive. */
  readonly controllers: readonly MachineId[];
  readonly force: boolean;
}

/**
 * What a machine's life becomes when somebody asks for its removal: dying, as long as its agent has to finish; dead at once
 * where nothing is left to finish, or where nobody is to wait for it. Refuses what is not removed so.
 */
export function removalOf(seen: RemovalSeen): 'dying' | 'dead' {
  const { machine, heard, force } = seen;
  const { id, life, instance } = machine;
  refuseController(seen);
  if (life === 'dead') {
    throw new QuorateError('machine-not-alive', `Machine ${id} is dead already; its instance is being ended.`, {
      todo: 'See what is left with: quorate machines',
    });
  }
  if (force || !heard || instance === null || instance === 'terminated') return 'dead';
  if (life === 'alive') return 'dying';
  throw new QuorateError('machine-not-alive', `Machine ${id} is dying already: its agent has not finished yet.`, {
    todo: `End its instance without waiting for that: quorate remove-machine ${id} --force`,
  });
}

/** Controllers leave by a change of membership, which sees to their votes first. */
function refuseController({ machine: { id, jobs, life }, votes, controllers }: RemovalSeen): void {
  const controls = jobs.includes('manage-state') || jobs.includes('manage-environ');
  if (life !== 'alive' && !jobs.includes('host-units')) {
    throw new QuorateError('is-controller', `Machine ${id} is ${life}: it was a controller, and its change ends it.`, {
      todo: 'Follow that with: quorate status',
    });
  }
  if (!controls && votes) {
    throw new QuorateError('is-controller', `The member of machine ${id} still votes.`, {
      todo: 'Put the voters right first: quorate enable-ha',
    });
  }
  if (!controls) return;
  if (controllers.length <= 1) {
    throw new QuorateError('is-controller', `Machine ${id} is the only controller; without it nothing is left.`, {
      todo: `Have others first: quorate enable-ha      or end all of it: quorate destroy-environment`,
    });
  }
  const other = controllers.find((each) => each !== id);
  const fewer =
    controllers.length > 3 ? `quorate enable-ha -n ${controllers.length - 2}` : `quorate disable-ha --keep ${other}`;
  const then = jobs.includes('host-units') ? `, then: quorate remove-machine ${id}` : '';
  throw new QuorateError('is-controller', `Machine ${id} is a controller, and its vote has to go first.`, {
    todo: `Have another one in its place: quorate replace ${id}      or fewer of them: ${fewer}${then}`,
  });
}
