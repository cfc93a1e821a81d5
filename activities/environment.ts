import { Context } from '@temporalio/activity';
import type { Deed } from '../src/membership/types.js';
import { publish } from '../src/state/addresses.js';
import { type BucketDone, recordBucket } from '../src/state/bucket.js';
import type { Fence } from '../src/state/fence.js';
import type { InstanceRecord } from '../src/state/instance-record.js';
import {
  addControllers,
  addJobs,
  dropJobs,
  forgetMachine,
  markDead,
  markDying,
  recordInstance,
  renewMember,
  setEnvironmentDying,
} from '../src/state/machines.js';
import type { State } from '../src/state/state.js';
import { type Swept, sweep } from '../src/state/sweep.js';
import { leaveZone } from '../src/state/zones.js';
import { deciding } from './decision.js';
import { type ActivityDeed, type DeedOf, type DeedOutcome, refusedAsStale } from './deed.js';
import type { Network } from './network.js';
import { beginStory, type ChangeRecord, writeRecord, writeRecordBeside } from './record.js';

export type EnvironmentActivities = ReturnType<typeof environmentActivities>;

/**
 * Changes of the environment's documents. Deeds carry the version of the environment's document that they were planned
 * on; everything carries the epoch.
 */
export function environmentActivities(network: Network) {
  const { state, fence } = network;
  /** An activity for one kind of deed on the documents. */
  const deed =
    <K extends Deed['kind']>(
      apply: (state: State, fence: Fence, deed: DeedOf<K>, evidence: ActivityDeed['evidence']) => Promise<unknown>,
    ) =>
    async (decision: ActivityDeed): Promise<DeedOutcome> => {
      const planned = { ...fence, environmentVersion: decision.environmentVersion };
      const outcome = await deciding(async (right) => {
        right.check();
        return await refusedAsStale(() => apply(state, planned, decision.deed as DeedOf<K>, decision.evidence));
      });
      await writeRecordBeside(network, decision.record);
      return outcome;
    };

  return {
    addMachines: deed<'add-machines'>((state, fence, { count, zones }) =>
      addControllers(state, fence, { count, zones }),
    ),
    addJobs: deed<'add-jobs'>((state, fence, { machines }) => addJobs(state, fence, machines)),
    publish: deed<'publish'>((state, fence, { machines }) => publish(state, fence, machines)),
    dropJobs: deed<'drop-jobs'>((state, fence, { machines }) => dropJobs(state, fence, machines)),
    renewMember: deed<'renew-member'>((state, fence, { machine }) => renewMember(state, fence, machine)),
    markDying: deed<'mark-dying'>((state, fence, { machines }, evidence) =>
      markDying(state, fence, machines, Object.fromEntries(machines.map((id) => [id, evidence[id] ?? 0]))),
    ),
    markDead: deed<'mark-dead'>((state, fence, { machines }) => markDead(state, fence, machines)),

    /** Begins the change's story and remembers how many controllers were asked for, if any were. */
    async begin({ record, desired }: { record: ChangeRecord; desired: number | null }) {
      const { id, kind, summary, workflowId, url, by, startedAt } = record;
      const asked = desired === null ? {} : { desired };
      const said = { id, kind, summary, workflowId, url, by, startedAt, ...asked };
      const { number } = await beginStory(network, said);
      const environment = await state.environment.findOne({});
      return { number, desired: environment?.desired ?? null };
    },

    async recordChange(record: ChangeRecord): Promise<void> {
      await writeRecord(network, record);
    },

    async recordInstance({ machine, nonce, instance, error }: InstanceFound): Promise<void> {
      Context.current().heartbeat();
      await recordInstance(state, fence, { id: machine, nonce }, instance ?? { error });
    },

    /** Whether another zone is to be tried for a machine that found no room; what it comes to is written down. */
    async leaveZone({ machine, nonce, zone }: { machine: string; nonce: string; zone: string }): Promise<boolean> {
      return await leaveZone(state, fence, { id: machine, nonce, zone });
    },

    async forget({ machine }: { machine: string }): Promise<void> {
      await forgetMachine(state, fence, machine);
    },

    /** Answers how many of these documents were there to be removed. */
    async sweep({ what, ids }: { what: Swept; ids: readonly string[] }): Promise<number> {
      return await sweep(state, fence, what, ids);
    },

    async recordBucket(done: BucketDone): Promise<void> {
      await recordBucket(state, fence, done);
    },

    async setDying(): Promise<void> {
      await setEnvironmentDying(state, fence);
    },
  };
}

/** What became of a machine's instance, or why it could not be started. */
export interface InstanceFound {
  readonly machine: string;
  readonly nonce: string;
  readonly instance: InstanceRecord | null;
  readonly error: string;
}
