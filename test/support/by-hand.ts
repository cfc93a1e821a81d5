import type { Status } from '../../src/api/status.js';
import type { MemberConfig } from '../../src/replicaset/wire.js';
import type { Store } from '../../src/store/store.js';
import { until } from './home.js';
import { memberClient } from './member.js';

/** As a person makes it in a shell on the primary: a config with its members changed, sent until MongoDB takes it. */
export async function reconfigByHand(
  store: Store,
  { environment, ha, controllers }: Status,
  change: (member: MemberConfig) => MemberConfig,
): Promise<void> {
  const primary = controllers.find((controller) => controller.machine === ha.primary);
  if (primary === undefined) throw new Error('no controller is primary');
  const client = await memberClient(store, environment.uuid, primary);
  try {
    const admin = client.db('admin');
    await until('a reconfig by hand', async () => {
      const { config } = await admin.command({ replSetGetConfig: 1 });
      const members = config.members.map(change);
      return await admin.command({ replSetReconfig: { ...config, version: config.version + 1, members } });
    });
  } finally {
    await client.close();
  }
}

/** Another priority for the member of a machine, by hand. */
export const setPriority = (store: Store, status: Status, machine: string, priority: number): Promise<void> =>
  reconfigByHand(store, status, (member) => (member.tags?.machine === machine ? { ...member, priority } : member));
