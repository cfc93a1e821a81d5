import {
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  type EC2Client,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tagOf } from '../../src/cloud/ec2/tags.js';
import { type Relay, startRelay } from '../../src/engine/relay.js';
import { BootingMoto, PROFILE } from '../support/booting-moto.js';
import { cloudAt, consoleAt, NAMED, REGION } from '../support/ec2.js';
import { Ec2Operator } from '../support/ec2-operator.js';
import { secondaryOf, TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { whyNoNamespaces } from '../support/namespaces.js';
import { ownTemporal } from '../support/temporal.js';

const why = await whyNoNamespaces();
if (why !== '') console.warn(`Skipped, as there are no namespaces: ${why}`);
/** A machine fetches 250 MB, and three share two processors. */
const REPLACED_S = 1_200;

describe.skipIf(why !== '')('an environment on EC2 whose instances boot', { timeout: 3_600_000 }, () => {
  let endpoint: BootingMoto;
  let operator: Ec2Operator;
  let relay: Relay;
  let console: EC2Client;

  beforeAll(async () => {
    endpoint = await BootingMoto.start('systemd');
    operator = new Ec2Operator(endpoint.endpoint);
    const { env } = operator.home;
    Object.assign(env, { QUORATE_EC2_VPC: endpoint.vpc, QUORATE_EC2_INSTANCE_PROFILE: PROFILE });
    // What machines run is put into the bucket.
    for (const name of Object.keys(NAMED)) delete env[name];
    // The dev server cannot reach itself at any address but 127.0.0.1.
    const { address } = await ownTemporal(operator.home);
    relay = await startRelay({ address, namespace: 'default' }, endpoint.gateway, () => true);
    env.TEMPORAL_ADDRESS = relay.connection.address;
    console = consoleAt(endpoint.endpoint);
  }, 600_000);

  afterAll(async () => {
    console?.destroy();
    relay?.close();
    await operator?.close();
    await endpoint?.stop();
  }, 300_000);

  /** All that the account has of it, by kind. */
  async function left(uuid: string) {
    const [{ Reservations = [] }, { SecurityGroups = [] }] = [
      await console.send(new DescribeInstancesCommand({})),
      await console.send(new DescribeSecurityGroupsCommand({})),
    ];
    const cloud = cloudAt(endpoint.endpoint);
    const bucket = await cloud.bucket.exists(uuid);
    cloud.amazon.destroy();
    return {
      instances: Reservations.flatMap(({ Instances = [] }) => Instances).flatMap(({ State }) =>
        State?.Name === 'terminated' ? [] : [State?.Name],
      ),
      groups: SecurityGroups.filter(({ Tags }) => tagOf(Tags, 'environment') === uuid).length,
      bucket,
      disks: endpoint.disks(),
    };
  }

  test('it starts with three, replaces one that is terminated in Amazon’s console, goes back to one, and leaves nothing', async () => {
    const environment = await TestEnvironment.at(operator.home, `ec2/${REGION}`, 3);
    try {
      const { environment: told, ...before } = await environment.whole(3);
      expect(new Set(before.controllers.map(({ address }) => address)).size).toBe(3);
      await environment.writesGoOn();

      const machine = secondaryOf({ environment: told, ...before });
      const gone = await environment.instanceOf(machine);
      // The operator's machine works no more: controllers start the next one themselves, by the role that they have.
      await operator.home.ok('engine', 'stop');
      await console.send(new TerminateInstancesCommand({ InstanceIds: [gone] }));
      const healed = await environment.statusWhen(
        `a controller in the place of ${machine}`,
        ({ ha, controllers, change }) =>
          ha.healthyVoters === 3 && change === null && !controllers.some((each) => each.machine === machine),
        REPLACED_S,
      );
      expect(healed.controllers.map(({ machine }) => machine)).toContain('3');
      await environment.writesGoOn();

      await operator.home.ok('disable-ha');
      await environment.whole(1);
      await environment.writesGoOn();
      expect(await environment.lost()).toEqual([]);
      await until(
        'one instance to be left',
        async () => (await left(told.uuid)).instances.length === 1,
        REPLACED_S,
        1_000,
      );

      await operator.home.ok('destroy-environment', 'demo', '--yes');
      expect(await left(told.uuid)).toEqual({ instances: [], groups: 0, bucket: false, disks: [] });
    } finally {
      await environment.writer.stop();
      environment.client.close();
    }
  });
});
