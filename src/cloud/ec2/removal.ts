import { DeleteNetworkInterfaceCommand, DeleteVolumeCommand } from '@aws-sdk/client-ec2';
import { QuorateError } from '../../errors.js';
import type { Amazon } from './amazon.js';
import type { S3Bucket } from './bucket.js';
import type { CallName } from './calls.js';
import { ifThere } from './errors.js';
import type { Groups } from './groups.js';
import type { Instances } from './instances.js';
import { listInterfaces, listVolumes } from './tagged-things.js';
import { tagged } from './tags.js';

/** What an ended instance still holds is let go within a minute. */
const LET_GO_MS = 120_000;

/** What an environment consists of on Amazon's side. */
export interface Belongings {
  readonly amazon: Amazon;
  readonly instances: Instances;
  readonly groups: Groups;
  readonly bucket: S3Bucket;
}

/**
 * Removes all that carries the environment's tag: instances first, as they hold the rest; what they left of disks and network
 * interfaces; security groups; the bucket. Then everything is listed again: it returns when there is nothing.
 */
export async function removeEnvironment(belongings: Belongings, environment: string): Promise<void> {
  const { amazon, instances, groups, bucket } = belongings;
  const running = (await instances.list(environment)).filter(({ state }) => state !== 'terminated');
  await Promise.all(running.map(({ id }) => instances.terminate(id)));
  for (const id of await networkInterfaces(amazon, environment)) {
    await gone(amazon, 'DeleteNetworkInterface', () =>
      amazon.ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id })),
    );
  }
  for (const id of await volumes(amazon, environment)) {
    await gone(amazon, 'DeleteVolume', () => amazon.ec2.send(new DeleteVolumeCommand({ VolumeId: id })));
  }
  for (const { GroupId } of await groups.ofEnvironment(environment)) if (GroupId) await groups.remove(GroupId);
  await bucket.removeAll(environment);
  const left = await whatIsLeft(belongings, environment);
  if (left.length === 0) return;
  throw new QuorateError('not-removed', `Amazon still shows of the environment: ${left.join(', ')}.`, {
    todo: 'Remove it again; what stays is held by something that is not the environment’s.',
  });
}

/** IDs of all that is there of an environment. */
export async function whatIsLeft(belongings: Belongings, environment: string): Promise<string[]> {
  const { amazon, instances, groups, bucket } = belongings;
  const [running, interfaces, disks, security, objects] = await Promise.all([
    instances.list(environment),
    networkInterfaces(amazon, environment),
    volumes(amazon, environment),
    groups.ofEnvironment(environment),
    bucket.exists(environment),
  ]);
  return [
    ...running.filter(({ state }) => state !== 'terminated').map(({ id }) => id),
    ...interfaces,
    ...disks,
    ...security.flatMap(({ GroupId }) => GroupId ?? []),
    ...(objects ? [`the bucket of ${environment}`] : []),
  ];
}

const volumes = async (amazon: Amazon, environment: string): Promise<string[]> =>
  (await listVolumes(amazon, tagged({ environment }))).flatMap(({ VolumeId }) => VolumeId ?? []);

const networkInterfaces = async (amazon: Amazon, environment: string): Promise<string[]> =>
  (await listInterfaces(amazon, tagged({ environment }))).flatMap(({ NetworkInterfaceId }) => NetworkInterfaceId ?? []);

/** Waits for what still holds it; harmless when it went by itself. */
async function gone(amazon: Amazon, call: CallName, send: () => Promise<unknown>): Promise<void> {
  await ifThere(amazon.askUntilFree(call, send, LET_GO_MS));
}
