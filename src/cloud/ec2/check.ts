import {
  CreateSecurityGroupCommand,
  DescribeInstanceTypeOfferingsCommand,
  RunInstancesCommand,
  type Instance as SdkInstance,
} from '@aws-sdk/client-ec2';
import { GetServiceQuotaCommand } from '@aws-sdk/client-service-quotas';
import { QuorateError } from '../../errors.js';
import type { Amazon } from './amazon.js';
import type { CallName } from './calls.js';
import type { Ec2Cloud } from './ec2-cloud.js';
import { AmazonError } from './errors.js';
import { listInstances } from './instances.js';
import type { Network } from './network.js';
import type { Ec2Type } from './offered.js';
import { quotaWord, standardCores } from './quota.js';
import { tagsOfStarted } from './run-input.js';
import { tagsFrom } from './tags.js';
import { type Who, whoAmI } from './who.js';

/** What is to be started. */
export interface Intent {
  readonly controllers: number;
  /** Empty where the cloud chooses. */
  readonly instanceType: string;
}

/** Something that lacks: one sentence, and what to do. */
export interface Lack {
  readonly message: string;
  readonly todo: string;
}

export interface Readiness {
  /** Who the credentials say we are; null when they are none. */
  readonly who: Who | null;
  readonly lacks: readonly Lack[];
  /** What works, and should be known. */
  readonly notes: readonly string[];
}

/** "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", in vCPUs. */
const STANDARD_QUOTA = 'L-1216C47A';

/**
 * Looks at all that a bootstrap needs of Amazon before anything is started: who we are, VPC, subnets and zones, instance type,
 * image, quota, and by dry run whether we may start instances and make security groups. What acts on things that are there
 * (ending, tagging) and S3 have no dry run that says anything before they are.
 */
export async function readiness(cloud: Ec2Cloud, intent: Intent): Promise<Readiness> {
  const { amazon } = cloud;
  const lacks: Lack[] = [];
  const notes: string[] = [];
  const tried = async <T>(look: () => Promise<T>): Promise<T | null> => {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      lacks.push({ message: error.message, todo: error.todo });
      return null;
    }
  };
  const who = await tried(() => whoAmI(amazon));
  // Without credentials or Amazon nothing else can be seen.
  if (who === null) return { who, lacks, notes };

  const [network, type] = await Promise.all([
    tried(() => cloud.network.get()),
    tried(() => cloud.typeNamed(intent.instanceType)),
  ]);
  const image = type === null ? null : await tried(() => cloud.imageFor(type.architecture));
  if (network !== null) {
    const zones = network.subnets.map(({ zone }) => zone);
    if (zones.length === 1 && intent.controllers > 1) {
      notes.push(`Only zone ${zones[0]} has a subnet: the loss of that zone takes all controllers.`);
    }
    if (type !== null) await tried(() => offeredIn(amazon, type, zones, notes));
    await tried(() => mayMakeGroups(amazon, network));
  }
  if (network !== null && type !== null && image !== null) {
    await tried(() => mayStart(amazon, network, type, image.id));
  }
  if (type !== null) await tried(() => quotaSuffices(amazon, type, intent.controllers, notes));
  return { who, lacks: distinct(lacks), notes };
}

/** Refuses with all that lacks at once, a line each. */
export function refuseUnready({ who, lacks }: Readiness): void {
  if (lacks.length === 0) return;
  const as = who === null ? '' : ` as ${who.arn}`;
  const lines = lacks.map(({ message, todo }) => `  - ${message}${todo === '' ? '' : ` ${todo}`}`);
  throw new QuorateError('ec2-not-ready', `EC2 cannot be used${as} yet; nothing was started:\n${lines.join('\n')}`, {
    exit: 2,
  });
}

async function offeredIn(amazon: Amazon, { name }: Ec2Type, zones: readonly string[], notes: string[]): Promise<void> {
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
  if (without.length === 0) return;
  if (without.length < zones.length) {
    notes.push(`Instance type ${name} is not offered in ${without.join(', ')}: nothing is started there.`);
    return;
  }
  throw new QuorateError('type-unavailable', `Instance type ${name} is offered in none of ${zones.join(', ')}.`, {
    todo: 'Name another one: --constraints instance-type=…',
  });
}

async function mayMakeGroups(amazon: Amazon, { vpc }: Network): Promise<void> {
  await dryRun(amazon, 'CreateSecurityGroup', () =>
    amazon.ec2.send(
      new CreateSecurityGroupCommand({
        DryRun: true,
        VpcId: vpc,
        GroupName: 'quorate-check',
        Description: 'Quorate asks whether it may make one',
        TagSpecifications: [{ ResourceType: 'security-group', Tags: tagsFrom({ environment: 'check' }) }],
      }),
    ),
  );
}

async function mayStart(amazon: Amazon, { subnets }: Network, type: Ec2Type, image: string): Promise<void> {
  const [first] = subnets;
  const tags = tagsFrom({ environment: 'check', machine: 'check', nonce: 'check' });
  await dryRun(amazon, 'RunInstances', () =>
    amazon.ec2.send(
      new RunInstancesCommand({
        DryRun: true,
        MinCount: 1,
        MaxCount: 1,
        ImageId: image,
        InstanceType: type.name as never,
        SubnetId: first?.id,
        MetadataOptions: { HttpTokens: 'required' },
        TagSpecifications: tagsOfStarted(tags),
      }),
    ),
  );
}

/** Returns when it would have been done; throws what Amazon has against it. */
async function dryRun(amazon: Amazon, call: CallName, send: () => Promise<unknown>): Promise<void> {
  try {
    await amazon.ask(call, send);
  } catch (error) {
    if (error instanceof AmazonError && error.failure.code === 'DryRunOperation') return;
    throw error;
  }
}

async function quotaSuffices(amazon: Amazon, type: Ec2Type, controllers: number, notes: string[]): Promise<void> {
  const limit = await standardQuota(amazon);
  if (limit === null) {
    notes.push('Amazon does not say how many instances the account may have: that is seen when they are started.');
    return;
  }
  const refusal = quotaWord({ limit, used: standardCores(await running(amazon)), type, controllers });
  if (refusal === null) return;
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

const distinct = (lacks: readonly Lack[]) => [...new Map(lacks.map((lack) => [lack.message, lack])).values()];
