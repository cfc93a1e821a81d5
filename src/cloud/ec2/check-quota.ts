import type { Instance as SdkInstance } from '@aws-sdk/client-ec2';
import { GetServiceQuotaCommand } from '@aws-sdk/client-service-quotas';
import { QuorateError } from '../../errors.js';
import type { Amazon } from './amazon.js';
import { AmazonError } from './errors.js';
import { listInstances } from './instances.js';
import type { Ec2Type } from './offered.js';
import { quotaWord, standardCores } from './quota.js';

/** "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", in vCPUs. */
const STANDARD_QUOTA = 'L-1216C47A';

/** vCPUs, as the account may have them and has them; null where Amazon does not say. Throws `quota-reached`. */
export async function quotaSuffices(
  amazon: Amazon,
  type: Ec2Type,
  controllers: number,
): Promise<{ readonly limit: number; readonly used: number } | null> {
  const limit = await standardQuota(amazon);
  if (limit === null) return null;
  const used = standardCores(await running(amazon));
  const refusal = quotaWord({ limit, used, type, controllers });
  if (refusal === null) return { limit, used };
  throw new QuorateError('quota-reached', refusal, {
    todo: `Have quota ${STANDARD_QUOTA} raised in Service Quotas of this region, or end instances that nobody needs.`,
  });
}

/** vCPUs that the account may have; null where it may not ask, or the quota has another name. */
async function standardQuota(amazon: Amazon): Promise<number | null> {
  try {
    const { Quota } = await amazon.ask('GetServiceQuota', () =>
      amazon.quotas.send(new GetServiceQuotaCommand({ ServiceCode: 'ec2', QuotaCode: STANDARD_QUOTA })),
    );
    return Quota?.Value ?? null;
  } catch (error) {
    if (error instanceof AmazonError && ['not-permitted', 'cloud-not-found'].includes(error.code)) return null;
    throw error;
  }
}

/** Everybody's instances in this region of the account that count. */
async function running(amazon: Amazon): Promise<SdkInstance[]> {
  return await listInstances(amazon, [{ Name: 'instance-state-name', Values: ['pending', 'running', 'stopping'] }]);
}
