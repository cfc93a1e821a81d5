import { QuorateError, reasonOf } from '../errors.js';

/** gRPC status codes (https://grpc.io/docs/guides/status-codes/). */
export const GRPC = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  unimplemented: 12,
  unauthenticated: 16,
} as const;
export const REFUSALS: ReadonlySet<number> = new Set([GRPC.permissionDenied, GRPC.unimplemented, GRPC.unauthenticated]);

export function codeOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number'
    ? error.code
    : -1;
}

/** What a failure of a connection means: the reason in words, and what to do. */
interface Fault {
  readonly why: string;
  readonly todo: string;
}

const UNKNOWN_CA: Fault = {
  why: 'its certificate is of a CA that is not trusted here',
  todo: 'Name the CA of that Temporal in TEMPORAL_TLS_SERVER_CA_CERT_PATH, and see that the address is the right one.',
};
const NO_CERTIFICATE: Fault = {
  why: 'it asks for a client certificate, and was shown none that it takes',
  todo: 'Name one in TEMPORAL_TLS_CLIENT_CERT_PATH and its key in TEMPORAL_TLS_CLIENT_KEY_PATH.',
};
const OTHER_CLIENT_CA: Fault = {
  why: 'it does not take the client certificate: it does not know the CA that issued it',
  todo: 'Give that Temporal the CA (on Temporal Cloud: tcld namespace accepted-client-ca add), or name another certificate in TEMPORAL_TLS_CLIENT_CERT_PATH.',
};
const CLIENT_EXPIRED: Fault = {
  why: 'the client certificate has ended, or its time has not come yet',
  todo: 'Name one that holds in TEMPORAL_TLS_CLIENT_CERT_PATH, and see that the clocks are right.',
};
const SERVER_EXPIRED: Fault = {
  why: 'its certificate has ended, or its time has not come yet',
  todo: 'Renew it there, and see that the clocks are right.',
};
const OTHER_NAME: Fault = {
  why: 'its certificate is for another name',
  todo: 'Say the name that stands in it with TEMPORAL_TLS_SERVER_NAME, if that Temporal is the right one.',
};
const NO_TLS: Fault = {
  why: 'it does not speak TLS there',
  todo: 'Unset TEMPORAL_TLS and the API key, or correct the address.',
};

/** Node's and OpenSSL's words for what goes wrong with TLS. */
const TLS_FAULTS: Readonly<Record<string, Fault>> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  CERT_HAS_EXPIRED: SERVER_EXPIRED,
  CERT_NOT_YET_VALID: SERVER_EXPIRED,
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_NAME,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: NO_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: NO_CERTIFICATE,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: OTHER_CLIENT_CA,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: OTHER_CLIENT_CA,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: CLIENT_EXPIRED,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

const UNREACHABLE =
  'See that it runs and that TEMPORAL_ADDRESS and its TLS settings are right; the embedded one starts with `quorate engine start`. Environments go on serving meanwhile, only changes wait.';

/** What went wrong between us and a Temporal, for people: `temporal-namespace`, `temporal-refused` or `temporal-unreachable`. Pure. */
export function explain(error: unknown, address: string, namespace: string): QuorateError {
  const code = codeOf(error);
  if (code === GRPC.notFound) {
    return new QuorateError('temporal-namespace', `Temporal at ${address} has no namespace "${namespace}".`, {
      todo: `Make it with \`temporal operator namespace create --address ${address} -n ${namespace}\`, or name another in TEMPORAL_NAMESPACE.`,
      cause: error,
    });
  }
  if (code === GRPC.permissionDenied || code === GRPC.unauthenticated) {
    return new QuorateError(
      'temporal-refused',
      `Temporal at ${address} refuses this client in its namespace "${namespace}": ${sentence(error)}.`,
      {
        todo: 'See that the API key or certificate of the Temporal client configuration still holds and may use that namespace, and that the namespace is there. Controllers are given a new one with: quorate engine adopt',
        cause: error,
      },
    );
  }
  const fault = TLS_FAULTS[wordOf(error)];
  const why = fault === undefined ? sentence(error) : `${fault.why} (${sentence(error)})`;
  return new QuorateError('temporal-unreachable', `Temporal at ${address} cannot be reached: ${why}.`, {
    todo: fault?.todo ?? UNREACHABLE,
    cause: error,
  });
}

/** Node's word for a failure, which is also what OpenSSL's alerts come as. */
const wordOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** OpenSSL puts numbers and names of C functions before and after its sentence. */
function sentence(error: unknown): string {
  const reason = reasonOf(error).trim();
  const said = /:SSL routines:[^:]*:([^:]+):/.exec(reason)?.[1] ?? reason;
  return said.replace(/\.$/, '');
}
