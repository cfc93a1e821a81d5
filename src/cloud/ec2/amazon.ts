import { setTimeout as sleep } from 'node:timers/promises';
import { EC2Client } from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { Budget } from './budget.js';
import { type CallName, isCall } from './calls.js';
import { type Identities, identities } from './credentials.js';
import { type EndpointOf, type Endpoints, endpointOf, endpointsFrom } from './endpoints.js';
import type { Reaction } from './error-line.js';
import { AmazonError, amazonError, ifThere } from './errors.js';

export interface AmazonOptions {
  readonly region: string;
  /** Where the services are; the SDK's own settings say it of those that are not named. */
  readonly endpoints?: Endpoints;
  readonly identities?: Identities;
  readonly budget?: Budget;
  /** What is waited for, and why, in a sentence. */
  readonly onWait?: (sentence: string) => void;
  /** How much of a list is asked for at once. */
  readonly pageSize?: number;
  /** Milliseconds without a word before a call counts as unanswered. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 15_000;
const PAGE_SIZE = 1_000;
const ATTEMPTS = 5;
/** What is not shown yet is looked for again after so long; EC2 shows nearly everything within a second. */
const SHOWN_AFTER_MS = [300, 1_000] as const;
/** What was just made is known everywhere after so long. */
const KNOWN_MS = 10_000;

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
  readonly pageSize: number;
  readonly #identities: Identities;
  readonly #onWait: (sentence: string) => void;

  constructor(options: AmazonOptions) {
    const { region, endpoints = {}, budget = new Budget(), onWait = () => {}, patienceMs = PATIENCE_MS } = options;
    this.region = region;
    this.budget = budget;
    this.pageSize = options.pageSize ?? PAGE_SIZE;
    this.#identities = options.identities ?? identities();
    this.#onWait = onWait;
    this.s3Endpoint = endpointOf(endpoints, 'S3') ?? endpointOf(endpointsFrom(process.env), 'S3');
    const common = {
      region,
      credentials: this.#identities.provide,
      retryMode: 'adaptive',
      maxAttempts: ATTEMPTS,
      requestHandler: { connectionTimeout: 3_000, requestTimeout: patienceMs, throwOnRequestTimeout: true },
    };
    const at = (service: EndpointOf) => {
      const endpoint = endpointOf(endpoints, service);
      return { ...common, ...(endpoint === null ? {} : { endpoint }) };
    };
    this.ec2 = new EC2Client(at('EC2'));
    this.once = new EC2Client({ ...at('EC2'), retryMode: 'standard', maxAttempts: 1 });
    // A host name for each bucket is Amazon's alone.
    this.s3 = new S3Client({ ...at('S3'), forcePathStyle: this.s3Endpoint !== null });
    this.ssm = new SSMClient(at('SSM'));
    this.sts = new STSClient(at('STS'));
    this.quotas = new ServiceQuotasClient(at('SERVICE_QUOTAS'));
    for (const client of this.clients) {
      const { middlewareStack } = client as EC2Client;
      middlewareStack.add(
        (next, context) => async (args) => {
          callOf(context);
          return await next(args);
        },
        { name: 'known', step: 'initialize' },
      );
      middlewareStack.add(
        (next, context) => async (args) => {
          await budget.take(callOf(context));
          const result = await next(args);
          // A page or nothing at all reads like an empty list, which an instance's life may hang on.
          if (result.output.$metadata.requestId === undefined) {
            throw Object.assign(new Error('the answer carries no request ID'), { code: 'NotAmazon' });
          }
          return result;
        },
        // Within the retries: each attempt is one.
        { name: 'budget', step: 'finalizeRequest', priority: 'low' },
      );
    }
  }

  get clients() {
    return [this.ec2, this.once, this.s3, this.ssm, this.sts, this.quotas] as const;
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
      const shown = await ifThere(this.ask(call, send));
      if (shown !== null) return shown;
      if (pauseMs !== null) await sleep(pauseMs);
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

  /** An order about a thing that was just made, which may not be known everywhere yet. */
  async askOfNew<T>(call: CallName, send: () => Promise<T>): Promise<T> {
    return await this.askUntilFree(call, send, KNOWN_MS, ['look-again']);
  }

  /** All pages of a list, one after the other. */
  async list<Page extends { NextToken?: string | undefined }, T>(
    call: CallName,
    read: (page: { MaxResults: number; NextToken: string | undefined }) => Promise<Page>,
    itemsOf: (page: Page) => readonly T[] | undefined,
  ): Promise<T[]> {
    const found: T[] = [];
    let NextToken: string | undefined;
    do {
      const page = await this.ask(call, () => read({ MaxResults: this.pageSize, NextToken }));
      found.push(...(itemsOf(page) ?? []));
      NextToken = page.NextToken || undefined;
    } while (NextToken !== undefined);
    return found;
  }

  destroy(): void {
    for (const client of this.clients) client.destroy();
  }
}

/** The call's name; throws where nobody has put it on the list. */
function callOf({ commandName = '' }: { readonly commandName?: string }): CallName {
  const call = commandName.replace(/Command$/, '');
  if (isCall(call)) return call;
  throw new Error(`${call} is called and not among CALLS`);
}
