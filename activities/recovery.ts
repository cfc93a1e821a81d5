import type { RecoveryView } from '../src/membership/recovery.js';
import type { MachineId } from '../src/membership/types.js';
import { survey } from '../src/replicaset/survey.js';
import { readEvenAlone } from '../src/state/even-alone.js';
import { markDead, markDying } from '../src/state/machines.js';
import { beating } from './beating.js';
import type { Network } from './network.js';
import { hostsOf } from './observe.js';

export type RecoveryActivities = ReturnType<typeof recoveryActivities>;

const CONTROLLER_JOBS = ['manage-state', 'manage-environ'] as const;

export function recoveryActivities(network: Network) {
  const { state, observer, fence } = network;
  return {
    /** What every member holds, and what the documents say, which without a majority may be old. */
    async surveyMembers(): Promise<RecoveryView> {
      const [environment, machines, latest] = await readEvenAlone(state, (from) =>
        Promise.all([
          state.environment.findOne({}, from),
          state.machines.find({}, from).toArray(),
          state.changes.findOne({}, { ...from, sort: { number: -1 } }),
        ]),
      );
      const isController = ({ jobs }: { jobs: readonly string[] }) => CONTROLLER_JOBS.some((job) => jobs.includes(job));
      return {
        survey: await survey(observer, [...new Set([...network.hosts, ...hostsOf(network, machines)])]),
        desired: environment?.desired ?? 1,
        unfinished: latest?.kind === 'recover' && latest.state !== 'done',
        controllers: machines
          .filter((machine) => isController(machine) && machine.life !== 'dead' && machine.instance !== null)
          .map(({ _id }) => _id),
        workloads: machines.filter((machine) => !isController(machine)).map(({ _id }) => _id),
      };
    },

    /**
     * Once the survivor takes writes: controllers whose instance the cloud has confirmed to be gone become dying, then dead.
     * They are named, and IDs are never used twice, so that a late attempt cannot mean those that came after them. Done
     * again it finds nothing more to do.
     */
    async writeOffFenced({ machines }: { machines: readonly MachineId[] }): Promise<void> {
      await beating(async () => {
        const left = await state.machines.find({ _id: { $in: [...machines] }, life: { $ne: 'dead' } }).toArray();
        if (left.length === 0) return;
        const ids = left.map(({ _id }) => _id);
        await markDying(state, fence, ids);
        await markDead(state, fence, ids);
      });
    },
  };
}
