import {
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
  type Filter,
  type NetworkInterface,
  type SecurityGroup,
  type Tag,
  type Volume,
} from '@aws-sdk/client-ec2';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import type { Amazon } from './amazon.js';
import { bucketName } from './bucket.js';
import type { Groups } from './groups.js';
import { listInstances } from './instances.js';
import { taggedAtAll, tagOf } from './tags.js';

/** What an environment has in a region: IDs by kind, the bucket by its name. */
export interface TaggedThings {
  /** Those that are not terminated: ID, the machine's ID, the state in Amazon's words. */
  readonly instances: readonly { readonly id: string; readonly machine: string; readonly state: string }[];
  readonly volumes: readonly string[];
  readonly interfaces: readonly string[];
  readonly groups: readonly string[];
  readonly bucket: string | null;
}

/** All that carries an environment's tag in the region of these clients, and the buckets of our names, by environment UUID. */
export async function thingsOfAll(amazon: Amazon, inGroups: Groups): Promise<ReadonlyMap<string, TaggedThings>> {
  const filters = taggedAtAll('environment');
  const [instances, volumes, interfaces, groups, buckets] = await Promise.all([
    listInstances(amazon, filters),
    listVolumes(amazon, filters),
    listInterfaces(amazon, filters),
    inGroups.list(filters),
    listBuckets(amazon),
  ]);
  const live = instances.filter(({ State }) => State?.Name !== 'terminated');
  const of = <T>(things: readonly T[], tagsOf: (thing: T) => readonly Tag[] | undefined, uuid: string): readonly T[] =>
    things.filter((thing) => tagOf(tagsOf(thing), 'environment') === uuid);
  const tagsOf = ({ Tags }: { readonly Tags?: Tag[] | undefined }) => Tags;
  const tagSetOf = ({ TagSet }: NetworkInterface) => TagSet;
  const uuids = new Set([
    ...[...live, ...volumes, ...groups].map((thing) => tagOf(tagsOf(thing), 'environment')),
    ...interfaces.map((thing) => tagOf(tagSetOf(thing), 'environment')),
    ...buckets,
  ]);
  return new Map(
    [...uuids].map((uuid) => [
      uuid,
      {
        instances: of(live, tagsOf, uuid).map(({ InstanceId = '', State, Tags }) => ({
          id: InstanceId,
          machine: tagOf(Tags, 'machine'),
          state: State?.Name ?? 'unknown',
        })),
        volumes: of(volumes, tagsOf, uuid).map(({ VolumeId = '' }: Volume) => VolumeId),
        interfaces: of(interfaces, tagSetOf, uuid).map(({ NetworkInterfaceId = '' }) => NetworkInterfaceId),
        groups: of(groups, tagsOf, uuid).map(({ GroupId = '' }: SecurityGroup) => GroupId),
        bucket: buckets.includes(uuid) ? bucketName(uuid) : null,
      },
    ]),
  );
}

/** Disks that are there and not on their way out. */
export async function listVolumes(amazon: Amazon, Filters: Filter[]): Promise<Volume[]> {
  const found = await amazon.list(
    'DescribeVolumes',
    (page) => amazon.ec2.send(new DescribeVolumesCommand({ ...page, Filters })),
    ({ Volumes }) => Volumes,
  );
  return found.filter(({ State }) => State !== 'deleting');
}

export async function listInterfaces(amazon: Amazon, Filters: Filter[]): Promise<NetworkInterface[]> {
  return await amazon.list(
    'DescribeNetworkInterfaces',
    (page) => amazon.ec2.send(new DescribeNetworkInterfacesCommand({ ...page, Filters })),
    ({ NetworkInterfaces }) => NetworkInterfaces,
  );
}

/** UUIDs of the environments that have a bucket in the region. */
async function listBuckets(amazon: Amazon): Promise<string[]> {
  const uuids: string[] = [];
  const prefix = bucketName('');
  let ContinuationToken: string | undefined;
  do {
    const page = await amazon.ask('ListBuckets', () =>
      amazon.s3.send(
        new ListBucketsCommand({
          Prefix: prefix,
          BucketRegion: amazon.region,
          MaxBuckets: amazon.pageSize,
          ContinuationToken,
        }),
      ),
    );
    uuids.push(...(page.Buckets ?? []).flatMap(({ Name = '' }) => uuidIn(Name, prefix)));
    ContinuationToken = page.ContinuationToken || undefined;
  } while (ContinuationToken !== undefined);
  return uuids;
}

/** Buckets of other names may begin as ours do. */
const uuidIn = (name: string, prefix: string): string[] => {
  const uuid = name.slice(prefix.length);
  return name.startsWith(prefix) && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) ? [uuid] : [];
};
