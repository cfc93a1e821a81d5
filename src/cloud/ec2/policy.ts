import { CALLS, type CallKind, OPERATORS_ACTIONS, type Scope } from './calls.js';
import { TAGS } from './tags.js';

/** A statement of an IAM policy. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** For whom the policy is. */
export interface PolicyFor {
  /** `*` for every region. */
  readonly region: string;
  /** ID of the account; `*` where it is not known. */
  readonly account: string;
  /** Name of the role that instances get by their profile; empty where they get none. */
  readonly role: string;
  /** Of operators, or of the role that instances have: what controllers do with it, and what each reads to boot. */
  readonly of: 'operators' | 'instances';
}

/**
 * The least that the product's calls need, made of the list of the calls. What was not made by Quorate cannot be changed with
 * it: changes are allowed on what carries the tag of an environment alone, and nothing is made without it. Pure.
 */
export function policy({ region, account, role, of }: PolicyFor): Policy {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  const ec2 = (kind: string, owner = account) => `arn:${partition}:ec2:${region}:${owner}:${kind}/*`;
  const isOurs = { Null: { [`aws:ResourceTag/${TAGS.environment}`]: 'false' } };
  const becomesOurs = { Null: { [`aws:RequestTag/${TAGS.environment}`]: 'false' } };
  const allow = (Sid: string, scope: Scope, Resource: readonly string[], Condition?: Statement['Condition']) => ({
    Sid,
    Effect: 'Allow' as const,
    Action: actionsOn(scope).filter((action) => of === 'operators' || !OPERATORS_ACTIONS.has(action)),
    Resource,
    ...(Condition ? { Condition } : {}),
  });
  return {
    Version: '2012-10-17',
    Statement: [
      allow('Look', 'all', ['*']),
      // Any group: the check before a bootstrap asks when there is none of ours yet, so about the VPC's default one.
      allow('StartFrom', 'start', [
        ec2('image', ''),
        ec2('image'),
        ec2('snapshot', ''),
        ec2('snapshot'),
        ec2('subnet'),
        ec2('security-group'),
      ]),
      allow('Start', 'start', [ec2('instance'), ec2('volume'), ec2('network-interface')], becomesOurs),
      allow('GroupsIn', 'group', [ec2('vpc')]),
      allow('Groups', 'group', [ec2('security-group')], becomesOurs),
      allow(
        'TagWhatIsMade',
        'tag',
        ['instance', 'volume', 'network-interface', 'security-group'].map((kind) => ec2(kind)),
        {
          StringEquals: { 'ec2:CreateAction': ['RunInstances', 'CreateSecurityGroup'] },
        },
      ),
      allow('TagWhatIsOurs', 'tag', [ec2('security-group')], isOurs),
      allow('Change', 'ours', ['*'], isOurs),
      allow('Bucket', 'bucket', [`arn:${partition}:s3:::quorate-*`]),
      allow('Objects', 'object', [`arn:${partition}:s3:::quorate-*/*`]),
      allow('Images', 'image', [`arn:${partition}:ssm:${region}::parameter/aws/service/*`]),
      ...(role === ''
        ? []
        : [
            {
              Sid: 'GiveTheRole',
              Effect: 'Allow' as const,
              Action: ['iam:PassRole'],
              Resource: [`arn:${partition}:iam::${account}:role/${role}`],
              Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
            },
          ]),
    ],
  };
}

/** The actions that the calls need on a kind of thing, each once. Pure. */
export function actionsOn(scope: Scope): string[] {
  const needs = Object.values<CallKind>(CALLS).flatMap((call) => call.needs);
  return [...new Set(needs.filter(([, on]) => on === scope).map(([action]) => action))].sort();
}
