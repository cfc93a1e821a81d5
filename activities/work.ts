import { Context } from '@temporalio/activity';
import type { MemberId } from '../src/membership/types.js';
import { readAddresses } from '../src/state/addresses.js';
import { readBucket } from '../src/state/bucket.js';
import type { MachineDocument } from '../src/state/documents.js';
import { currentToken, type Followed, follow } from '../src/state/follow.js';
import type { State } from '../src/state/state.js';
import { readKept } from '../src/state/sweep.js';
import type { Singleton } from '../src/temporal/names.js';
import type { Network } from './network.js';
import { toPublish, toSweep, type Upkeep } from './upkeep.js';
import { watching } from './watching.js';

/** One piece of work of a singleton, on one machine or beside them. */
export type Work =
  | Upkeep
  | { readonly kind: 'start'; readonly machine: string; readonly nonce: string }
  | { readonly kind: 'terminate'; readonly machine: string; readonly instance: string; readonly nonce: string }
  | { readonly kind: 'forget'; readonly machine: string };

/** Those that do what the documents say; the sentinel judges evidence and has a loop of its own. */
export type Follower = Exclude<Singleton, 'sentinel'>;

/** What each of them has to do on a machine, judged from the documents alone. */
const JUDGES: Record<Follower, (machine: MachineDocument, members: readonly MemberId[]) => Work | null> = {
  provisioner: ({ _id: machine, life, instance, nonce }) => {
    if (life === 'alive' && instance === null) return { kind: 'start', machine, nonce };
    if (life === 'dead' && instance !== null && instance.state !== 'terminated') {
      return { kind: 'terminate', machine, instance: instance.id, nonce };
    }
    return null;
  },
  cleaner: ({ _id: machine, life, instance, memberId }, members) =>
    life === 'dead' &&
    (instance === null || instance.state === 'terminated') &&
    // As long as it is a member, people are told whose.
    (memberId === null || !members.includes(memberId))
      ? { kind: 'forget', machine }
      : null,
  publisher: () => null,
};

/** What each of them has to hear of at once; all else is found by looking again. */
const FOLLOWED: Record<Follower, readonly Followed[]> = {
  provisioner: ['machines', 'environment'],
  cleaner: ['machines', 'environment'],
  publisher: ['addresses', 'environment'],
};

/** The work there is on these machines; `members` are those of the replica set. */
export function workOn(
  singleton: Follower,
  machines: readonly MachineDocument[],
  members: readonly MemberId[],
  resting: readonly string[],
): readonly Work[] {
  return machines.flatMap((machine) =>
    resting.includes(machine._id) ? [] : (JUDGES[singleton](machine, members) ?? []),
  );
}

export type WorkActivities = ReturnType<typeof workActivities>;

export function workActivities({ state, self }: Network) {
  return {
    /**
     * Returns as soon as there is work, or with none after `forMs`. The change stream is opened before the documents are
     * read, so nothing that happens in between is missed and no place in the stream has to be handed on: whoever
     * continues after this worker reads the facts anew.
     */
    async followWork(input: {
      readonly singleton: Follower;
      readonly resting: readonly string[];
      readonly forMs: number;
    }): Promise<readonly Work[]> {
      const over = new AbortController();
      const ends = setTimeout(() => over.abort(), input.forMs);
      const signal = AbortSignal.any([over.signal, Context.current().cancellationSignal]);
      try {
        return await watching(self.machine, () => nextWork(state, input.singleton, input.resting, signal));
      } finally {
        clearTimeout(ends);
        over.abort();
      }
    },
  };
}

async function nextWork(
  state: State,
  singleton: Follower,
  resting: readonly string[],
  signal: AbortSignal,
): Promise<readonly Work[]> {
  const after = await currentToken(state, signal);
  if (after === null) return [];
  const events = follow(state, FOLLOWED[singleton], { after, signal });
  for (let first = true; ; first = false) {
    const environment = await state.environment.findOne({});
    // Nothing is done while the environment is being destroyed.
    const machines = environment?.life === 'alive' ? await state.machines.find({}).toArray() : [];
    const members = machines.some(({ life }) => life === 'dead') ? await memberIds(state) : [];
    const beside = environment?.life === 'alive' ? await upkeepOf(state, singleton, first) : [];
    const works = [
      ...workOn(singleton, machines, members, resting),
      ...beside.filter(({ machine }) => !resting.includes(machine)),
    ];
    if (works.length > 0 || (await events.next()).done) return works;
  }
}

/** What outlived its machine is looked for once a round: nothing tells of it, and nobody waits for it. */
async function upkeepOf(state: State, singleton: Follower, first: boolean): Promise<readonly Upkeep[]> {
  if (singleton === 'publisher') {
    const [{ version }, bucket] = await Promise.all([readAddresses(state), readBucket(state)]);
    const work = toPublish(version, bucket);
    return work === null ? [] : [work];
  }
  if (singleton !== 'cleaner' || !first) return [];
  const [kept, bucket] = await Promise.all([readKept(state), readBucket(state)]);
  return toSweep(kept, bucket);
}

async function memberIds(state: State): Promise<MemberId[]> {
  const { config } = await state.client.db('admin').command({ replSetGetConfig: 1 }, { readPreference: 'primary' });
  return (config.members as { _id: MemberId }[]).map(({ _id }) => _id);
}
