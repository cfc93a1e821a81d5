import { DescribeImagesCommand, type Image as SdkImage } from '@aws-sdk/client-ec2';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import type { Amazon } from './amazon.js';
import { AmazonError } from './errors.js';
import {
  type Architecture,
  checkImageName,
  checkPublisher,
  IMAGES,
  type Image,
  type ImageSource,
  imageOf,
  newestOf,
} from './image-names.js';

/**
 * The newest image of a name for an architecture: by its publisher's parameter, else by listing what its publisher has.
 * Whoever's parameter it was, the image must belong to the publisher's account.
 */
export async function findImage(amazon: Amazon, name: string, architecture: Architecture): Promise<Image> {
  checkImageName(name);
  const source = IMAGES[name];
  if (source === undefined) return imageOf(await byId(amazon, name), name, architecture);
  const id = await parameter(amazon, source.parameter[architecture]);
  const found = id === null ? await newest(amazon, source, architecture) : await byId(amazon, id);
  if (found !== null) checkPublisher(found, name, source);
  return imageOf(found, name, architecture);
}

async function parameter(amazon: Amazon, name: string): Promise<string | null> {
  try {
    const { Parameter } = await amazon.ask('GetParameter', () =>
      amazon.ssm.send(new GetParameterCommand({ Name: name })),
    );
    return Parameter?.Value ?? null;
  } catch (error) {
    // Not in every region and partition; and whoever may not read parameters may still list images.
    if (error instanceof AmazonError && ['cloud-not-found', 'not-permitted'].includes(error.code)) return null;
    throw error;
  }
}

async function byId(amazon: Amazon, id: string): Promise<SdkImage | null> {
  const { Images = [] } = await amazon.ask('DescribeImages', () =>
    amazon.ec2.send(new DescribeImagesCommand({ ImageIds: [id] })),
  );
  return Images[0] ?? null;
}

async function newest(amazon: Amazon, source: ImageSource, architecture: Architecture): Promise<SdkImage | null> {
  const { Images = [] } = await amazon.ask('DescribeImages', () =>
    amazon.ec2.send(
      new DescribeImagesCommand({
        Owners: [source.owner],
        Filters: [
          { Name: 'name', Values: [source.name[architecture]] },
          { Name: 'architecture', Values: [architecture] },
          { Name: 'state', Values: ['available'] },
        ],
      }),
    ),
  );
  return newestOf(Images);
}
