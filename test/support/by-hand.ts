import type { Status } from '../../src/api/status.js';
import type { Store } from '../../src/store/store.js';
import { until } from './home.js';
import { memberClient } from './member.js';

/** As a person makes it in a shell on the primary: another priority for the member of a machine. */
export async function setPriority(
  store: Store,
  { environment, ha, controllers }: Status,
  machine: string,
  priority: number,
): Promise<void> {
  const primary = controllers.find((controller) => controller.machine === ha.primary);
  if (primary === undefined) throw new Error('no controller is primary');
  const client = await memberClient(store, environment.uuid, primary);
  try {
    const admin = client.db('admin');
    await until('a reconfig by hand', async () => {
      const { config } = await admin.command({ replSetGetConfig: 1 });
      const members = config.members.map((member: { tags?: { machine?: string } }) =>
        member.tags?.machine === machine ? { ...member, priority } : member,
      );
      return await admin.command({ replSetReconfig: { ...config, version: config.version + 1, members } });
    });
  } finally {
    await client.close();
  }
}
