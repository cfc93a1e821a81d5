import { AGAIN, type Line, line } from './error-line.js';

const CREDENTIALS =
  'Sign in again (aws sso login, or new keys where this process reads them); it goes on by itself then.';
const CLOCK = 'Set the clock of this machine right (a time service keeps it so); it goes on by itself then.';
const ENDPOINT = 'See AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_EC2 and the profile’s endpoint_url, and the region’s name.';

/** What goes wrong with a call whatever it is about: Amazon, the way there, who we are. */
export const ERRORS_OF_CALLS: readonly Line[] = [
  // Too much at once, and what passes by itself.
  line(
    'RequestLimitExceeded Throttling ThrottlingException ThrottledException RequestThrottled ' +
      'EC2ThrottledException TooManyRequestsException SlowDown BandwidthLimitExceeded',
    'retry',
    'cloud-throttled',
    'Amazon takes no more calls from this account at the moment ({call}).',
    AGAIN,
  ),
  line(
    'InternalError InternalFailure ServiceUnavailable Unavailable UnknownError RequestTimeout TimeoutError',
    'retry',
    'cloud-unavailable',
    'Amazon did not do {call}, or did not say that it has: {message}.',
    AGAIN,
  ),
  line(
    'ConcurrentTagAccess ConditionalRequestConflict OperationAborted IncorrectState',
    'retry',
    'cloud-busy',
    'Something else is being done to the same thing ({call}): {message}.',
    AGAIN,
  ),
  line(
    'DependencyViolation InvalidGroup.InUse InvalidNetworkInterface.InUse VolumeInUse BucketNotEmpty',
    'retry',
    'cloud-in-use',
    'Something still needs what {call} is to remove: {message}.',
    AGAIN,
  ),
  line(
    'IncorrectInstanceState',
    'retry',
    'cloud-busy',
    'The instance is on its way to another state ({call}): {message}.',
    AGAIN,
  ),
  line(
    'ECONNRESET ECONNREFUSED EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH EAI_AGAIN ENETDOWN',
    'retry',
    'cloud-unreachable',
    'Amazon’s {call} could not be reached: {message}.',
    `See this machine’s network. ${AGAIN}`,
  ),
  line(
    'CERT_* UNABLE_TO_* SELF_SIGNED_CERT_IN_CHAIN DEPTH_ZERO_SELF_SIGNED_CERT ERR_TLS_* EPROTO',
    'fatal',
    'cloud-not-trusted',
    'What answers as Amazon’s {call} shows a certificate that this machine does not trust: {message}.',
    'Behind a proxy that signs for others, name its CA with NODE_EXTRA_CA_CERTS or AWS_CA_BUNDLE.',
  ),
  line(
    'ENOTFOUND InvalidRegion UnknownEndpoint EndpointError',
    'fatal',
    'no-such-endpoint',
    'There is no such place as {call} was sent to: {message}.',
    ENDPOINT,
  ),
  line(
    'NotAmazon InvalidAction UnknownOperationException ERR_INVALID_URL',
    'fatal',
    'not-amazon',
    'What answered {call} is not Amazon’s API: {message}.',
    ENDPOINT,
  ),

  // Who we are, and the time.
  line(
    'AuthFailure SignatureDoesNotMatch InvalidSignatureException RequestExpired',
    'wait',
    'clock-wrong',
    'Amazon finds the time of this machine wrong by more than it allows ({call}): {message}.',
    CLOCK,
    /signature (not yet current|expired)|future|clock|too skewed/i,
  ),
  line(
    'RequestTimeTooSkewed RequestInTheFuture InvalidSecurity.RequestHasExpired',
    'wait',
    'clock-wrong',
    'Amazon finds the time of this machine wrong by more than it allows ({call}): {message}.',
    CLOCK,
  ),
  // EC2 says so of a wrong clock too; the words of that are above.
  line(
    'RequestExpired ExpiredToken ExpiredTokenException TokenRefreshRequired',
    'wait',
    'credentials-expired',
    'The credentials for Amazon have expired ({call}): {message}.',
    CREDENTIALS,
  ),
  line(
    'CredentialsProviderError TokenProviderError',
    'wait',
    'credentials-expired',
    'The credentials for Amazon have expired: {message}.',
    CREDENTIALS,
    /expired|sso login|refresh/i,
  ),
  line(
    'CredentialsProviderError TokenProviderError MissingAuthenticationToken',
    'fatal',
    'no-credentials',
    'There are no credentials for Amazon: {message}.',
    'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with aws sso login.',
  ),
  line(
    'AuthFailure InvalidClientTokenId InvalidAccessKeyId SignatureDoesNotMatch IncompleteSignature ' +
      'UnrecognizedClientException InvalidToken',
    'fatal',
    'credentials-refused',
    'Amazon does not accept these credentials ({call}): {message}.',
    'See with aws sts get-caller-identity who they belong to; a region may also have to be enabled for the account.',
  ),
  line(
    'UnauthorizedOperation AccessDenied AccessDeniedException AllAccessDisabled 403 Forbidden',
    'fatal',
    'not-permitted',
    'These credentials may not do {permission}.',
    'Have it added to their IAM policy; quorate ec2 policy prints all that is needed.',
  ),
  line(
    'OptInRequired PendingVerification Blocked SubscriptionRequiredException NotSignedUp',
    'fatal',
    'account-not-ready',
    'Amazon does not do {call} for this account yet: {message}.',
    'See the account’s state in Amazon’s console, or ask its support.',
  ),
  line(
    'OperationNotPermitted',
    'fatal',
    'instance-protected',
    'Somebody protected the instance from {call}.',
    'Switch its termination and stop protection off in Amazon’s console, and ask again.',
    /disableApi(Termination|Stop)/i,
  ),
];
