import { readFileSync } from 'node:fs';
import { StopInstancesCommand } from '@aws-sdk/client-ec2';
import type { MongoClientOptions } from 'mongodb';
import type { Ec2Cloud } from '../../../src/cloud/ec2/ec2-cloud.js';
import { openStore } from '../../../src/store/store.js';
import { connectTemporal, type Temporal } from '../../../src/temporal/connect.js';
import { BootingAccount } from '../booting-account.js';
import { cloudAt, REGION } from '../ec2.js';
import { type Home, until } from '../home.js';
import { loginWith } from '../member.js';
import { beside } from '../pid-namespaces.js';
import { COMMANDS } from '../programs.js';
import { startTemporal } from '../temporal.js';
import { workflowsLeft } from '../traces.js';
import type { MemberOf, Service, Site } from './site.js';

/** Where the agent's unit has it keep what is its own. */
const AGENT = 'var/lib/quorate';
const OFF_S = 60;

/** The EC2 endpoint whose instances boot, with a Temporal of the operator's own. */
export class Ec2Site implements Site {
  readonly cloudName = `ec2/${REGION}`;
  readonly console: Ec2Cloud;

  private constructor(readonly account: BootingAccount) {
    this.console = cloudAt(account.moto.endpoint);
  }

  /** @param options as `BootingAccount.open` has them */
  static async open(options: Parameters<typeof BootingAccount.open>[1] = {}): Promise<Ec2Site> {
    const site = new Ec2Site(await BootingAccount.open('shell', options));
    // Clients in this process are the operator's too: what they find no controller for they ask S3.
    for (const [name, value] of Object.entries(site.home.env)) if (name.startsWith('AWS_')) process.env[name] = value;
    return site;
  }

  get home(): Home {
    return this.account.operator.home;
  }

  get machines(): string {
    return this.account.moto.machines;
  }

  async powerOff(instance: string): Promise<void> {
    await this.account.console.send(new StopInstancesCommand({ InstanceIds: [instance], Force: true }));
    await until(
      `instance ${instance} to be off`,
      async () => ['stopped', 'terminated'].includes((await this.console.describe(instance))?.state ?? 'terminated'),
      OFF_S,
    );
  }

  /** PIDs of all that runs in an instance; none while it is off. */
  pids(instance: string): number[] {
    const first = this.account.moto.firstProcess(instance);
    return first === null ? [] : beside(first);
  }

  pidsOf(instance: string, service: Service): number[] {
    return this.pids(instance).filter((pid) => COMMANDS[service].test(commandOf(pid)));
  }

  login(_environment: string, { instance, mongo }: MemberOf, options: MongoClientOptions = {}) {
    return loginWith(this.account.moto.disk(instance, AGENT), mongo, options);
  }

  workers(): number[] {
    return this.account.moto.disks().flatMap((instance) => this.pidsOf(instance, 'worker'));
  }

  async connect(): Promise<Temporal> {
    return await connectTemporal({ target: { address: `127.0.0.1:${this.#port}`, namespace: 'default' } });
  }

  async temporalPid(): Promise<number | null> {
    return this.home.processes().find(({ command }) => command.includes('server start-dev'))?.pid ?? null;
  }

  async startEngine(): Promise<void> {
    if ((await this.temporalPid()) === null) await startTemporal(this.home, this.#port);
    await this.home.ok('engine', 'start');
  }

  async problems(): Promise<readonly string[]> {
    return [];
  }

  async traces(name: string): Promise<{ left(): Promise<string[]> }> {
    const store = await openStore(this.home.env);
    const record = await store.readEnvironment(name);
    if (record === null) throw new Error(`there is no environment ${name} that could leave traces`);
    return {
      left: async () => {
        const { instances, groups, bucket, disks } = await this.account.left(record.uuid);
        const temporal = await this.connect();
        const workflows = await workflowsLeft(temporal, record).finally(() => temporal.connection.close());
        return [
          ...(instances > 0 ? [`${instances} instances are not terminated`] : []),
          ...(groups > 0 ? [`${groups} security groups`] : []),
          ...(bucket ? ['its bucket'] : []),
          ...disks.map((id) => `the disk of ${id}`),
          ...((await store.readEnvironment(name)) === null ? [] : ['its record']),
          ...workflows,
        ];
      },
    };
  }

  async close(keep = false): Promise<void> {
    this.console.amazon.destroy();
    await this.account.close(keep);
  }

  /** Instances reach Temporal by the same port as this host does. */
  get #port(): number {
    return Number(this.home.env.TEMPORAL_ADDRESS?.split(':').at(-1));
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // It ended while we looked.
  }
}
