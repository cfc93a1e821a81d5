import { Amazon, type AmazonOptions } from '../../src/cloud/ec2/amazon.js';
import { Budget } from '../../src/cloud/ec2/budget.js';
import { Ec2Cloud } from '../../src/cloud/ec2/ec2-cloud.js';
import { DEFAULTS, type Ec2Settings } from '../../src/cloud/ec2/settings.js';

export const REGION = 'eu-west-1';

/** moto has the images of Amazon Linux alone, and takes half a minute to list all instance types. */
const AS_MOTO_HAS: Ec2Settings = { ...DEFAULTS, image: 'al2023', types: ['t3.*', 't4g.*'] };

/** A cloud at an endpoint of moto's, with a budget that holds nothing up. */
export function cloudAt(
  endpoint: string,
  options: Partial<AmazonOptions> = {},
  settings: Partial<Ec2Settings> = {},
): Ec2Cloud {
  const plenty = { burst: 10_000, perSecond: 10_000 };
  const key = { accessKeyId: 'test', secretAccessKey: 'test' };
  const amazon = new Amazon({
    region: REGION,
    endpoint,
    budget: new Budget({ reads: plenty, changes: plenty }),
    identities: { provide: async () => key, renew: () => {} },
    ...options,
  });
  return new Ec2Cloud(amazon, { ...AS_MOTO_HAS, ...settings });
}
