import type { _InstanceType, RunInstancesCommandInput, Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { QuorateError } from '../../errors.js';
import type { StartRequest } from '../cloud.js';
import type { Image } from './image-names.js';
import type { Ec2Type } from './offered.js';
import type { Ec2Settings } from './settings.js';
import { tagsFrom } from './tags.js';

/** What a start is made of besides what was asked for. */
export interface Ground {
  readonly subnet: string;
  readonly group: string;
  readonly type: Ec2Type;
  readonly image: Image;
}

/** EC2's own limit, before base64. */
const USER_DATA_BYTES = 16_384;

/** The same tags on all that a start makes. Pure. */
export const tagsOfStarted = (Tags: Tag[]): TagSpecification[] =>
  (['instance', 'volume', 'network-interface'] as const).map((ResourceType) => ({ ResourceType, Tags }));

/** The request, the same bytes for the same ground: EC2 refuses one client token with two contents. Pure. */
export function runInput(
  { tags, userData }: StartRequest,
  { subnet, group, type, image }: Ground,
  { diskGiB, profile }: Pick<Ec2Settings, 'diskGiB' | 'profile'>,
): RunInstancesCommandInput {
  const bytes = Buffer.from(userData, 'utf8');
  if (bytes.length > USER_DATA_BYTES) {
    throw new QuorateError(
      'user-data-too-long',
      `The user data of machine ${tags.machine} has ${bytes.length} bytes.`,
      {
        todo: `Amazon takes ${USER_DATA_BYTES} at most: leave something out, or let the machine fetch it.`,
      },
    );
  }
  const ours = [{ Key: 'Name', Value: `quorate-${tags.environment.slice(0, 8)}-${tags.machine}` }, ...tagsFrom(tags)];
  return {
    ClientToken: tags.nonce,
    MinCount: 1,
    MaxCount: 1,
    ImageId: image.id,
    InstanceType: type.name as _InstanceType,
    SubnetId: subnet,
    SecurityGroupIds: [group],
    UserData: bytes.toString('base64'),
    // A shutdown inside leaves it stopped: ending it is for those who decide such things.
    InstanceInitiatedShutdownBehavior: 'stop',
    MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
    BlockDeviceMappings: [
      {
        DeviceName: image.rootDevice,
        Ebs: {
          VolumeType: 'gp3',
          VolumeSize: Math.max(diskGiB, image.diskGiB),
          Encrypted: true,
          DeleteOnTermination: true,
        },
      },
    ],
    TagSpecifications: tagsOfStarted(ours),
    ...(profile === '' ? {} : { IamInstanceProfile: { Name: profile } }),
  };
}
