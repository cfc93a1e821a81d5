import { type Line, line } from './error-line.js';

const QUOTA = 'Have the quota raised in Service Quotas of this region, or end instances that nobody needs.';

/** What goes wrong with what a call is about. */
export const ERRORS_OF_THINGS: readonly Line[] = [
  // No room, not here, not as this.
  line(
    'InsufficientInstanceCapacity InsufficientHostCapacity InsufficientCapacityOnHost',
    'other-zone',
    'zone-full',
    'Amazon has no room for such an instance in this zone.',
    'Another zone or another instance type has room at once; else wait.',
  ),
  line(
    'InsufficientFreeAddressesInSubnet InsufficientAddressCapacity',
    'other-zone',
    'zone-full',
    'The subnet of this zone has no free address.',
    'Use a larger subnet in this zone, or another zone.',
  ),
  line(
    'InsufficientVolumeCapacity VolumeTypeNotAvailableInZone InvalidAvailabilityZone InvalidZone.NotFound',
    'other-zone',
    'zone-full',
    'Amazon cannot have the instance or its disk in this zone: {message}.',
    'Use another zone.',
  ),
  line(
    'Unsupported',
    'other-zone',
    'zone-full',
    'Amazon does not have this instance type in this zone.',
    'Use another zone or another instance type.',
    /availability zone/i,
  ),
  line(
    'Unsupported UnsupportedOperation InvalidInstanceType InvalidInstanceAttributeValue ' +
      'EncryptedVolumesNotSupported',
    'other-type',
    'type-unavailable',
    'Amazon cannot have it with this instance type: {message}.',
    'Name another one: --constraints instance-type=…',
  ),
  line(
    'InvalidParameterValue',
    'other-type',
    'type-unavailable',
    'Amazon has no such instance type: {message}.',
    'Name another one: --constraints instance-type=…',
    /instance ?type/i,
  ),

  // Quotas. Room comes when somebody makes it.
  line(
    'VcpuLimitExceeded InstanceLimitExceeded MaxSpotInstanceCountExceeded',
    'wait',
    'quota-reached',
    'The account may not have more instances in this region: {message}.',
    QUOTA,
  ),
  line(
    'VolumeLimitExceeded MaxIOPSLimitExceeded ResourceLimitExceeded',
    'wait',
    'quota-reached',
    'The account may not have more of what {call} needs in this region: {message}.',
    QUOTA,
  ),
  line(
    'SecurityGroupLimitExceeded RulesPerSecurityGroupLimitExceeded ' +
      'SecurityGroupsPerInterfaceLimitExceeded SecurityGroupsPerInstanceLimitExceeded',
    'wait',
    'quota-reached',
    'The account may not have more security groups or rules here: {message}.',
    'Expose fewer ports or networks, or have the quota raised in Service Quotas (Amazon VPC).',
  ),
  line(
    'TooManyBuckets',
    'wait',
    'quota-reached',
    'The account may not have more buckets.',
    'Remove buckets that nobody needs, or have the quota raised in Service Quotas (Amazon S3).',
  ),

  // What is there already, not there yet, or not there any more.
  line(
    'InvalidInstanceID.NotFound InvalidInstanceID.Malformed',
    'look-again',
    'unknown-instance',
    'Amazon does not know the instance, or does not show it yet.',
    '',
  ),
  line(
    'InvalidGroup.NotFound InvalidSecurityGroupID.NotFound InvalidSecurityGroupRuleId.NotFound ' +
      'InvalidPermission.NotFound InvalidVolume.NotFound InvalidNetworkInterfaceID.NotFound InvalidID ' +
      'NoSuchKey NoSuchBucket NoSuchVersion NotFound ParameterNotFound NoSuchResourceException',
    'look-again',
    'cloud-not-found',
    'Amazon does not have what {call} was about, or does not show it yet: {message}.',
    '',
  ),
  line(
    'InvalidGroup.Duplicate InvalidPermission.Duplicate BucketAlreadyOwnedByYou',
    're-plan',
    'cloud-there-already',
    'What {call} is to make is there already.',
    '',
  ),
  line('PreconditionFailed', 're-plan', 'stale', 'Somebody else wrote the object meanwhile.', ''),
  line(
    'IdempotentParameterMismatch InvalidClientToken',
    're-plan',
    'nonce-spent',
    'The instance of this nonce was asked for with other words before, and none is shown.',
    'A new machine gets a new nonce.',
  ),
  line(
    'IdempotentInstanceTerminated',
    're-plan',
    'nonce-spent',
    'The instance of this nonce was terminated: the nonce starts nothing any more.',
    'A new machine gets a new nonce.',
  ),

  // What was set wrongly.
  line(
    'InvalidAMIID.* InvalidAMIName.*',
    'fatal',
    'no-image',
    'The image is not there, or not for this account: {message}.',
    'Name another one, for this region and the instance type’s architecture.',
  ),
  line(
    'InvalidVpcID.* VPCIdNotSpecified DefaultVpcDoesNotExist VPCResourceNotSpecified',
    'fatal',
    'no-vpc',
    'The region has no such VPC: {message}.',
    'Name one that is there, or make the default one: aws ec2 create-default-vpc.',
  ),
  line(
    'InvalidSubnetID.* InvalidSubnet',
    're-plan',
    'no-subnet',
    'A subnet went away: {message}.',
    'See which subnets the VPC has; each zone needs one.',
  ),
  line(
    'InvalidParameterValue InvalidIamInstanceProfileArn.Malformed',
    'fatal',
    'no-instance-profile',
    'There is no such instance profile: {message}.',
    'Name one that is there; one that was just made takes some seconds to be seen.',
    /iam ?instance ?profile/i,
  ),
  line(
    'TagLimitExceeded InvalidTagKey.Malformed',
    'fatal',
    'tags-refused',
    'Amazon refuses the tags that each thing has to carry: {message}.',
    'See the account’s tag policies; quorate:environment, quorate:machine and quorate:nonce must be allowed.',
  ),
  line(
    'BucketAlreadyExists',
    'fatal',
    'bucket-taken',
    'Somebody else has a bucket of the environment’s name.',
    'Bootstrap another environment: its name comes from a new UUID.',
  ),
  line(
    'PermanentRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException 301',
    'fatal',
    'bucket-elsewhere',
    'The environment’s bucket lies in another region: {message}.',
    'Name the region that the environment was bootstrapped in.',
  ),
];
