import { Context } from '@temporalio/activity';
import type { Filter } from 'mongodb';
import { toOpen } from '../src/machines/open-ports.js';
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
export type Work = Upkeep | MachineWork;

export type MachineWork = {
  readonly machine: string;
  /** The machine's: how often a person has ended the pause after a failure. */
  readonly retries: number;
} & (
  | { readonly kind: 'start'; readonly nonce: string; readonly zone: string }
  | { readonly kind: 'terminate'; readonly nonce: string; readonly instance: string }
  | { readonly kind: 'forget' }
  | { readonly kind: 'open-ports'; readonly version: number }
);

/** Those that do what the documents say; the sentinel judges evidence and has a loop of its own. */
export type Follower = Exclude<Singleton, 'sentinel'>;

/** What each of them has to do on a machine, judged from the documents alone. */
const JUDGES: Record<Follower, (machine: MachineDocument, members: readonly MemberId[]) => MachineWork | null> = {
  provisioner: ({ _id: machine, life, instance, nonce, zone, retries = 0 }) => {
    if (life === 'alive' && instance === null) return { kind: 'start', machine, retries, nonce, zone };
    if (life === 'dead' && instance !== null && instance.state !== 'terminated') {
      return { kind: 'terminate', machine, retries, nonce, instance: instance.id };
    }
    return null;
  },
  // A pause after a failure is for the rules that failed.
  firewaller: (machine) => {
    const version = machine.ingress?.version ?? 0;
    return toOpen(machine) ? { kind: 'open-ports', machine: machine._id, retries: version, version } : null;
  },
  cleaner: ({ _id: machine, life, instance, memberId, retries = 0 }, members) =>
    life === 'dead' &&
    (instance === null || instance.state === 'terminated') &&
    // As long as it is a member, people are told whose.
    (memberId === null || !members.includes(memberId))
      ? { kind: 'forget', machine, retries }
      : null,
  publisher: () => null,
};

/** The machines that each of them may have to do something on: with thousands of others it is not read all of them. */
const CONCERNED: Record<Follower, Filter<MachineDocument>> = {
  provisioner: {
    $or: [
      { life: 'alive', instance: null },
      { life: 'dead', instance: { $ne: null } },
    ],
  },
  firewaller: { ingress: { $exists: true } },
  cleaner: { life: 'dead' },
  publisher: { _id: { $in: [] } },
};

/** What each of them has to hear of at once; all else is found by looking again. */
const FOLLOWED: Record<Follower, readonly Followed[]> = {
  provisioner: ['machines', 'environment'],
  firewaller: ['machines', 'environment'],
  cleaner: ['machines', 'environment'],
  publisher: ['addresses', 'environment'],
};

/** Who is not to be given out. */
export interface Held {
  /** Machines that are left alone for a while after a failure. */
  readonly resting: readonly string[];
  /** The retries of each of them when it failed: one more, and it is left alone no longer. */
  readonly retries?: Readonly<Record<string, number>>;
  /** Pieces of work that are under way. */
  readonly busy?: readonly Work[];
  /** So many pieces at most. */
  readonly most?: number;
}

/** The work there is on these machines; `members` are those of the replica set. */
export function workOn(
  singleton: Follower,
  machines: readonly MachineDocument[],
  members: readonly MemberId[],
): readonly MachineWork[] {
  return machines.flatMap((machine) => JUDGES[singleton](machine, members) ?? []);
}

/** The work that may be begun now. */
export function free(
  works: readonly Work[],
  { resting, retries = {}, busy = [], most = Number.POSITIVE_INFINITY }: Held,
): readonly Work[] {
  const rests = (work: Work) =>
    resting.includes(work.machine) && retriesOf(work) <= (retries[work.machine] ?? Number.POSITIVE_INFINITY);
  const begun = new Set(busy.map(identity));
  return works.filter((work) => !rests(work) && !begun.has(identity(work))).slice(0, most);
}

const retriesOf = (work: Work): number => ('retries' in work ? work.retries : 0);

/** All of it but the retries: a start in another zone or a newer address set is another piece than the one under way. */
function identity(work: Work): string {
  return JSON.stringify(Object.entries({ ...work, retries: 0 }).sort());
}

export type WorkActivities = ReturnType<typeof workActivities>;

export function workActivities({ state, self }: Network) {
  return {
    /**
     * Returns as soon as there is work, or with none after `forMs`. The change stream is opened before the documents are
     * read, so nothing that happens in between is missed and no place in the stream has to be handed on: whoever
     * continues after this worker reads the facts anew.
     */
    async followWork(input: FollowRequest): Promise<readonly Work[]> {
      const over = new AbortController();
      const ends = setTimeout(() => over.abort(), input.forMs);
      const signal = AbortSignal.any([over.signal, Context.current().cancellationSignal]);
      try {
        return await watching(self.machine, () => nextWork(state, input, signal));
      } finally {
        clearTimeout(ends);
        over.abort();
      }
    },
  };
}

export interface FollowRequest extends Held {
  readonly singleton: Follower;
  readonly forMs: number;
}

async function nextWork(state: State, request: FollowRequest, signal: AbortSignal): Promise<readonly Work[]> {
  const after = await currentToken(state, signal);
  if (after === null) return [];
  const { singleton } = request;
  const events = follow(state, FOLLOWED[singleton], { after, signal });
  for (let first = true; ; first = false) {
    const environment = await state.environment.findOne({});
    // Nothing is done while the environment is being destroyed.
    const alive = environment?.life === 'alive';
    const machines = alive ? await state.machines.find(CONCERNED[singleton]).toArray() : [];
    const members = machines.some(({ life }) => life === 'dead') ? await memberIds(state) : [];
    const beside = alive ? await upkeepOf(state, singleton, first) : [];
    const works = free([...workOn(singleton, machines, members), ...beside], request);
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
