/** An AWS service that the product calls. */
export type Service = 'ec2' | 's3' | 'ssm' | 'sts' | 'servicequotas';

/**
 * What a call acts on, and so how narrowly it can be allowed.
 *
 * - `all`: lists, which IAM cannot narrow.
 * - `ours`: things that carry the environment's tag.
 * - `start`, `group`: makes things with the tag, among things that are not ours (images, subnets, the VPC).
 * - `tag`: tags at creation, or of what is ours.
 * - `bucket`, `object`: buckets of our names, and what is in them.
 * - `image`: the public parameters that name images.
 */
export type Scope = 'all' | 'ours' | 'start' | 'group' | 'tag' | 'bucket' | 'object' | 'image';

/** What is known of a call of Amazon's API. */
export interface CallKind {
  readonly service: Service;
  /** IAM actions that it takes, and on what; none where everybody may. */
  readonly needs: readonly (readonly [action: string, Scope])[];
  /** Whether it changes anything, and so comes out of the smaller budget. */
  readonly changes: boolean;
}

const list = (action: string): CallKind => ({ service: 'ec2', needs: [[`ec2:${action}`, 'all']], changes: false });
const change = (action: string): CallKind => ({ service: 'ec2', needs: [[`ec2:${action}`, 'ours']], changes: true });
const s3 = (scope: Scope, changes: boolean, ...actions: string[]): CallKind => ({
  service: 's3',
  needs: actions.map((action) => [`s3:${action}`, scope] as const),
  changes,
});

/**
 * Every call that the product makes, by its name. The clients refuse one that is not here, so the policy that is made of this
 * list is never too small; that each is made is seen in the tests' recording, so it is never too large.
 */
export const CALLS = {
  DescribeInstances: list('DescribeInstances'),
  DescribeInstanceStatus: list('DescribeInstanceStatus'),
  DescribeInstanceTypes: list('DescribeInstanceTypes'),
  DescribeInstanceTypeOfferings: list('DescribeInstanceTypeOfferings'),
  DescribeSubnets: list('DescribeSubnets'),
  DescribeVpcs: list('DescribeVpcs'),
  DescribeAvailabilityZones: list('DescribeAvailabilityZones'),
  DescribeSecurityGroups: list('DescribeSecurityGroups'),
  DescribeImages: list('DescribeImages'),
  DescribeVolumes: list('DescribeVolumes'),
  DescribeNetworkInterfaces: list('DescribeNetworkInterfaces'),
  GetConsoleOutput: { service: 'ec2', needs: [['ec2:GetConsoleOutput', 'ours']], changes: false },
  RunInstances: {
    service: 'ec2',
    needs: [
      ['ec2:RunInstances', 'start'],
      ['ec2:CreateTags', 'tag'],
    ],
    changes: true,
  },
  StartInstances: change('StartInstances'),
  StopInstances: change('StopInstances'),
  TerminateInstances: change('TerminateInstances'),
  CreateSecurityGroup: {
    service: 'ec2',
    needs: [
      ['ec2:CreateSecurityGroup', 'group'],
      ['ec2:CreateTags', 'tag'],
    ],
    changes: true,
  },
  AuthorizeSecurityGroupIngress: change('AuthorizeSecurityGroupIngress'),
  RevokeSecurityGroupIngress: change('RevokeSecurityGroupIngress'),
  DeleteSecurityGroup: change('DeleteSecurityGroup'),
  ModifyNetworkInterfaceAttribute: change('ModifyNetworkInterfaceAttribute'),
  CreateTags: { service: 'ec2', needs: [['ec2:CreateTags', 'tag']], changes: true },
  DeleteVolume: change('DeleteVolume'),
  DeleteNetworkInterface: change('DeleteNetworkInterface'),
  CreateBucket: s3('bucket', true, 'CreateBucket'),
  PutPublicAccessBlock: s3('bucket', true, 'PutBucketPublicAccessBlock'),
  PutBucketVersioning: s3('bucket', true, 'PutBucketVersioning'),
  PutBucketEncryption: s3('bucket', true, 'PutEncryptionConfiguration'),
  PutBucketLifecycleConfiguration: s3('bucket', true, 'PutLifecycleConfiguration'),
  PutBucketTagging: s3('bucket', true, 'PutBucketTagging'),
  ListBuckets: { service: 's3', needs: [['s3:ListAllMyBuckets', 'all']], changes: false },
  ListObjectsV2: s3('bucket', false, 'ListBucket'),
  ListObjectVersions: s3('bucket', false, 'ListBucketVersions'),
  DeleteBucket: s3('bucket', true, 'DeleteBucket'),
  GetObject: s3('object', false, 'GetObject'),
  PutObject: s3('object', true, 'PutObject'),
  DeleteObject: s3('object', true, 'DeleteObject', 'DeleteObjectVersion'),
  GetParameter: { service: 'ssm', needs: [['ssm:GetParameter', 'image']], changes: false },
  GetCallerIdentity: { service: 'sts', needs: [], changes: false },
  GetServiceQuota: { service: 'servicequotas', needs: [['servicequotas:GetServiceQuota', 'all']], changes: false },
} as const satisfies Record<string, CallKind>;

export type CallName = keyof typeof CALLS;

/**
 * Actions that operators alone take: before there is a controller, when there is none any more, and at the control panel.
 * Controllers' activities do without, so the role of instances does too.
 */
export const OPERATORS_ACTIONS: ReadonlySet<string> = new Set([
  'ec2:DescribeInstanceTypeOfferings',
  'ec2:DescribeVolumes',
  'ec2:DescribeNetworkInterfaces',
  'ec2:StartInstances',
  'ec2:StopInstances',
  'ec2:DeleteVolume',
  'ec2:DeleteNetworkInterface',
  's3:ListAllMyBuckets',
  's3:CreateBucket',
  's3:PutBucketPublicAccessBlock',
  's3:PutBucketVersioning',
  's3:PutEncryptionConfiguration',
  's3:PutLifecycleConfiguration',
  's3:PutBucketTagging',
  's3:ListBucketVersions',
  's3:DeleteBucket',
  's3:DeleteObjectVersion',
  'servicequotas:GetServiceQuota',
]);

/** Whether the product makes this call. */
export function isCall(name: string): name is CallName {
  return Object.hasOwn(CALLS, name);
}

/** The IAM action that a call is about; its own name where it takes none or nobody knows it. */
export function actionOf(call: string): string {
  return (isCall(call) && CALLS[call].needs[0]?.[0]) || call;
}
