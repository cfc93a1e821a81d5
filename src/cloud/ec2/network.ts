import {
  DescribeAvailabilityZonesCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type Subnet,
} from '@aws-sdk/client-ec2';
import { QuorateError } from '../../errors.js';
import type { Amazon } from './amazon.js';
import { Remembered } from './remembered.js';
import { oneAZone } from './subnets.js';

/** Where instances are put. */
export interface Network {
  readonly vpc: string;
  /** One subnet of each zone. */
  readonly subnets: readonly { readonly id: string; readonly zone: string }[];
}

/** A subnet that was made meanwhile is seen after so long. */
const REMEMBERED_MS = 60_000;

/** The VPC's subnets, looked up seldom. */
export function networkOf(amazon: Amazon, vpc: string): Remembered<Network> {
  return new Remembered(() => findNetwork(amazon, vpc), REMEMBERED_MS);
}

async function findNetwork(amazon: Amazon, named: string): Promise<Network> {
  const vpc = await findVpc(amazon, named);
  const [subnets, { AvailabilityZones = [] }] = await Promise.all([
    subnetsOf(amazon, vpc),
    amazon.ask('DescribeAvailabilityZones', () => amazon.ec2.send(new DescribeAvailabilityZonesCommand({}))),
  ]);
  const usable = new Set(
    AvailabilityZones.filter(
      ({ State, ZoneType = 'availability-zone' }) => State === 'available' && ZoneType === 'availability-zone',
    ).flatMap(({ ZoneName }) => ZoneName ?? []),
  );
  const chosen = oneAZone(subnets).filter(({ zone }) => usable.has(zone));
  if (chosen.length > 0) return { vpc, subnets: chosen };
  throw new QuorateError('no-subnet', `The VPC ${vpc} has no subnet in a zone of this region.`, {
    todo: 'Make one in each zone: aws ec2 create-default-subnet --availability-zone …, or create-subnet.',
  });
}

/** By ID or Name; the region's default where nothing is named. */
async function findVpc(amazon: Amazon, named: string): Promise<string> {
  const byId = /^vpc-[0-9a-f]+$/.test(named);
  const filter = named === '' ? { Name: 'is-default', Values: ['true'] } : { Name: 'tag:Name', Values: [named] };
  const { Vpcs = [] } = await amazon.ask('DescribeVpcs', () =>
    amazon.ec2.send(new DescribeVpcsCommand(byId ? { VpcIds: [named] } : { Filters: [filter] })),
  );
  const [found, another] = Vpcs.flatMap(({ VpcId }) => VpcId ?? []).sort();
  if (found === undefined) {
    throw named === ''
      ? new QuorateError('no-vpc', 'This region of the account has no default VPC.', {
          todo: 'Make it with aws ec2 create-default-vpc, or name another one with QUORATE_EC2_VPC.',
        })
      : new QuorateError('no-vpc', `This region of the account has no VPC of the name ${named}.`, {
          todo: 'See aws ec2 describe-vpcs for those that it has.',
        });
  }
  if (another === undefined) return found;
  throw new QuorateError(
    'no-vpc',
    `Several VPCs have the name ${named}: ${Vpcs.map(({ VpcId }) => VpcId).join(', ')}.`,
    {
      todo: 'Name one by its ID.',
    },
  );
}

async function subnetsOf(amazon: Amazon, vpc: string): Promise<Subnet[]> {
  return await amazon.list(
    'DescribeSubnets',
    (page) => amazon.ec2.send(new DescribeSubnetsCommand({ ...page, Filters: [{ Name: 'vpc-id', Values: [vpc] }] })),
    ({ Subnets }) => Subnets,
  );
}
