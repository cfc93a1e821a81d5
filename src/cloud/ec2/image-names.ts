import type { Image as SdkImage } from '@aws-sdk/client-ec2';
import { QuorateError, usageError } from '../../errors.js';

/** As EC2 calls them. */
export const ARCHITECTURES = ['x86_64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** Where an image of a name is found, and whose it must be. */
export interface ImageSource {
  /** The account that publishes it: an image of the right name by anybody else is not taken. */
  readonly owner: string;
  /** SSM's public parameter that names the newest. */
  readonly parameter: Readonly<Record<Architecture, string>>;
  /** Names of the images, `*` for the date, where the parameter is not there. */
  readonly name: Readonly<Record<Architecture, string>>;
}

const CANONICAL = '/aws/service/canonical/ubuntu/server/24.04/stable/current';
const AMAZON_LINUX = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default';

export const IMAGES: Readonly<Record<string, ImageSource>> = {
  'debian-12': {
    owner: '136693071363',
    parameter: {
      x86_64: '/aws/service/debian/release/12/latest/amd64',
      arm64: '/aws/service/debian/release/12/latest/arm64',
    },
    name: { x86_64: 'debian-12-amd64-*', arm64: 'debian-12-arm64-*' },
  },
  'ubuntu-24.04': {
    owner: '099720109477',
    parameter: { x86_64: `${CANONICAL}/amd64/hvm/ebs-gp3/ami-id`, arm64: `${CANONICAL}/arm64/hvm/ebs-gp3/ami-id` },
    name: {
      x86_64: 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*',
      arm64: 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-*',
    },
  },
  al2023: {
    owner: '137112412989',
    parameter: { x86_64: `${AMAZON_LINUX}-x86_64`, arm64: `${AMAZON_LINUX}-arm64` },
    name: { x86_64: 'al2023-ami-2023.*-x86_64', arm64: 'al2023-ami-2023.*-arm64' },
  },
};

export const DEFAULT_IMAGE = 'debian-12';

/** What an instance is started from. */
export interface Image {
  readonly id: string;
  readonly name: string;
  readonly architecture: Architecture;
  /** The name of its root disk, which differs by image. */
  readonly rootDevice: string;
  /** The least that its root disk must hold. */
  readonly diskGiB: number;
}

/** Refuses, in words, a name that is neither an image's nor an image's ID. */
export function checkImageName(name: string): void {
  if (Object.hasOwn(IMAGES, name) || /^ami-[0-9a-f]{8,17}$/.test(name)) return;
  throw usageError(
    'unknown-image',
    `There is no image '${name.slice(0, 60)}'.`,
    `Use ${Object.keys(IMAGES).join(', ')}, or an image’s ID (ami-…).`,
  );
}

/** By date of creation; among equals by ID, so that everybody takes the same. Pure. */
export function newestOf(images: readonly SdkImage[]): SdkImage | null {
  const key = ({ CreationDate = '', ImageId = '' }: SdkImage) => `${CreationDate} ${ImageId}`;
  return [...images].sort((a, b) => key(b).localeCompare(key(a)))[0] ?? null;
}

/** What is needed of an image; refuses one that is not there or not for this architecture. Pure. */
export function imageOf(image: SdkImage | null, name: string, architecture: Architecture): Image {
  const lacks = (what: string) =>
    new QuorateError('no-image', `There is no image ${name} for ${architecture} in this region: ${what}.`, {
      todo: 'Name another image or an instance type of another architecture.',
    });
  if (image?.ImageId === undefined) throw lacks('none is published');
  if (image.Architecture !== architecture) throw lacks(`${image.ImageId} is for ${image.Architecture}`);
  if (image.State !== undefined && image.State !== 'available') throw lacks(`${image.ImageId} is ${image.State}`);
  const rootDevice = image.RootDeviceName ?? '/dev/xvda';
  const root = image.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === rootDevice);
  return { id: image.ImageId, name: image.Name ?? name, architecture, rootDevice, diskGiB: root?.Ebs?.VolumeSize ?? 0 };
}

/** Refuses an image of a publisher's name that is somebody else's. Pure. */
export function checkPublisher({ ImageId, OwnerId }: SdkImage, name: string, { owner }: ImageSource): void {
  if (OwnerId === owner) return;
  throw new QuorateError(
    'image-not-trusted',
    `The image ${ImageId} for ${name} belongs to account ${OwnerId}, not to its publisher ${owner}.`,
    { todo: 'Name another image.' },
  );
}
