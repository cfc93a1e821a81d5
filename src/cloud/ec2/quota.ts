import type { Instance as SdkInstance } from '@aws-sdk/client-ec2';
import type { Ec2Type } from './offered.js';

/** Instance families that share one quota, counted in vCPUs: those whose name begins so. */
const STANDARD = /^[acdhimrtz]\d/;

/** Whether an instance type comes out of that quota. Pure. */
export const isStandard = (type: string): boolean => STANDARD.test(type);

/** vCPUs of these instances that come out of that quota; spot instances have another. Pure. */
export function standardCores(instances: readonly SdkInstance[]): number {
  return instances
    .filter(({ InstanceType = '', InstanceLifecycle }) => InstanceLifecycle === undefined && isStandard(InstanceType))
    .reduce((sum, { CpuOptions }) => sum + (CpuOptions?.CoreCount ?? 1) * (CpuOptions?.ThreadsPerCore ?? 1), 0);
}

/** Why the quota does not suffice, in a sentence; null when it does. Pure. */
export function quotaWord(asked: {
  readonly limit: number;
  readonly used: number;
  readonly type: Pick<Ec2Type, 'name' | 'cores'>;
  readonly controllers: number;
}): string | null {
  const { limit, used, type, controllers } = asked;
  const needed = controllers * type.cores;
  if (!isStandard(type.name) || used + needed <= limit) return null;
  return (
    `${controllers === 1 ? 'A controller' : `${controllers} controllers`} of type ${type.name} ` +
    `${controllers === 1 ? 'needs' : 'need'} ${needed} vCPUs; the account may have ${limit} in this region and uses ${used}.`
  );
}
