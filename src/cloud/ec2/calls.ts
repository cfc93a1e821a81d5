/** An AWS service that the product calls. */
export type Service = 'ec2' | 's3' | 'ssm' | 'sts' | 'servicequotas';

/** What is known of a call of Amazon's API. */
export interface CallKind {
  readonly service: Service;
  /** IAM actions that it takes; none where everybody may. */
  readonly actions: readonly string[];
  /** Whether it changes anything, and so comes out of the smaller budget. */
  readonly changes: boolean;
}

const ec2 = (action: string, changes: boolean): CallKind => ({ service: 'ec2', actions: [`ec2:${action}`], changes });
const s3 = (changes: boolean, ...actions: string[]): CallKind => ({
  service: 's3',
  actions: actions.map((action) => `s3:${action}`),
  changes,
});
const reading = (action: string) => ec2(action, false);
const changing = (action: string) => ec2(action, true);

/**
 * Every call that the product makes, by its name. The clients refuse one that is not here, so the policy that is made of this
 * list is never too small; that each is used is seen in the tests' recording, so it is never too large.
 */
export const CALLS = {
  DescribeInstances: reading('DescribeInstances'),
  DescribeInstanceTypes: reading('DescribeInstanceTypes'),
  DescribeSubnets: reading('DescribeSubnets'),
  DescribeVpcs: reading('DescribeVpcs'),
  DescribeAvailabilityZones: reading('DescribeAvailabilityZones'),
  DescribeSecurityGroups: reading('DescribeSecurityGroups'),
  DescribeImages: reading('DescribeImages'),
  DescribeVolumes: reading('DescribeVolumes'),
  DescribeNetworkInterfaces: reading('DescribeNetworkInterfaces'),
  GetConsoleOutput: reading('GetConsoleOutput'),
  // Tags at creation take a permission of their own.
  RunInstances: { service: 'ec2', actions: ['ec2:RunInstances', 'ec2:CreateTags'], changes: true },
  StartInstances: changing('StartInstances'),
  StopInstances: changing('StopInstances'),
  TerminateInstances: changing('TerminateInstances'),
  CreateSecurityGroup: { service: 'ec2', actions: ['ec2:CreateSecurityGroup', 'ec2:CreateTags'], changes: true },
  AuthorizeSecurityGroupIngress: changing('AuthorizeSecurityGroupIngress'),
  RevokeSecurityGroupIngress: changing('RevokeSecurityGroupIngress'),
  DeleteSecurityGroup: changing('DeleteSecurityGroup'),
  ModifyNetworkInterfaceAttribute: changing('ModifyNetworkInterfaceAttribute'),
  CreateTags: changing('CreateTags'),
  DeleteVolume: changing('DeleteVolume'),
  CreateBucket: s3(true, 'CreateBucket'),
  PutPublicAccessBlock: s3(true, 'PutBucketPublicAccessBlock'),
  PutBucketVersioning: s3(true, 'PutBucketVersioning'),
  PutBucketEncryption: s3(true, 'PutEncryptionConfiguration'),
  PutBucketLifecycleConfiguration: s3(true, 'PutLifecycleConfiguration'),
  PutBucketTagging: s3(true, 'PutBucketTagging'),
  GetObject: s3(false, 'GetObject'),
  PutObject: s3(true, 'PutObject'),
  DeleteObject: s3(true, 'DeleteObject', 'DeleteObjectVersion'),
  ListObjectsV2: s3(false, 'ListBucket'),
  ListObjectVersions: s3(false, 'ListBucketVersions'),
  DeleteBucket: s3(true, 'DeleteBucket'),
  GetParameter: { service: 'ssm', actions: ['ssm:GetParameter'], changes: false },
  GetCallerIdentity: { service: 'sts', actions: [], changes: false },
  GetServiceQuota: { service: 'servicequotas', actions: ['servicequotas:GetServiceQuota'], changes: false },
} as const satisfies Record<string, CallKind>;

export type CallName = keyof typeof CALLS;

/** Whether the product makes this call. */
export function isCall(name: string): name is CallName {
  return name in CALLS;
}

/** The IAM action that a call is about; its own name where it takes none or nobody knows it. */
export function actionOf(call: string): string {
  return (isCall(call) && CALLS[call].actions[0]) || call;
}
