import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootingAccount, NOTHING } from '../support/booting-account.js';
import { type Chapter, callTable, ownCalls } from '../support/call-table.js';
import { REGION } from '../support/ec2.js';
import { secondaryOf, TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { whyNoNamespaces } from '../support/namespaces.js';

const why = await whyNoNamespaces();
if (why !== '') console.warn(`Skipped, as there are no namespaces: ${why}`);
const LONG_S = 1_200;
const MINUTE_MS = 60_000;

describe.skipIf(why !== '')('what an environment on EC2 asks of Amazon', { timeout: 3_600_000 }, () => {
  let account: BootingAccount;
  const chapters: Chapter[] = [];

  beforeAll(async () => {
    account = await BootingAccount.open('shell');
  }, 600_000);
  afterAll(async () => {
    process.stdout.write(`${callTable(chapters)}\n`);
    await account?.close();
  }, 300_000);

  /** What was called from its beginning to its end. */
  async function chapter<T>(title: string, work: () => Promise<T>): Promise<Chapter & { readonly outcome: T }> {
    const from = account.proxy.calls.length;
    const began = performance.now();
    const outcome = await work();
    const seconds = (performance.now() - began) / 1000;
    const told = { title, seconds, calls: account.proxy.calls.slice(from) };
    chapters.push(told);
    return { ...told, outcome };
  }

  const idle = () => new Promise((resolve) => setTimeout(resolve, MINUTE_MS));

  test('is little, and known for each command', async () => {
    const { home } = account.operator;
    const { outcome: environment } = await chapter('bootstrap', () => TestEnvironment.at(home, `ec2/${REGION}`));
    try {
      const { environment: told } = await environment.whole(1);
      const only = (running: number) =>
        until(`${running} instances`, async () => (await account.running(told.uuid)) === running, LONG_S, 1_000);
      const nothing = await chapter('a minute of one controller', idle);

      const grown = await chapter('enable-ha, from 1 to 3', () => home.ok('enable-ha'));
      expect(grown.calls.filter((call) => call === 'RunInstances')).toHaveLength(2);
      // However long its machines take to boot here.
      expect(ownCalls(grown, nothing)).toBeLessThanOrEqual(30);
      const before = await environment.whole(3);
      await chapter('a minute of three controllers', idle);

      const machine = secondaryOf(before);
      const gone = await environment.instanceOf(machine);
      await chapter('one of them terminated, until another one is in its place', async () => {
        await account.console.send(new TerminateInstancesCommand({ InstanceIds: [gone] }));
        await environment.replaced(machine, LONG_S);
      });
      await chapter('disable-ha, until two instances are gone', async () => {
        await home.ok('disable-ha');
        await only(1);
      });
      await chapter('add-machine, until its agent is there', async () => {
        await home.ok('add-machine');
        await environment.statusWhen(
          'the agent of a workload machine',
          ({ machines }) => machines.length === 1 && machines.every(({ agent }) => agent === 'started'),
          LONG_S,
        );
      });
      await environment.writer.stop();
      await chapter('destroy-environment, with two instances', () => home.ok('destroy-environment', 'demo', '--yes'));
      expect(await account.left(told.uuid)).toEqual(NOTHING);
    } finally {
      await environment.writer.stop();
      environment.client.close();
    }
  });
});
