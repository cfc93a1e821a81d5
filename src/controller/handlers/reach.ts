import { ReadConcern, ReadPreference } from 'mongodb';
import type { Reach } from '../../api/reach.js';
import { reasonOf } from '../../errors.js';
import { within } from '../../replicaset/connect.js';
import type { SetConfig, SetStatus } from '../../replicaset/wire.js';
import type { State } from '../../state/state.js';
import type { Controller, Handler } from '../call.js';

/** Longer than a beat: somebody waits for the answer, and a busy machine is slow. */
const PING_MS = 3000;
const MEMBER_MS = 3000;

/** Looked at now, from this machine alone: it must be able to say who is cut off while there is no majority. */
export const reach: Handler<'reach'> = async (controller) => {
  const { machine } = controller.config;
  const [api, members] = await Promise.all([apis(controller), membersOf(controller.state, machine)]);
  return { machine, api, ...members };
};

async function apis({ state, config, pinger }: Controller): Promise<Reach['api']> {
  const from = {
    readPreference: new ReadPreference('nearest', [{ machine: config.machine }, {}]),
    readConcern: new ReadConcern('local'),
  };
  const machines = await state.machines.find({ jobs: 'manage-environ', life: { $ne: 'dead' } }, from).toArray();
  const others = machines.flatMap(({ _id: machine, instance }) =>
    machine !== config.machine && instance?.address
      ? [{ machine, address: `${instance.address}:${instance.ports.api}` }]
      : [],
  );
  return await Promise.all(
    others.map(async ({ machine, address }) => ({
      machine,
      address,
      reached: await pinger.ping(address, machine, PING_MS),
    })),
  );
}

async function membersOf(state: State, machine: string): Promise<Pick<Reach, 'members' | 'memberProblem'>> {
  const admin = state.client.db('admin');
  const own = { readPreference: new ReadPreference('nearest', [{ machine }]) };
  try {
    const asked = Promise.all([
      admin.command({ replSetGetStatus: 1 }, own),
      admin.command({ replSetGetConfig: 1 }, own),
    ]);
    const [status, { config }] = await within(MEMBER_MS, `the member of machine ${machine}`, asked);
    return { members: seenBy(status as unknown as SetStatus, config as SetConfig), memberProblem: '' };
  } catch (error) {
    return { members: [], memberProblem: reasonOf(error) };
  }
}

function seenBy(status: SetStatus, config: SetConfig): Reach['members'] {
  return status.members
    .filter(({ self }) => !self)
    .map(({ _id: id, name: host, health, stateStr: state }) => ({
      id,
      host,
      machine: config.members.find((member) => member._id === id)?.tags?.machine ?? null,
      reached: health === 1,
      state,
    }));
}
