import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CallName } from '../../src/cloud/ec2/calls.js';
import { BootingAccount, NOTHING } from '../support/booting-account.js';
import { FETCH } from '../support/call-names.js';
import { REGION } from '../support/ec2.js';
import { secondaryOf, TestEnvironment } from '../support/environment.js';
import type { Fault } from '../support/faulty-proxy.js';
import { until } from '../support/home.js';
import { whyNoNamespaces } from '../support/namespaces.js';

const why = await whyNoNamespaces();
if (why !== '') console.warn(`Skipped, as there are no namespaces: ${why}`);
const LONG_S = 1_200;

/** Those that a life makes in any case; what else comes fails too. */
const SURELY: readonly (CallName | typeof FETCH)[] = [
  'RunInstances',
  'TerminateInstances',
  'CreateSecurityGroup',
  'AuthorizeSecurityGroupIngress',
  'DeleteSecurityGroup',
  'DescribeInstances',
  'DescribeSecurityGroups',
  'GetConsoleOutput',
  'CreateBucket',
  'PutObject',
  'DeleteObject',
  'DeleteBucket',
  'GetCallerIdentity',
  FETCH,
];

describe.skipIf(why !== '')('an environment on EC2 in whose life every call fails once', { timeout: 3_600_000 }, () => {
  let account: BootingAccount;

  beforeAll(async () => {
    account = await BootingAccount.open('shell');
  }, 600_000);
  afterEach(() => account.proxy.forget());
  afterAll(() => account?.close(), 300_000);

  test.each<[string, Fault]>([
    ['before anything is done', 'unavailable'],
    ['by a connection that is cut', 'refused'],
    ['after it was done, as its answer is lost', 'lost'],
  ])('%s: it grows, heals, shrinks and is gone all the same', async (_when, fault) => {
    // Of each machine that asks: the operator's calls and a controller's are made in other places.
    const seen = new Set<string>();
    const hit = new Set<string>();
    account.proxy.decide = (call, _nth, { from, dryRun }) => {
      const first = `${from} ${call} ${dryRun}`;
      if (seen.has(first)) return null;
      seen.add(first);
      if (!dryRun) hit.add(call);
      return fault;
    };
    const { home } = account.operator;
    const environment = await TestEnvironment.at(home, `ec2/${REGION}`);
    try {
      const { environment: told } = await environment.whole(1);
      await home.ok('enable-ha');
      const before = await environment.whole(3);

      const machine = secondaryOf(before);
      const gone = await environment.instanceOf(machine);
      await account.console.send(new TerminateInstancesCommand({ InstanceIds: [gone] }));
      await environment.replaced(machine, LONG_S);
      await home.ok('disable-ha');
      await environment.whole(1);
      expect(await environment.lost()).toEqual([]);
      await until('one instance to be left', async () => (await account.running(told.uuid)) === 1, LONG_S, 1_000);
      await home.ok('destroy-environment', 'demo', '--yes');

      // One instance for each machine that there ever was.
      const machines = (await account.started(told.uuid)).map(({ machine }) => machine).sort();
      expect(machines).toEqual(['0', '1', '2', '3']);
      expect(await account.left(told.uuid)).toEqual(NOTHING);
      expect(SURELY.filter((call) => !hit.has(call))).toEqual([]);
    } finally {
      await environment.writer.stop();
      environment.client.close();
    }
  });
});
