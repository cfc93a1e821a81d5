import { defaultProvider } from '@aws-sdk/credential-provider-node';

// Which Node the SDK's next releases need is for those who pin its version, not for an operator.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

type Provider = ReturnType<typeof defaultProvider>;

/** Who this process is to Amazon. */
export interface Identities {
  /** What the clients ask before each call. */
  readonly provide: Provider;
  /** Reads everything anew with the next call: a person has signed in again, or a file was replaced. */
  renew(): void;
}

/**
 * The SDK's own chain: environment, profiles, SSO, processes, web identity, the instance's role. The SDK keeps what has no
 * date of expiry for as long as the process lives, and the files as it first read them; a worker lives for months.
 */
export function identities(make: (ignoreCache: boolean) => Provider = chain): Identities {
  let current = make(false);
  const provide: Provider = (options) => current(options);
  return {
    // `memoized`: the chain remembers by itself, and the client is not to keep what it was given.
    provide: Object.assign(provide, { memoized: true }),
    renew: () => {
      current = make(true);
    },
  };
}

const chain = (ignoreCache: boolean): Provider => defaultProvider(ignoreCache ? { ignoreCache } : {});
