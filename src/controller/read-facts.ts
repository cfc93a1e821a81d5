import { QuorateError } from '../errors.js';
import { isPassing } from '../state/passing.js';
import type { PresenceObserver } from '../state/presence-observer.js';
import type { State } from '../state/state.js';
import type { Facts, MemberFacts } from './facts.js';
import type { Reading } from './reading.js';

interface StatusMember {
  readonly _id: number;
  readonly name: string;
  readonly health: number;
  readonly stateStr: string;
  readonly lastAppliedWallTime?: Date;
}

interface ConfigMember {
  readonly _id: number;
  readonly host: string;
  readonly votes: number;
  readonly tags?: { readonly machine?: string };
}

/** Reads everything that the status is computed from, at one go. */
export async function readFacts(
  state: State,
  observer: PresenceObserver,
  self: string,
  reading: Reading,
): Promise<Facts> {
  const { options } = reading;
  const [environment, machines, presence, running, refused, members, databaseTime, evidence] = await Promise.all([
    state.environment.findOne({}, options),
    reading.machines(),
    reading.presence(),
    state.changes.find({ state: 'running' }, options).toArray(),
    state.tokens.find({ 'refusedFrom.0': { $exists: true } }, options).toArray(),
    readMembers(state, reading),
    readTime(state, reading),
    state.evidence.findOne({}, options),
  ]);
  if (environment === null) {
    throw new QuorateError('no-quorum', 'The state has not been seeded yet.', { todo: 'Ask again in a moment.' });
  }
  const silentMs = Object.fromEntries(machines.map(({ _id }) => [_id, observer.silentMs(_id)]));
  const { stale } = reading;
  const primaryElsewhere = stale ? state.view.namedByOthers : null;
  const documents = { environment, machines, presence, running, refused, evidence };
  return { self, stale, primaryElsewhere, ...documents, silentMs, members, databaseTime };
}

/** What the member that is asked says of all; the primary when there is one. */
export async function readMembers(state: State, reading: Pick<Reading, 'stale' | 'options'>): Promise<MemberFacts[]> {
  const admin = state.client.db('admin');
  const { readPreference } = reading.options;
  try {
    const [status, { config }] = await Promise.all([
      admin.command({ replSetGetStatus: 1 }, { readPreference }),
      admin.command({ replSetGetConfig: 1 }, { readPreference }),
    ]);
    const seen = status.members as StatusMember[];
    const primary = seen.find(({ stateStr }) => stateStr === 'PRIMARY');
    return (config.members as ConfigMember[]).map(({ _id, host, votes, tags }) => {
      const member = seen.find((candidate) => candidate._id === _id);
      const up = member?.health === 1;
      return {
        id: _id,
        machine: tags?.machine ?? null,
        host,
        vote: votes > 0,
        state: member === undefined ? 'UNKNOWN' : up ? member.stateStr : 'DOWN',
        healthy: up && (member.stateStr === 'PRIMARY' || member.stateStr === 'SECONDARY'),
        lagSeconds: up ? lag(primary, member) : null,
      };
    });
  } catch (error) {
    // A member that is no part of the set, or not yet, has no view of it; what it remembers is shown all the same.
    if (isPassing(error) || !reading.stale) throw error;
    return [];
  }
}

async function readTime(state: State, { options: { readPreference } }: Reading): Promise<Date> {
  return (await state.client.db('admin').command({ hello: 1 }, { readPreference })).localTime as Date;
}

function lag(primary: StatusMember | undefined, member: StatusMember): number | null {
  if (!primary?.lastAppliedWallTime || !member.lastAppliedWallTime) return null;
  const ms = primary.lastAppliedWallTime.getTime() - member.lastAppliedWallTime.getTime();
  return Math.max(0, ms) / 1000;
}
