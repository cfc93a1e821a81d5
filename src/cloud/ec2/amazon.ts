import { setTimeout as sleep } from 'node:timers/promises';
import { EC2Client } from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { Budget } from './budget.js';
import { type CallName, isCall } from './calls.js';
import { type Identities, identities } from './credentials.js';
import type { Reaction } from './error-table.js';
import { AmazonError, amazonError } from './errors.js';

export interface AmazonOptions {
  readonly region: string;
  /** Where the SDK's own settings are not to be used (tests). */
  readonly endpoint?: string;
  readonly identities?: Identities;
  readonly budget?: Budget;
  /** Each attempt of a call, before it is sent. */
  readonly onCall?: (call: CallName) => void;
  /** What is waited for, and why, in a sentence. */
  readonly onWait?: (sentence: string) => void;
  /** Milliseconds without a word before a call counts as unanswered. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 15_000;
const ATTEMPTS = 5;
/** What is not shown yet is looked for again after so long; EC2 shows nearly everything within a second. */
const SHOWN_AFTER_MS = [300, 1_000] as const;

// Which Node the SDK's next releases need is for those who pin its version, not for an operator.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/**
 * Amazon's API as the product calls it: every call is one of `CALLS`, comes out of one budget, is tried again by the SDK's
 * adaptive retry, and fails with a sentence of the error table.
 */
export class Amazon {
  readonly region: string;
  /** Where S3 is, if not at Amazon's own endpoint. */
  readonly s3Endpoint: string | null;
  readonly ec2: EC2Client;
  /** Sends once: for what may not be repeated before somebody has looked. */
  readonly once: EC2Client;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
  readonly sts: STSClient;
  readonly quotas: ServiceQuotasClient;
  readonly budget: Budget;
  readonly #identities: Identities;
  readonly #onWait: (sentence: string) => void;

  constructor(options: AmazonOptions) {
    const { region, endpoint, budget = new Budget(), onCall, onWait = () => {}, patienceMs = PATIENCE_MS } = options;
    this.region = region;
    this.budget = budget;
    this.#identities = options.identities ?? identities();
    this.#onWait = onWait;
    this.s3Endpoint = endpoint ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL ?? null;
    const common = {
      region,
      credentials: this.#identities.provide,
      retryMode: 'adaptive',
      maxAttempts: ATTEMPTS,
      requestHandler: { connectionTimeout: 3_000, requestTimeout: patienceMs, throwOnRequestTimeout: true },
      ...(endpoint === undefined ? {} : { endpoint }),
    };
    this.ec2 = new EC2Client(common);
    this.once = new EC2Client({ ...common, retryMode: 'standard', maxAttempts: 1 });
    // A host name for each bucket is Amazon's alone.
    this.s3 = new S3Client({ ...common, forcePathStyle: this.s3Endpoint !== null });
    this.ssm = new SSMClient(common);
    this.sts = new STSClient(common);
    this.quotas = new ServiceQuotasClient(common);
    for (const client of [this.ec2, this.once, this.s3, this.ssm, this.sts, this.quotas]) {
      (client as EC2Client).middlewareStack.add(
        (next, { commandName = '' }) =>
          async (args) => {
            const call = commandName.replace(/Command$/, '');
            if (!isCall(call)) throw new Error(`${call} is called and not among CALLS`);
            onCall?.(call);
            await budget.take(call);
            return await next(args);
          },
        // Within the retries: each attempt is one.
        { name: 'budget', step: 'finalizeRequest', priority: 'low' },
      );
    }
  }

  /**
   * Sends a call. Credentials that have expired are read anew once before that is an error.
   * @throws AmazonError, with what is to be done about it
   */
  async ask<T>(call: CallName, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      const failed = amazonError(error, call);
      if (!(failed instanceof AmazonError) || failed.code !== 'credentials-expired') throw failed;
      this.#onWait(failed.message);
      this.#identities.renew();
    }
    try {
      return await send();
    } catch (error) {
      throw amazonError(error, call);
    }
  }

  /** The same about a thing that may be so new that it is not shown yet: null when it is not shown after some looks. */
  async askUntilShown<T>(call: CallName, send: () => Promise<T>): Promise<T | null> {
    for (const pauseMs of [...SHOWN_AFTER_MS, null]) {
      try {
        return await this.ask(call, send);
      } catch (error) {
        if (!(error instanceof AmazonError) || error.reaction !== 'look-again') throw error;
        if (pauseMs !== null) await sleep(pauseMs);
      }
    }
    return null;
  }

  /** Asks again after a pause for as long as the table says that it may pass by itself, at most for so long. */
  async askUntilFree<T>(
    call: CallName,
    send: () => Promise<T>,
    forMs: number,
    passing: readonly Reaction[] = ['retry'],
  ): Promise<T> {
    const deadline = performance.now() + forMs;
    for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      try {
        return await this.ask(call, send);
      } catch (error) {
        const passes = error instanceof AmazonError && passing.includes(error.reaction);
        if (!passes || performance.now() + pauseMs > deadline) throw error;
        this.#onWait(error.message);
        await sleep(pauseMs);
      }
    }
  }

  destroy(): void {
    for (const client of [this.ec2, this.once, this.s3, this.ssm, this.sts, this.quotas]) client.destroy();
  }
}
