/**
 * What is to be done about a failure of Amazon's.
 *
 * - `retry`: the same again after a pause; it may have been done already.
 * - `look-again`: what was asked about is not shown yet, or is gone: only looking again tells.
 * - `other-zone`, `other-type`: not here, not as this; nothing was started.
 * - `re-plan`: what was asked does not fit what is there any more; facts are to be read anew.
 * - `wait`: a person or time has to change something; then the same goes on.
 * - `fatal`: trying again changes nothing; a person has to act.
 */
export type Reaction = 'retry' | 'look-again' | 'other-zone' | 'other-type' | 're-plan' | 'wait' | 'fatal';

/** A line of the table. `{call}`, `{permission}` and `{message}` are filled in. */
export interface Line {
  /** Codes as Amazon writes them; one that ends with `*` stands for all that begin so. */
  readonly codes: readonly string[];
  /** Where one code means several things, what the message says in this case. */
  readonly says?: RegExp;
  readonly reaction: Reaction;
  /** The `QuorateError`'s code. */
  readonly becomes: string;
  readonly sentence: string;
  readonly todo: string;
}

const AGAIN = 'It is tried again by itself.';
const CREDENTIALS =
  'Sign in again (aws sso login, or new keys where this process reads them); it goes on by itself then.';
const CLOCK = 'Set the clock of this machine right (a time service keeps it so); it goes on by itself then.';
const ENDPOINT = 'See AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_EC2 and the profile’s endpoint_url, and the region’s name.';
const QUOTA = 'Have the quota raised in Service Quotas of this region, or end instances that nobody needs.';

/**
 * The first line that fits counts. The codes and what they mean are those of the EC2 API Reference (Error codes), the S3 API
 * Reference (Error responses) and the SDK's own classification; what is not here is `fatal` with Amazon's own words.
 */
