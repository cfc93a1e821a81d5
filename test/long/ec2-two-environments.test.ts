import { randomUUID } from 'node:crypto';
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeInstancesCommand,
  type EC2Client,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Machine } from '../../src/api/machines.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import type { Ec2Cloud } from '../../src/cloud/ec2/ec2-cloud.js';
import { PublishedObject } from '../../src/cloud/ec2/published.js';
import { instanceTags } from '../../src/cloud/ec2/tags.js';
import { s3ObjectAt } from '../../src/cloud/s3-url.js';
import { type Relay, startRelay } from '../../src/engine/relay.js';
import type { AddressSet } from '../../src/store/record.js';
import { BootingMoto, PROFILE } from '../support/booting-moto.js';
import { cloudAt, consoleAt, KEYS, NAMED, REGION, withVariables } from '../support/ec2.js';
import { Ec2Operator } from '../support/ec2-operator.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { whyNoNamespaces } from '../support/namespaces.js';
import { ownTemporal } from '../support/temporal.js';

const why = await whyNoNamespaces();
if (why !== '') console.warn(`Skipped, as there are no namespaces: ${why}`);
/** A machine fetches 250 MB, and several share two processors. */
const BOOTED_S = 1_200;
/** The cloud is asked four times a minute, about its checks twice. */
const TOLD_S = 180;

/** One operator with an environment of one controller and a workload machine. */
interface Side {
  readonly operator: Ec2Operator;
  readonly environment: TestEnvironment;
  readonly uuid: string;
}

