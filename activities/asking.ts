import type { Machine } from '../src/api/machines.js';
import type { ApiClient } from '../src/client/client.js';
import { apiAddresses } from '../src/cloud/dialled.js';
import { QuorateError } from '../src/errors.js';
import type { MachineId } from '../src/membership/types.js';
import type { CloudSide, Target } from './cloud-side.js';

/**
 * Asks a controller. When none of those answers that the side or the bucket knows, the cloud says who else runs: with two
 * voters the one that is lost may be the only one that was published.
 */
export async function askControllers<T>(
  side: CloudSide,
  environment: Target['environment'],
  use: (client: ApiClient) => Promise<T>,
): Promise<T> {
  try {
    return await usingClient(side, environment, [], use);
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code !== 'no-controller') throw error;
    const instances = await (await side.cloudFor(environment)).list(environment.uuid);
    return await usingClient(side, environment, apiAddresses(instances), use);
  }
}

async function usingClient<T>(
  side: CloudSide,
  environment: Target['environment'],
  besides: readonly string[],
  use: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const client = await side.openClient(environment, besides);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** A machine as the documents have it. */
export async function readMachine(client: ApiClient, machine: MachineId): Promise<Machine> {
  return (await client.request<Machine>('GET', `/v1/machines/${encodeURIComponent(machine)}`)).body;
}

/** null when there is none any more. */
export async function readMachineIfThere(client: ApiClient, machine: MachineId): Promise<Machine | null> {
  try {
    return await readMachine(client, machine);
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'not-found') return null;
    throw error;
  }
}
