import type { RecoveryView } from '../src/membership/recovery.js';
import type { MachineId } from '../src/membership/types.js';
import { survey } from '../src/replicaset/survey.js';
import { markDead, markDying } from '../src/state/machines.js';
import type { Network } from './network.js';
import { hostsOf } from './observe.js';

export type RecoveryActivities = ReturnType<typeof recoveryActivities>;

const CONTROLLER_JOBS = ['manage-state', 'manage-environ'] as const;

export function recoveryActivities(network: Network) {
  const { state, observer, fence } = network;
  const controllers = { jobs: { $in: [...CONTROLLER_JOBS] } };
  return {
    /** What every member holds, and what the documents say, which without a majority may be old. */
    async surveyMembers(): Promise<RecoveryView> {
      const from = { readPreference: 'primaryPreferred' } as const;
      const [environment, machines, latest] = await Promise.all([
        state.environment.findOne({}, from),
        state.machines.find({}, from).toArray(),
        state.changes.findOne({}, { ...from, sort: { number: -1 } }),
      ]);
      const isController = ({ jobs }: { jobs: readonly string[] }) => CONTROLLER_JOBS.some((job) => jobs.includes(job));
      return {
        survey: await survey(observer, [...new Set([...network.hosts, ...hostsOf(network, machines)])]),
        desired: environment?.desired ?? 1,
        unfinished: latest?.kind === 'recover' && latest.state !== 'done',
        workloads: machines.filter((machine) => !isController(machine)).map(({ _id }) => _id),
      };
    },

    /**
     * Once the survivor takes writes: controllers whose instance the cloud has confirmed to be gone become dying, then dead.
     * `standing` are the machines that have an instance still. Done again it finds nothing more to do.
     */
    async writeOffFenced({
      survivor,
      standing,
    }: {
      survivor: MachineId;
      standing: readonly MachineId[];
    }): Promise<void> {
      const kept = [survivor, ...standing];
      const there = { ...controllers, life: { $ne: 'dead' as const }, instance: { $ne: null } };
      for (const mark of [markDying, markDead] as const) {
        const gone = (await state.machines.find(there).toArray()).filter(({ _id }) => !kept.includes(_id));
        if (gone.length === 0) return;
        const environment = await state.environment.findOne({});
        const planned = { ...fence, environmentVersion: environment?.version ?? 0 };
        await mark(
          state,
          planned,
          gone.map(({ _id }) => _id),
        );
      }
    },
  };
}
