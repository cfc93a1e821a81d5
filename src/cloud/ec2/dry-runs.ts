import { CreateSecurityGroupCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import type { Amazon } from './amazon.js';
import type { CallName } from './calls.js';
import { AmazonError } from './errors.js';
import type { Network } from './network.js';
import type { Ec2Type } from './offered.js';
import { tagsOfStarted } from './run-input.js';
import { tagsFrom } from './tags.js';

/** Asks by dry run whether we may make security groups in this VPC. Throws what Amazon has against it. */
export async function mayMakeGroups(amazon: Amazon, { vpc }: Network): Promise<void> {
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

/** Asks by dry run whether we may start such an instance, and give it its role. Throws what Amazon has against it. */
export async function mayStart(
  amazon: Amazon,
  { subnets }: Network,
  type: Ec2Type,
  { image, profile }: { readonly image: string; readonly profile: string },
): Promise<void> {
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
        ...(profile === '' ? {} : { IamInstanceProfile: { Name: profile } }),
      }),
    ),
  );
}

/** Returns when it would have been done. */
async function dryRun(amazon: Amazon, call: CallName, send: () => Promise<unknown>): Promise<void> {
  try {
    await amazon.ask(call, send);
  } catch (error) {
    if (error instanceof AmazonError && error.failure.code === 'DryRunOperation') return;
    throw error;
  }
}
