import { DescribeInstanceTypesCommand } from '@aws-sdk/client-ec2';
import { QuorateError } from '../../errors.js';
import type { Amazon } from './amazon.js';
import { AmazonError } from './errors.js';
import { type Ec2Type, offered, typeOf } from './offered.js';

/** All that the region has of these patterns, page by page. */
export async function listTypes(amazon: Amazon, patterns: readonly string[], diskGiB: number): Promise<Ec2Type[]> {
  const seen = await amazon.list(
    'DescribeInstanceTypes',
    (page) =>
      amazon.ec2.send(
        new DescribeInstanceTypesCommand({
          ...page,
          // The most that this list takes.
          MaxResults: Math.min(page.MaxResults, 100),
          Filters: [
            { Name: 'instance-type', Values: [...patterns] },
            { Name: 'current-generation', Values: ['true'] },
            { Name: 'supported-usage-class', Values: ['on-demand'] },
          ],
        }),
      ),
    ({ InstanceTypes }) => InstanceTypes,
  );
  return offered(seen, patterns, diskGiB);
}

/** One by its name, offered or not. Throws `unknown-instance-type`. */
export async function findType(amazon: Amazon, name: string, diskGiB: number): Promise<Ec2Type> {
  const unknown = () =>
    new QuorateError('unknown-instance-type', `This region of Amazon’s has no instance type ${name}.`, {
      todo: 'Name another one: --constraints instance-type=…',
      exit: 2,
    });
  try {
    const { InstanceTypes = [] } = await amazon.ask('DescribeInstanceTypes', () =>
      amazon.ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: [name as never] })),
    );
    const type = InstanceTypes[0] === undefined ? null : typeOf(InstanceTypes[0], diskGiB);
    if (type === null) throw unknown();
    return type;
  } catch (error) {
    if (error instanceof AmazonError && error.reaction === 'other-type') throw unknown();
    throw error;
  }
}