export const ERRORS: readonly Line[] = [
  // Too much at once, and what passes by itself.
  {
    codes: [
      'RequestLimitExceeded',
      'Throttling',
      'ThrottlingException',
      'ThrottledException',
      'RequestThrottled',
      'EC2ThrottledException',
      'TooManyRequestsException',
      'SlowDown',
      'BandwidthLimitExceeded',
    ],
    reaction: 'retry',
    becomes: 'cloud-throttled',
    sentence: 'Amazon takes no more calls from this account at the moment ({call}).',
    todo: AGAIN,
  },
  {
    codes: [
      'InternalError',
      'InternalFailure',
      'ServiceUnavailable',
      'Unavailable',
      'UnknownError',
      'RequestTimeout',
      'TimeoutError',
    ],
    reaction: 'retry',
    becomes: 'cloud-unavailable',
    sentence: 'Amazon did not do {call}, or did not say that it has: {message}.',
    todo: AGAIN,
  },
  {
    codes: ['ConcurrentTagAccess', 'ConditionalRequestConflict', 'OperationAborted', 'IncorrectState'],
    reaction: 'retry',
    becomes: 'cloud-busy',
    sentence: 'Something else is being done to the same thing ({call}): {message}.',
    todo: AGAIN,
  },
  {
    codes: [
      'DependencyViolation',
      'InvalidGroup.InUse',
      'InvalidNetworkInterface.InUse',
      'VolumeInUse',
      'BucketNotEmpty',
    ],
    reaction: 'retry',
    becomes: 'cloud-in-use',
    sentence: 'Something still needs what {call} is to remove: {message}.',
    todo: AGAIN,
  },
  {
    codes: ['IncorrectInstanceState'],
    reaction: 'retry',
    becomes: 'cloud-busy',
    sentence: 'The instance is on its way to another state ({call}): {message}.',
    todo: AGAIN,
  },
  {
    codes: ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENETDOWN'],
    reaction: 'retry',
    becomes: 'cloud-unreachable',
    sentence: 'Amazon’s {call} could not be reached: {message}.',
    todo: `See this machine’s network. ${AGAIN}`,
  },
  {
    codes: ['CERT_*', 'UNABLE_TO_*', 'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_*', 'EPROTO'],
    reaction: 'fatal',
    becomes: 'cloud-not-trusted',
    sentence: 'What answers as Amazon’s {call} shows a certificate that this machine does not trust: {message}.',
    todo: 'Behind a proxy that signs for others, name its CA with NODE_EXTRA_CA_CERTS or AWS_CA_BUNDLE.',
  },
  {
    codes: ['ENOTFOUND', 'InvalidRegion', 'UnknownEndpoint', 'EndpointError'],
    reaction: 'fatal',
    becomes: 'no-such-endpoint',
    sentence: 'There is no such place as {call} was sent to: {message}.',
    todo: ENDPOINT,
  },
  {
    codes: ['NotAmazon', 'InvalidAction', 'UnknownOperationException', 'ERR_INVALID_URL'],
    reaction: 'fatal',
    becomes: 'not-amazon',
    sentence: 'What answered {call} is not Amazon’s API: {message}.',
    todo: ENDPOINT,
  },

  // Who we are, and the time.
  {
    codes: ['AuthFailure', 'SignatureDoesNotMatch', 'InvalidSignatureException', 'RequestExpired'],
    says: /signature (not yet current|expired)|future|clock|too skewed/i,
    reaction: 'wait',
    becomes: 'clock-wrong',
    sentence: 'Amazon finds the time of this machine wrong by more than it allows ({call}): {message}.',
    todo: CLOCK,
  },
  {
    codes: ['RequestTimeTooSkewed', 'RequestInTheFuture', 'InvalidSecurity.RequestHasExpired'],
    reaction: 'wait',
    becomes: 'clock-wrong',
    sentence: 'Amazon finds the time of this machine wrong by more than it allows ({call}): {message}.',
    todo: CLOCK,
  },
  {
    // EC2 says so of a wrong clock too; the words of that are above.
    codes: ['RequestExpired', 'ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'],
    reaction: 'wait',
    becomes: 'credentials-expired',
    sentence: 'The credentials for Amazon have expired ({call}): {message}.',
    todo: CREDENTIALS,
  },
  {
    codes: ['CredentialsProviderError', 'TokenProviderError'],
    says: /expired|sso login|refresh/i,
    reaction: 'wait',
    becomes: 'credentials-expired',
    sentence: 'The credentials for Amazon have expired: {message}.',
    todo: CREDENTIALS,
  },
  {
    codes: ['CredentialsProviderError', 'TokenProviderError', 'MissingAuthenticationToken'],
    reaction: 'fatal',
    becomes: 'no-credentials',
    sentence: 'There are no credentials for Amazon: {message}.',
    todo: 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with aws sso login.',
  },
  {
    codes: [
      'AuthFailure',
      'InvalidClientTokenId',
      'InvalidAccessKeyId',
      'SignatureDoesNotMatch',
      'IncompleteSignature',
      'UnrecognizedClientException',
      'InvalidToken',
    ],
    reaction: 'fatal',
    becomes: 'credentials-refused',
    sentence: 'Amazon does not accept these credentials ({call}): {message}.',
    todo: 'See with aws sts get-caller-identity who they belong to; a region may also have to be enabled for the account.',
  },
  {
    codes: ['UnauthorizedOperation', 'AccessDenied', 'AccessDeniedException', 'AllAccessDisabled', '403', 'Forbidden'],
    reaction: 'fatal',
    becomes: 'not-permitted',
    sentence: 'These credentials may not do {permission}.',
    todo: 'Have it added to their IAM policy; quorate ec2 policy prints all that is needed.',
  },
  {
    codes: ['OptInRequired', 'PendingVerification', 'Blocked', 'SubscriptionRequiredException', 'NotSignedUp'],
    reaction: 'fatal',
    becomes: 'account-not-ready',
    sentence: 'Amazon does not do {call} for this account yet: {message}.',
    todo: 'See the account’s state in Amazon’s console, or ask its support.',
  },
  {
    codes: ['OperationNotPermitted'],
    says: /disableApi(Termination|Stop)/i,
    reaction: 'fatal',
    becomes: 'instance-protected',
    sentence: 'Somebody protected the instance from {call}.',
    todo: 'Switch its termination and stop protection off in Amazon’s console, and ask again.',
  },

  // No room, not here, not as this.
  {
    codes: ['InsufficientInstanceCapacity', 'InsufficientHostCapacity', 'InsufficientCapacityOnHost'],
    reaction: 'other-zone',
    becomes: 'zone-full',
    sentence: 'Amazon has no room for such an instance in this zone.',
    todo: 'Another zone or another instance type has room at once; else wait.',
  },
  {
    codes: ['InsufficientFreeAddressesInSubnet', 'InsufficientAddressCapacity'],
    reaction: 'other-zone',
    becomes: 'zone-full',
    sentence: 'The subnet of this zone has no free address.',
    todo: 'Use a larger subnet in this zone, or another zone.',
  },
  {
    codes: [
      'InsufficientVolumeCapacity',
      'VolumeTypeNotAvailableInZone',
      'InvalidAvailabilityZone',
      'InvalidZone.NotFound',
    ],
    reaction: 'other-zone',
    becomes: 'zone-full',
    sentence: 'Amazon cannot have the instance or its disk in this zone: {message}.',
    todo: 'Use another zone.',
  },
  {
    codes: ['Unsupported'],
    says: /availability zone/i,
    reaction: 'other-zone',
    becomes: 'zone-full',
    sentence: 'Amazon does not have this instance type in this zone.',
    todo: 'Use another zone or another instance type.',
  },
  {
    codes: [
      'Unsupported',
      'UnsupportedOperation',
      'InvalidInstanceType',
      'InvalidInstanceAttributeValue',
      'EncryptedVolumesNotSupported',
    ],
    reaction: 'other-type',
    becomes: 'type-unavailable',
    sentence: 'Amazon cannot have it with this instance type: {message}.',
    todo: 'Name another one: --constraints instance-type=…',
  },
  {
    codes: ['InvalidParameterValue'],
    says: /instance ?type/i,
    reaction: 'other-type',
    becomes: 'type-unavailable',
    sentence: 'Amazon has no such instance type: {message}.',
    todo: 'Name another one: --constraints instance-type=…',
  },

  // Quotas. Room comes when somebody makes it.
  {
    codes: ['VcpuLimitExceeded', 'InstanceLimitExceeded', 'MaxSpotInstanceCountExceeded'],
    reaction: 'wait',
    becomes: 'quota-reached',
    sentence: 'The account may not have more instances in this region: {message}.',
    todo: QUOTA,
  },
  {
    codes: ['VolumeLimitExceeded', 'MaxIOPSLimitExceeded', 'ResourceLimitExceeded'],
    reaction: 'wait',
    becomes: 'quota-reached',
    sentence: 'The account may not have more of what {call} needs in this region: {message}.',
    todo: QUOTA,
  },
  {
    codes: [
      'SecurityGroupLimitExceeded',
      'RulesPerSecurityGroupLimitExceeded',
      'SecurityGroupsPerInterfaceLimitExceeded',
      'SecurityGroupsPerInstanceLimitExceeded',
    ],
    reaction: 'wait',
    becomes: 'quota-reached',
    sentence: 'The account may not have more security groups or rules here: {message}.',
    todo: 'Expose fewer ports or networks, or have the quota raised in Service Quotas (Amazon VPC).',
  },
  {
    codes: ['TooManyBuckets'],
    reaction: 'wait',
    becomes: 'quota-reached',
    sentence: 'The account may not have more buckets.',
    todo: 'Remove buckets that nobody needs, or have the quota raised in Service Quotas (Amazon S3).',
  },

  // What is there already, not there yet, or not there any more.
  {
    codes: ['InvalidInstanceID.NotFound', 'InvalidInstanceID.Malformed'],
    reaction: 'look-again',
    becomes: 'unknown-instance',
    sentence: 'Amazon does not know the instance, or does not show it yet.',
    todo: '',
  },
  {
    codes: [
      'InvalidGroup.NotFound',
      'InvalidSecurityGroupID.NotFound',
      'InvalidSecurityGroupRuleId.NotFound',
      'InvalidPermission.NotFound',
      'InvalidVolume.NotFound',
      'InvalidNetworkInterfaceID.NotFound',
      'InvalidID',
      'NoSuchKey',
      'NoSuchBucket',
      'NoSuchVersion',
      'NotFound',
      'ParameterNotFound',
      'NoSuchResourceException',
    ],
    reaction: 'look-again',
    becomes: 'cloud-not-found',
    sentence: 'Amazon does not have what {call} was about, or does not show it yet: {message}.',
    todo: '',
  },
  {
    codes: ['InvalidGroup.Duplicate', 'InvalidPermission.Duplicate', 'BucketAlreadyOwnedByYou'],
    reaction: 're-plan',
    becomes: 'cloud-there-already',
    sentence: 'What {call} is to make is there already.',
    todo: '',
  },
  {
    codes: ['PreconditionFailed'],
    reaction: 're-plan',
    becomes: 'stale',
    sentence: 'Somebody else wrote the object meanwhile.',
    todo: '',
  },
  {
    codes: ['IdempotentParameterMismatch', 'InvalidClientToken'],
    reaction: 're-plan',
    becomes: 'nonce-spent',
    sentence: 'The instance of this nonce was asked for with other words before, and none is shown.',
    todo: 'A new machine gets a new nonce.',
  },
  {
    codes: ['IdempotentInstanceTerminated'],
    reaction: 're-plan',
    becomes: 'nonce-spent',
    sentence: 'The instance of this nonce was terminated: the nonce starts nothing any more.',
    todo: 'A new machine gets a new nonce.',
  },

  // What was set wrongly.
  {
    codes: ['InvalidAMIID.*', 'InvalidAMIName.*'],
    reaction: 'fatal',
    becomes: 'no-image',
    sentence: 'The image is not there, or not for this account: {message}.',
    todo: 'Name another one, for this region and the instance type’s architecture.',
  },
  {
    codes: ['InvalidVpcID.*', 'VPCIdNotSpecified', 'DefaultVpcDoesNotExist', 'VPCResourceNotSpecified'],
    reaction: 'fatal',
    becomes: 'no-vpc',
    sentence: 'The region has no such VPC: {message}.',
    todo: 'Name one that is there, or make the default one: aws ec2 create-default-vpc.',
  },
  {
    codes: ['InvalidSubnetID.*', 'InvalidSubnet'],
    reaction: 're-plan',
    becomes: 'no-subnet',
    sentence: 'A subnet went away: {message}.',
    todo: 'See which subnets the VPC has; each zone needs one.',
  },
  {
    codes: ['InvalidParameterValue', 'InvalidIamInstanceProfileArn.Malformed'],
    says: /iam ?instance ?profile/i,
    reaction: 'fatal',
    becomes: 'no-instance-profile',
    sentence: 'There is no such instance profile: {message}.',
    todo: 'Name one that is there; one that was just made takes some seconds to be seen.',
  },
  {
    codes: ['TagLimitExceeded', 'InvalidTagKey.Malformed'],
    reaction: 'fatal',
    becomes: 'tags-refused',
    sentence: 'Amazon refuses the tags that each thing has to carry: {message}.',
    todo: 'See the account’s tag policies; quorate:environment, quorate:machine and quorate:nonce must be allowed.',
  },
  {
    codes: ['BucketAlreadyExists'],
    reaction: 'fatal',
    becomes: 'bucket-taken',
    sentence: 'Somebody else has a bucket of the environment’s name.',
    todo: 'Bootstrap another environment: its name comes from a new UUID.',
  },
  {
    codes: ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException', '301'],
    reaction: 'fatal',
    becomes: 'bucket-elsewhere',
    sentence: 'The environment’s bucket lies in another region: {message}.',
    todo: 'Name the region that the environment was bootstrapped in.',
  },
];
