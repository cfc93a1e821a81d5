import type { Instance as SdkInstance } from '@aws-sdk/client-ec2';
import type { Instance, InstanceState } from '../cloud.js';
import { instanceTags } from './tags.js';

/** Ports of the two listeners: each instance has an address of its own. */
export const PORTS = { api: 17070, mongo: 37017 } as const;

/** An instance as EC2's side of the product knows it. */
export interface Ec2Instance extends Instance {
  readonly type: string;
  /** Its first network interface; empty once it is gone. */
  readonly networkInterface: string;
  /** IDs of the security groups on that interface. */
  readonly groups: readonly string[];
  readonly vpc: string;
  /** Why it is in its state, in Amazon's words; empty where it says nothing. */
  readonly reason: string;
  /** When it was first started, ISO 8601; starting it again does not change it. */
  readonly bornAt: string;
}

const STATES: Readonly<Record<string, InstanceState>> = {
  pending: 'pending',
  running: 'running',
  stopping: 'stopping',
  // On its way out: nobody starts it again, and it is not gone yet.
  'shutting-down': 'stopping',
  stopped: 'stopped',
  terminated: 'terminated',
};

/** What EC2 says of an instance, in our words; null for one that is not ours. Pure. */
export function instanceOf(seen: SdkInstance): Ec2Instance | null {
  const tags = instanceTags(seen.Tags);
  if (tags === null || seen.InstanceId === undefined) return null;
  const [nic] = [...(seen.NetworkInterfaces ?? [])].sort(
    (a, b) => (a.Attachment?.DeviceIndex ?? 0) - (b.Attachment?.DeviceIndex ?? 0),
  );
  const launched = seen.LaunchTime ?? new Date(0);
  const dates = [launched, nic?.Attachment?.AttachTime, seen.UsageOperationUpdateTime].flatMap((date) => date ?? []);
  return {
    id: seen.InstanceId,
    state: STATES[seen.State?.Name ?? ''] ?? 'pending',
    tags,
    zone: seen.Placement?.AvailabilityZone ?? '',
    address: seen.PrivateIpAddress ?? '',
    publicAddress: seen.PublicIpAddress ?? '',
    ports: PORTS,
    cause: causeOf(seen),
    startedAt: launched.toISOString(),
    type: seen.InstanceType ?? '',
    reason: seen.StateReason?.Message ?? '',
    networkInterface: nic?.NetworkInterfaceId ?? '',
    groups: (nic?.Groups ?? []).flatMap(({ GroupId }) => GroupId ?? []),
    vpc: seen.VpcId ?? '',
    bornAt: new Date(Math.min(...dates.map((date) => date.getTime()))).toISOString(),
  };
}

/**
 * Who caused the last state: `user` by a console or the API, `self` by a shutdown inside, `cloud` where Amazon stopped or
 * ended it (retired hardware, no room to start again, a disk that it could not make). Pure.
 */
export function causeOf({ StateReason, StateTransitionReason = '' }: SdkInstance): 'user' | 'self' | 'cloud' {
  const code = StateReason?.Code || StateTransitionReason;
  if (/^Client\.InstanceInitiatedShutdown/.test(code)) return 'self';
  if (/^Server\./.test(code)) return 'cloud';
  // A disk or a key that EC2 could not use ends an instance that nobody ended.
  if (/^Client\.(InternalError|InvalidSnapshot|VolumeLimitExceeded)/.test(code)) return 'cloud';
  return 'user';
}

/**
 * Instances of one nonce, the one that counts first: the oldest, whatever became of it, as a nonce is one instance for ever.
 * More than one come of a start that was repeated where the client token is not honoured, or has been forgotten. Pure.
 */
export function oldestFirst(twins: readonly Ec2Instance[]): Ec2Instance[] {
  return [...twins].sort((a, b) => a.bornAt.localeCompare(b.bornAt) || a.id.localeCompare(b.id));
}

/** All but the twins that are gone: those that still run are shown, so that somebody ends them. Pure. */
export function withoutGoneTwins(instances: readonly Ec2Instance[]): Ec2Instance[] {
  const first = new Map<string, string>();
  for (const { id, tags } of oldestFirst(instances)) if (!first.has(tags.nonce)) first.set(tags.nonce, id);
  return instances.filter(({ id, state, tags }) => state !== 'terminated' || first.get(tags.nonce) === id);
}
