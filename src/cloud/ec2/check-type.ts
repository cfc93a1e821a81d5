import { DescribeInstanceTypeOfferingsCommand } from '@aws-sdk/client-ec2';
import { QuorateError } from '../../errors.js';
import type { Constraints } from '../../machines/constraints.js';
import { place } from '../../machines/offer.js';
import type { Amazon } from './amazon.js';
import type { Bootable } from './boot/publish.js';
import type { Ec2Cloud } from './ec2-cloud.js';
import { type Ec2Type, whyNotOffered } from './offered.js';

/** The instance type that a controller of these constraints becomes, chosen as it is when the machine is asked for. */
export async function typeFor(
  cloud: Ec2Cloud,
  { zones: _, ...sizes }: Constraints,
  had: Bootable | null,
): Promise<Ec2Type> {
  const { instanceType: named } = sizes;
  const all = await cloud.types();
  const meant = all.find(({ name }) => name === named);
  const refusal = meant && had?.refusals.get(meant.architecture);
  if (refusal !== undefined) throw refusal;
  const types = all.filter(({ architecture }) => !had?.refusals.has(architecture));
  if (named !== undefined && meant === undefined) {
    throw new QuorateError('type-not-offered', whyNotOffered(await cloud.typeNamed(named), cloud.settings.types), {
      todo: 'Name another one: --constraints instance-type=…      or have it offered: QUORATE_EC2_TYPES',
    });
  }
  const { instanceType: name } = place(sizes, { zones: [], types });
  return types.find((type) => type.name === name) ?? (await cloud.typeNamed(name));
}

/** Those of the zones that do not have the instance type. Throws `type-unavailable` when none has it. */
export async function zonesWithout(amazon: Amazon, { name }: Ec2Type, zones: readonly string[]): Promise<string[]> {
  const { InstanceTypeOfferings = [] } = await amazon.ask('DescribeInstanceTypeOfferings', () =>
    amazon.ec2.send(
      new DescribeInstanceTypeOfferingsCommand({
        LocationType: 'availability-zone',
        Filters: [{ Name: 'instance-type', Values: [name] }],
      }),
    ),
  );
  const offered = new Set(InstanceTypeOfferings.map(({ Location }) => Location));
  const without = zones.filter((zone) => !offered.has(zone));
  if (without.length < zones.length) return without;
  throw new QuorateError('type-unavailable', `Instance type ${name} is offered in none of ${zones.join(', ')}.`, {
    todo: 'Name another one: --constraints instance-type=…',
  });
}