describe.skipIf(why !== '')(
  'two environments of one name in one account, of two operators',
  { timeout: 3_600_000 },
  () => {
    let endpoint: BootingMoto;
    const operators: Ec2Operator[] = [];
    let relay: Relay;
    let console: EC2Client;
    let cloud: Ec2Cloud;
    let first: Side;
    let second: Side;

    beforeAll(async () => {
      endpoint = await BootingMoto.start('shell');
      console = consoleAt(endpoint.endpoint);
      cloud = cloudAt(endpoint.endpoint);
      for (const _ of [1, 2]) {
        const operator = new Ec2Operator(endpoint.endpoint);
        operators.push(operator);
        const { env } = operator.home;
        Object.assign(env, { QUORATE_EC2_VPC: endpoint.vpc, QUORATE_EC2_INSTANCE_PROFILE: PROFILE });
        // What machines run is put into the bucket.
        for (const name of Object.keys(NAMED)) delete env[name];
      }
      const [one, two] = operators as [Ec2Operator, Ec2Operator];
      // The dev server cannot reach itself at any address but 127.0.0.1.
      const { address } = await ownTemporal(one.home);
      relay = await startRelay({ address, namespace: 'default' }, endpoint.gateway, () => true);
      for (const { home } of operators) home.env.TEMPORAL_ADDRESS = relay.connection.address;
      first = await begin(one);
      second = await begin(two);
    }, 3_000_000);

    afterAll(async () => {
      for (const side of [first, second]) side?.environment.client.close();
      for (const operator of operators) await operator.close();
      relay?.close();
      cloud?.amazon.destroy();
      console?.destroy();
      await endpoint?.stop();
    }, 300_000);

    async function begin(operator: Ec2Operator): Promise<Side> {
      const environment = await TestEnvironment.at(operator.home, `ec2/${REGION}`, 1);
      await operator.home.ok('add-machine');
      await environment.statusWhen('machine 1', isStarted('1'), BOOTED_S);
      const { environment: told } = await environment.status();
      return { operator, environment, uuid: told.uuid };
    }

    /** IDs of an environment's instances that are not terminated, by Amazon's own list. */
    async function instancesOf(uuid: string): Promise<string[]> {
      const { Reservations = [] } = await console.send(new DescribeInstancesCommand({}));
      return Reservations.flatMap(({ Instances = [] }) => Instances)
        .filter(({ State, Tags }) => State?.Name !== 'terminated' && instanceTags(Tags)?.environment === uuid)
        .map(({ InstanceId = '' }) => InstanceId)
        .sort();
    }

    const isStarted =
      (machine: string) =>
      ({ machines }: { readonly machines: readonly { readonly id: string; readonly agent: string }[] }) =>
        machines.some(({ id, agent }) => id === machine && agent === 'started');

    const machinesOf = ({ operator }: Side) => operator.home.json<Machine[]>('machines');

    /** As an agent reads it when it finds nobody. */
    async function published({ environment }: Side): Promise<AddressSet> {
      const record = await environment.store.readEnvironment('demo');
      const object = s3ObjectAt(new URL(record?.url ?? ''));
      if (object === null) throw new Error(`${record?.url} is no object of S3's`);
      const read = await withVariables(KEYS, () => new PublishedObject(object, 10_000).read(null, 1_000_000));
      if (read === 'not-modified') throw new Error('nothing was known of it');
      return JSON.parse(read.text) as AddressSet;
    }

    test('neither lists what is the other’s', async () => {
      for (const side of [first, second]) {
        const own = (await machinesOf(side)).map(({ instance }) => instance).sort();
        expect(own).toEqual(await instancesOf(side.uuid));
        await side.environment.statusWhen('all to be well', ({ ha }) => ha.problems.length === 0, TOLD_S);
        const other = side === first ? second : first;
        const { stdout } = await side.operator.home.run('cloud', 'list');
        for (const id of own) expect(stdout).toContain(id);
        for (const id of await instancesOf(other.uuid)) expect(stdout).not.toContain(id);
      }
    });

    test('quorate doctor tells of the other’s as of somebody else’s, and finds its own instances well', async () => {
      const { stdout } = await first.operator.home.run('doctor', '--format', 'json');
      const findings = JSON.parse(stdout) as Finding[];
      const ec2 = findings.filter(({ check }) => check === 'ec2');
      expect(ec2.map(({ seen }) => seen)).toEqual([expect.stringContaining(second.uuid)]);
      expect(ec2[0]?.todo).toMatch(/may be somebody else's/);
      expect(findings.filter(({ check }) => check === 'instances')).toMatchObject([{ well: true }]);
    });

    test('what the cloud’s checks find of an instance is told in its environment alone, and replaces nobody', async () => {
      const controller = await first.environment.instanceOf('0');
      endpoint.impaired.add(controller);
      const told = await first.environment.statusWhen(
        'the checks to be told',
        ({ ha }) => ha.problems.some((problem) => problem.includes(controller)),
        TOLD_S,
      );
      expect(told.ha.problems.join()).toContain('quorate replace 0');
      expect(told.change).toBe(null);
      expect((await second.environment.status()).ha.problems).toEqual([]);
      endpoint.impaired.clear();
      await first.environment.statusWhen('all to be well again', ({ ha }) => ha.problems.length === 0, TOLD_S);
      expect(await first.environment.instanceOf('0')).toBe(controller);
    });

    test('a public address that an instance is given is published, and no change was needed', async () => {
      const before = await published(second);
      const { AllocationId, PublicIp } = await console.send(new AllocateAddressCommand({ Domain: 'vpc' }));
      const InstanceId = await second.environment.instanceOf('0');
      await console.send(new AssociateAddressCommand({ AllocationId, InstanceId }));
      const after = await until(
        'the published set to have the public address',
        async () => {
          const set = await published(second);
          return set.version > before.version ? set : null;
        },
        TOLD_S,
        1_000,
      );
      expect(after.servers).toEqual([{ ...before.servers[0], public: `${PublicIp}:17070` }]);
      await second.environment.writesGoOn();
    });

    test('a sweep ends what belongs to no machine of its own environment, and looks at no other', async () => {
      const before = await instancesOf(second.uuid);
      await first.operator.home.ok('config', 'leftover-grace=0s');
      const { vpc } = endpoint;
      const own = cloudAt(endpoint.endpoint, {}, { vpc });
      try {
        const start = (environment: string, nonce: string) =>
          own.start({ tags: { environment, machine: '0', nonce }, userData: '#!/bin/sh\n', zone: `${REGION}a` });
        const [left, others] = [await start(first.uuid, 'by-hand'), await start(second.uuid, randomUUID())];
        await until(
          'the leftover to be ended',
          async () => !(await instancesOf(first.uuid)).includes(left.id),
          TOLD_S,
          1_000,
        );
        expect(await instancesOf(second.uuid)).toEqual([...before, others.id].sort());
        await own.terminate(others.id);
      } finally {
        own.amazon.destroy();
      }
    });

    test('an agent that slept through a change of all controllers finds its way by the bucket', async () => {
      const { environment, operator } = first;
      const sleeper = (await machinesOf(first)).find(({ id }) => id === '1')?.instance ?? '';
      const old = await environment.instanceOf('0');
      await cloud.stop(sleeper);
      await operator.home.ok('enable-ha');
      const next = (await environment.whole(3)).controllers.at(-1)?.machine ?? '';
      await operator.home.ok('disable-ha', '--keep', next);
      await until(
        'the old controller to be gone',
        async () => !(await instancesOf(first.uuid)).includes(old),
        BOOTED_S,
        1_000,
      );
      const { controllers, machines } = await environment.whole(1);
      expect(controllers.map(({ machine }) => machine)).toEqual([next]);
      expect(machines.find(({ id }) => id === '1')?.agent).not.toBe('started');
      await cloud.startAgain(sleeper);
      await environment.statusWhen('machine 1 to be heard again', isStarted('1'), BOOTED_S);
    });

    test('the end of one leaves the other whole', async () => {
      const before = await instancesOf(first.uuid);
      await second.environment.writer.stop();
      await second.operator.home.ok('destroy-environment', 'demo', '--yes');
      expect(await instancesOf(second.uuid)).toEqual([]);
      expect(await cloud.bucket.exists(second.uuid)).toBe(false);
      expect(await instancesOf(first.uuid)).toEqual(before);
      expect(await cloud.bucket.exists(first.uuid)).toBe(true);
      await first.environment.whole(1);
      await first.environment.writesGoOn();
      expect(await first.environment.lost()).toEqual([]);
      await first.operator.home.ok('destroy-environment', 'demo', '--yes');
      expect([...(await cloud.tagged()).keys()]).toEqual([]);
      expect(endpoint.disks()).toEqual([]);
    });
  },
);
