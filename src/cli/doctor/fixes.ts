import { randomUUID } from 'node:crypto';
import type { Machine } from '../../api/machines.js';
import { QuorateError } from '../../errors.js';
import type { Store } from '../../store/store.js';
import type { Fix } from './finding.js';
import { whyLeftover } from './instances.js';
import type { Subject } from './subject.js';

/** Does what a finding of an environment proposes, from facts looked at again. @returns what was done */
export async function fixEnvironment(fix: Fix, subject: Subject): Promise<string> {
  switch (fix.kind) {
    case 'terminate':
      return await terminate(fix, subject);
    case 'close-change': {
      const path = `/v1/changes/${encodeURIComponent(fix.runId)}/close`;
      const body = { reason: 'Its workflow was not there any more; closed by quorate doctor.' };
      await subject.client.request('POST', path, { body, idempotencyKey: randomUUID() });
      return 'it is closed';
    }
    case 'start-singletons': {
      const { ensureSingletons } = await import('../../temporal/singletons.js');
      const { name, uuid } = subject.record;
      await ensureSingletons((await subject.temporal()).client, { name, uuid });
      return 'it is started';
    }
    default:
      throw new Error(`${fix.kind} is no fix of an environment`);
  }
}

/** The same for what belongs to this machine. */
export async function fixMachine(fix: Fix, store: Store): Promise<string> {
  switch (fix.kind) {
    case 'remove-unknown': {
      if (fix.region !== undefined) {
        const { regionsOf } = await import('./ec2-leftovers.js');
        const [region] = await regionsOf(await store.readEnvironments(), fix.region);
        await region?.cloud.removeEnvironment(fix.uuid);
        return 'all that carries its tag is removed, and its bucket';
      }
      const { openLocalCloud } = await import('../../cloud/local/open.js');
      await openLocalCloud(store.dirs.localCloud).removeEnvironment(fix.uuid);
      return 'its instances are terminated and its files removed';
    }
    case 'register-search-attributes': {
      const { engineConnection } = await import('../../engine/engine.js');
      const { connectTemporal } = await import('../../temporal/connect.js');
      const { registerSearchAttributes } = await import('../../temporal/attributes.js');
      const { connection, uiUrl } = await engineConnection(store.dirs);
      const temporal = await connectTemporal({ target: connection, uiUrl });
      try {
        const todo = await registerSearchAttributes(temporal);
        if (todo !== null) throw new QuorateError('not-allowed', 'this client may not register them', { todo });
        return 'they are registered';
      } finally {
        await temporal.connection.close();
      }
    }
    default:
      throw new Error(`${fix.kind} is no fix of a machine`);
  }
}

/** The document is read again from a majority just before: what somebody uses by now is left alone. */
async function terminate(fix: Extract<Fix, { kind: 'terminate' }>, subject: Subject): Promise<string> {
  const cloud = await subject.cloud();
  const instance = await cloud.describe(fix.instance);
  if (instance === null || instance.state === 'terminated') return 'it is terminated already';
  const machines = await documentOf(fix.machine, subject);
  if (instance.tags.environment !== subject.record.uuid || whyLeftover(instance, machines) === null) {
    throw new QuorateError('in-use', `machine ${fix.machine} uses it by now`);
  }
  await cloud.terminate(fix.instance);
  return 'it is terminated';
}

async function documentOf(machine: string, { client }: Subject): Promise<Machine[]> {
  try {
    return [(await client.request<Machine>('GET', `/v1/machines/${encodeURIComponent(machine)}`)).body];
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'not-found') return [];
    throw error;
  }
}
