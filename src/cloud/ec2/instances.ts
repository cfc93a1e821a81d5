import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  type Filter,
  GetConsoleOutputCommand,
  type Instance as SdkInstance,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { QuorateError } from '../../errors.js';
import type { InstanceHealth, InstanceState } from '../cloud.js';
import type { Amazon } from './amazon.js';
import { AmazonError } from './errors.js';
import { healthOf } from './health.js';
import { type Ec2Instance, instanceOf, oldestFirst, withoutGoneTwins } from './instance.js';
import { tagged } from './tags.js';

/** What a system gets to shut down by itself. */
const GRACE_MS = 60_000;
/** EC2 takes minutes to end an instance whose hardware does not answer. */
const CONFIRMED_MS = 10 * 60_000;
/** How long an order waits for an instance that is on its way to another state. */
const ORDERED_MS = 60_000;

/** Instances that run, stop and end; how they are started is in `launch.ts`. */
export class Instances {
  constructor(private readonly amazon: Amazon) {}

  /** All of an environment, those that are gone as long as EC2 shows them. */
  async list(environment: string): Promise<Ec2Instance[]> {
    return withoutGoneTwins(await this.#describe(tagged({ environment })));
  }

  /** All of a nonce, the one that counts first. */
  async twins(environment: string, nonce: string): Promise<Ec2Instance[]> {
    return oldestFirst(await this.#describe(tagged({ environment, nonce })));
  }

  /** Of those that run. EC2 takes a hundred IDs at once, and no tags. */
  async health(instances: readonly string[]): Promise<InstanceHealth[]> {
    const health: InstanceHealth[] = [];
    for (let from = 0; from < instances.length; from += 100) {
      const InstanceIds = instances.slice(from, from + 100);
      const page = await this.amazon.askUntilShown('DescribeInstanceStatus', () =>
        this.amazon.ec2.send(new DescribeInstanceStatusCommand({ InstanceIds })),
      );
      health.push(...(page?.InstanceStatuses ?? []).map(healthOf));
    }
    return health;
  }

  /** null for one that is not there, not shown yet after a second, or not ours. */
  async find(id: string): Promise<Ec2Instance | null> {
    const found = await this.amazon.askUntilShown('DescribeInstances', () =>
      this.amazon.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] })),
    );
    const [seen] = (found?.Reservations ?? []).flatMap(({ Instances = [] }) => Instances);
    return seen === undefined ? null : instanceOf(seen);
  }

  async stop(id: string, graceMs = GRACE_MS): Promise<Ec2Instance> {
    const found = await this.#known(id);
    if (found.state === 'terminated' || found.state === 'stopped') return found;
    if (found.state !== 'stopping') {
      await this.#order('StopInstances', () => this.amazon.ec2.send(new StopInstancesCommand({ InstanceIds: [id] })));
    }
    const asked = await this.#until(id, ['stopped', 'terminated'], graceMs);
    if (asked.state === 'stopped' || asked.state === 'terminated') return asked;
    await this.#order('StopInstances', () =>
      this.amazon.ec2.send(new StopInstancesCommand({ InstanceIds: [id], Force: true })),
    );
    return await this.#until(id, ['stopped', 'terminated'], CONFIRMED_MS);
  }

  async startAgain(id: string): Promise<Ec2Instance> {
    const known = await this.#known(id);
    const found = known.state === 'stopping' ? await this.#until(id, ['stopped', 'terminated'], CONFIRMED_MS) : known;
    if (found.state === 'running' || found.state === 'pending') return found;
    if (found.state !== 'stopped') {
      throw new QuorateError('instance-terminated', `instance ${id} is terminated and cannot start again`);
    }
    await this.#order('StartInstances', () => this.amazon.ec2.send(new StartInstancesCommand({ InstanceIds: [id] })));
    return await this.#known(id);
  }

  /** Resolves once EC2 says that it is gone. */
  async terminate(id: string): Promise<Ec2Instance> {
    const found = await this.#known(id);
    if (found.state === 'terminated') return found;
    try {
      await this.#order('TerminateInstances', () =>
        this.amazon.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] })),
      );
    } catch (error) {
      // Gone so long that EC2 has forgotten it since we looked.
      if (!(error instanceof AmazonError) || error.code !== 'unknown-instance') throw error;
      return { ...found, state: 'terminated' };
    }
    const ended = await this.#until(id, ['terminated'], CONFIRMED_MS, found);
    if (ended.state === 'terminated') return ended;
    throw new QuorateError('not-terminated', `Amazon has not ended instance ${id} within 10 minutes.`, {
      todo: 'It goes on ending it; ask again, or see the instance in Amazon’s console.',
    });
  }

  /** The newest console output where the hardware gives it, else what EC2 kept of the last start or stop. */
  async consoleLog(id: string): Promise<string> {
    const read = async (Latest: boolean) => {
      const printed = await this.amazon.askUntilShown('GetConsoleOutput', () =>
        this.amazon.ec2.send(new GetConsoleOutputCommand({ InstanceId: id, ...(Latest ? { Latest } : {}) })),
      );
      if (printed === null) throw unknownInstance(id);
      return decoded(printed.Output);
    };
    try {
      return await read(true);
    } catch (error) {
      if (!(error instanceof AmazonError) || error.failure.code !== 'UnsupportedOperation') throw error;
      return await read(false);
    }
  }

  async #known(id: string): Promise<Ec2Instance> {
    const found = await this.find(id);
    if (found !== null) return found;
    throw unknownInstance(id);
  }

  /** An order that comes while the instance is on its way to another state is given again. */
  async #order(
    call: 'StopInstances' | 'StartInstances' | 'TerminateInstances',
    send: () => Promise<unknown>,
  ): Promise<void> {
    await this.amazon.askUntilFree(call, send, ORDERED_MS);
  }

  /** The instance as it is once it is in one of these states, or after so long. One that EC2 has forgotten is terminated. */
  async #until(id: string, states: InstanceState[], forMs: number, before?: Ec2Instance): Promise<Ec2Instance> {
    const deadline = performance.now() + forMs;
    for (let pauseMs = 1_000; ; pauseMs = Math.min(pauseMs * 1.5, 5_000)) {
      const found = await this.find(id);
      const seen =
        found ?? (before === undefined ? await this.#known(id) : { ...before, state: 'terminated' as const });
      const left = deadline - performance.now();
      if (states.includes(seen.state) || left <= 0) return seen;
      await sleep(Math.min(pauseMs, left));
    }
  }

  async #describe(Filters: Filter[]): Promise<Ec2Instance[]> {
    return (await listInstances(this.amazon, Filters)).flatMap((each) => instanceOf(each) ?? []);
  }
}

/** Instances as EC2 tells of them, whosever they are. */
export async function listInstances(amazon: Amazon, Filters: Filter[]): Promise<SdkInstance[]> {
  return await amazon.list(
    'DescribeInstances',
    (page) => amazon.ec2.send(new DescribeInstancesCommand({ ...page, Filters })),
    ({ Reservations = [] }) => Reservations.flatMap(({ Instances = [] }) => Instances),
  );
}

/** What is said of one that is not there. */
export const unknownInstance = (id: string) =>
  new QuorateError('unknown-instance', `there is no instance ${id}`, {
    todo: 'see the instances with quorate cloud list',
  });

const decoded = (output: string | undefined) => Buffer.from(output ?? '', 'base64').toString('utf8');
