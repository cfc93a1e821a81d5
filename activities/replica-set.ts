import { ApplicationFailure } from '@temporalio/activity';
import { QuorateError } from '../src/errors.js';
import type { MachineId, MemberId } from '../src/membership/types.js';
import { execute, type HandOver, type Reconfig } from '../src/replicaset/execute.js';
import { forceSurvivor } from '../src/replicaset/force.js';
import type { ChangeDocument } from '../src/state/documents.js';
import { readEvenAlone } from '../src/state/even-alone.js';
import { deciding } from './decision.js';
import { type ActivityDeed, type DeedOf, type DeedOutcome, refusedAsStale } from './deed.js';
import type { Network } from './network.js';
import { hostOf, hostsOf } from './observe.js';
import { writeRecordBeside } from './record.js';

export type ReplicaSetActivities = ReturnType<typeof replicaSetActivities>;

/**
 * Deeds on the replica set, one activity a kind. The fence is the (version, term) of the config planned on: the executor
 * reads again, refuses when it differs, and MongoDB refuses whoever comes second.
 */
export function replicaSetActivities(network: Network) {
  const act = async (decision: ActivityDeed): Promise<DeedOutcome> => {
    const [outcome] = await Promise.all([apply(network, decision), writeRecordBeside(network, decision.record)]);
    return outcome;
  };
  return {
    join: act,
    grantVote: act,
    withdrawVote: act,
    equalPriority: act,
    setTimings: act,
    removeMembers: act,
    handOver: act,

    /**
     * A set of one, forced. Only the survivor's own machine may send it, so a worker elsewhere passes it on; a retry is the
     * same request and joins what the first one did.
     */
    async forceSurvivor({ deed, fence, record }: ActivityDeed): Promise<DeedOutcome> {
      const { machine, member: survivor } = deed as DeedOf<'force-survivor'>;
      if (fence === null) throw withoutFence(deed.kind);
      return await force(network, { machine, survivor, fence, change: record.id, needsNote: true });
    },
    /** The same for `recover`, where a person has accepted what may be lost, so that no note is asked for. */
    async forceRecovery(asked: Omit<Forcing, 'needsNote'>): Promise<DeedOutcome> {
      return await force(network, { ...asked, needsNote: false });
    },
  };
}

/** A set of one, to be forced on a machine's own member. */
export interface Forcing {
  readonly machine: MachineId;
  readonly survivor: MemberId;
  /** The config of the survivor that it was decided on. */
  readonly fence: { readonly version: number; readonly term: number };
  /** The change that decided it: with the config it makes the request's ID. */
  readonly change: string;
  readonly needsNote: boolean;
}

async function force(network: Network, { machine, survivor, fence, change, needsNote }: Forcing): Promise<DeedOutcome> {
  const { self } = network;
  if (machine !== self.machine) {
    throw ApplicationFailure.create({
      message: `only machine ${machine} may do this, not machine ${self.machine}`,
      type: 'NotTheSurvivor',
      nextRetryDelay: '200ms',
    });
  }
  return await deciding(async (decision) => {
    const { state } = network;
    const document = await readEvenAlone(state, (from) => state.machines.findOne({ _id: machine }, from));
    if (!document?.instance) throw new QuorateError('no-address', `Machine ${machine} has no address.`);
    const host = hostOf(document.instance);
    const requestId = `${change}/${fence.version}/${fence.term}`;
    decision.check();
    const { identity, recordFile } = self;
    return await refusedAsStale(() =>
      forceSurvivor({ requestId, survivor, fence, needsNote }, { host, identity, recordFile }),
    );
  });
}

async function apply(network: Network, planned: ActivityDeed): Promise<DeedOutcome> {
  const { fence } = planned;
  const deed = planned.deed as Reconfig | HandOver;
  if (fence === null) throw withoutFence(deed.kind);
  return await deciding(async (decision) => {
    const { machines: documents, changes } = network.state;
    const from = { readPreference: 'primaryPreferred' } as const;
    const [machines, change] = await Promise.all([
      // Members are few among thousands of machines.
      documents.find({ $or: [{ memberId: { $ne: null } }, { jobs: 'manage-state' }] }, from).toArray(),
      changes.findOne({ _id: planned.record.id }, from),
    ]);
    if (hasEnded(change)) return { applied: false, note: 'The change that decided on this has ended.' };
    const joiners = machines.flatMap(({ _id: machine, memberId, instance, zone }) =>
      memberId !== null && instance?.address ? [{ machine, memberId, host: hostOf(instance), zone }] : [],
    );
    decision.check();
    const { observer } = network;
    const hosts = hostsOf(network, machines);
    return await refusedAsStale(() => execute({ observer, hosts, deed, fence, joiners, signal: decision.signal }));
  });
}

/**
 * What the config does not fence: a deed of a change that was terminated by hand, which comes when the next one has found all as
 * wanted on the same config. A change that begins says so of those before it; one without a story yet runs.
 */
export const hasEnded = (change: Pick<ChangeDocument, 'state'> | null): boolean =>
  change !== null && change.state !== 'running';

function withoutFence(kind: string): QuorateError {
  return new QuorateError('no-fence', `${kind} came without the config that it was planned on.`);
}
