import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootingAccount, NOTHING } from '../support/booting-account.js';
import { REGION } from '../support/ec2.js';
import { secondaryOf, TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { whyNoNamespaces } from '../support/namespaces.js';

const why = await whyNoNamespaces();
if (why !== '') console.warn(`Skipped, as there are no namespaces: ${why}`);
/** A machine fetches 250 MB, and three share two processors. */
const REPLACED_S = 1_200;

describe.skipIf(why !== '')('an environment on EC2 whose instances boot', { timeout: 3_600_000 }, () => {
  let account: BootingAccount;

  beforeAll(async () => {
    account = await BootingAccount.open('systemd');
  }, 600_000);
  afterAll(() => account?.close(), 300_000);

  test('it starts with three, replaces one that is terminated in Amazon’s console, goes back to one, and leaves nothing', async () => {
    const environment = await TestEnvironment.at(account.operator.home, `ec2/${REGION}`, 3);
    try {
      const { environment: told, ...before } = await environment.whole(3);
      expect(new Set(before.controllers.map(({ address }) => address)).size).toBe(3);
      await environment.writesGoOn();

      const machine = secondaryOf({ environment: told, ...before });
      const gone = await environment.instanceOf(machine);
      // The operator's machine works no more: controllers start the next one themselves, by the role that they have.
      await account.operator.home.ok('engine', 'stop');
      await account.console.send(new TerminateInstancesCommand({ InstanceIds: [gone] }));
      const healed = await environment.replaced(machine, REPLACED_S);
      expect(healed.controllers.map(({ machine }) => machine)).toContain('3');
      await environment.writesGoOn();

      await account.operator.home.ok('disable-ha');
      await environment.whole(1);
      await environment.writesGoOn();
      expect(await environment.lost()).toEqual([]);
      await until('one instance to be left', async () => (await account.running(told.uuid)) === 1, REPLACED_S, 1_000);

      await account.operator.home.ok('destroy-environment', 'demo', '--yes');
      expect(await account.left(told.uuid)).toEqual(NOTHING);
    } finally {
      await environment.writer.stop();
      environment.client.close();
    }
  });
});
