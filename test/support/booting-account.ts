import { DescribeInstancesCommand, DescribeSecurityGroupsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { tagOf } from '../../src/cloud/ec2/tags.js';
import { type Relay, startRelay } from '../../src/engine/relay.js';
import type { Shared } from './bare/machine.js';
import type { FirstProcess } from './booting/guest.js';
import { BootingMoto, PROFILE } from './booting-moto.js';
import { cloudAt, consoleAt, NAMED } from './ec2.js';
import { Ec2Operator } from './ec2-operator.js';
import { FaultyProxy } from './faulty-proxy.js';
import { Home } from './home.js';
import { ownTemporal } from './temporal.js';

/** How late an answer is that is late. */
const LATE_MS = 1_000;

/**
 * An account whose instances boot, and its operator with a Temporal of their own that instances reach. What the product asks
 * goes through `proxy`, which knows each call and does to it what a test says; who stands at the `console` goes around it.
 */
export class BootingAccount {
  private constructor(
    readonly moto: BootingMoto,
    readonly proxy: FaultyProxy,
    readonly operator: Ec2Operator,
    readonly console: EC2Client,
    private readonly relay: Relay,
  ) {}

  /**
   * @param options `home` of the operator; `shared`: what of this host instances see besides
   */
  static async open(
    firstProcess: FirstProcess,
    { home = new Home(), shared }: { readonly home?: Home; readonly shared?: Shared } = {},
  ): Promise<BootingAccount> {
    const moto = await BootingMoto.start(firstProcess, shared);
    const proxy = await FaultyProxy.start(moto.endpoint, LATE_MS, moto.gateway);
    const operator = new Ec2Operator(proxy.endpoint, home);
    try {
      const { env } = operator.home;
      Object.assign(env, { QUORATE_EC2_VPC: moto.vpc, QUORATE_EC2_INSTANCE_PROFILE: PROFILE });
      // What machines run is put into the bucket.
      for (const name of Object.keys(NAMED)) delete env[name];
      // The dev server cannot reach itself at any address but 127.0.0.1.
      const { address } = await ownTemporal(operator.home);
      const relay = await startRelay({ address, namespace: 'default' }, moto.gateway, () => true);
      env.TEMPORAL_ADDRESS = relay.connection.address;
      return new BootingAccount(moto, proxy, operator, consoleAt(moto.endpoint), relay);
    } catch (error) {
      await operator.close();
      await proxy.stop();
      await moto.stop();
      throw error;
    }
  }

  /** Everything that an environment ever started, by machine, with what became of it. */
  async started(uuid: string): Promise<{ machine: string; state: string }[]> {
    const { Reservations = [] } = await this.console.send(new DescribeInstancesCommand({}));
    return Reservations.flatMap(({ Instances = [] }) => Instances)
      .filter(({ Tags }) => tagOf(Tags, 'environment') === uuid)
      .map(({ Tags, State }) => ({ machine: tagOf(Tags, 'machine'), state: State?.Name ?? '' }));
  }

  /** How many of its instances are not terminated. */
  async running(uuid: string): Promise<number> {
    return (await this.started(uuid)).filter(({ state }) => state !== 'terminated').length;
  }

  /** All that the account has of an environment, by kind. */
  async left(uuid: string) {
    const { SecurityGroups = [] } = await this.console.send(new DescribeSecurityGroupsCommand({}));
    const cloud = cloudAt(this.moto.endpoint);
    try {
      return {
        instances: await this.running(uuid),
        groups: SecurityGroups.filter(({ Tags }) => tagOf(Tags, 'environment') === uuid).length,
        bucket: await cloud.bucket.exists(uuid),
        disks: this.moto.disks(),
      };
    } finally {
      cloud.amazon.destroy();
    }
  }

  /** @param keep whether the operator's files stay */
  async close(keep = false): Promise<void> {
    this.console.destroy();
    this.relay.close();
    await (keep ? this.operator.home.leave() : this.operator.close());
    await this.proxy.stop();
    await this.moto.stop();
  }
}

/** What `left` says once all of it is gone. */
export const NOTHING = { instances: 0, groups: 0, bucket: false, disks: [] };
