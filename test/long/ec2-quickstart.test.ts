import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/store.js';
import { BootingAccount, NOTHING } from '../support/booting-account.js';
import { REGION } from '../support/ec2.js';
import { whyNoNamespaces } from '../support/namespaces.js';

const why = await whyNoNamespaces();
if (why !== '') console.warn(`Skipped, as there are no namespaces: ${why}`);

describe.skipIf(why !== '')('quickstart on EC2', { timeout: 3_600_000 }, () => {
  let account: BootingAccount;
  let endpoint: string;

  beforeAll(async () => {
    account = await BootingAccount.open('shell');
    endpoint = account.proxy.endpoint;
    // It is named on the command line.
    delete account.operator.home.env.AWS_ENDPOINT_URL;
  }, 600_000);
  afterAll(() => account?.close(), 300_000);

  const quickstart = (...words: string[]) => account.operator.home.run('quickstart', ...words);

  test('refuses what cannot be meant, and starts nothing unasked', async () => {
    const { home } = account.operator;
    const refusals: [string[], RegExp][] = [
      [['--cloud', 'ec3'], /knows no cloud 'ec3' \(did you mean ec2\?\)/],
      [['--region', REGION], /--region is for EC2/],
      [['--cloud', 'ec2'], /EC2 needs a region/],
      [['--cloud', 'ec2', '--region', 'Ireland'], /'Ireland' is no region of Amazon’s/],
      [['--cloud', 'ec2', '--endpoint', 'localhost:5000'], /is no address of an endpoint/],
      [['--cloud', 'ec2', '--chaos', '--region', REGION], /local cloud alone/],
      [['--cloud', 'ec2', '--endpoint', endpoint, '--region', REGION], /Each costs money .*--yes/s],
    ];
    for (const [words, said] of refusals) {
      const { code, stderr } = await quickstart(...words);
      expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
    }
    const { TEMPORAL_ADDRESS } = home.env;
    home.env.TEMPORAL_ADDRESS = '127.0.0.1:7233';
    const { code, stderr } = await quickstart('--cloud', 'ec2', '--endpoint', endpoint, '--yes');
    home.env.TEMPORAL_ADDRESS = TEMPORAL_ADDRESS;
    expect([code, stderr]).toEqual([2, expect.stringMatching(/leads each instance of EC2 to itself/)]);
    expect(account.moto.disks()).toEqual([]);
    expect(await (await openStore(home.env)).listEnvironments()).toEqual([]);
  });

  test('grows, loses the primary’s instance, shrinks, loses no write, and cleans up after itself', async () => {
    const { home } = account.operator;
    const { code, stdout, stderr } = await quickstart(
      '--cloud',
      'ec2',
      '--endpoint',
      endpoint,
      '--region',
      REGION,
      '--yes',
    );
    process.stdout.write(`${stdout}\n${stderr}\n`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Environment "demo" with one controller/);
    expect(stdout).toMatch(/Workload machines 1 and 2: their agents are there/);
    expect(stdout).toMatch(/enable-ha: three controllers vote/);
    expect(stdout).toMatch(/Terminated the instance of machine \d, the primary; machine \d took over/);
    expect(stdout).toMatch(/machine \d was replaced by itself: three of three vote/);
    expect(stdout).toMatch(/exec on machines 1 and 2 went on meanwhile: 80 lines each, none missing/);
    expect(stdout).toMatch(/disable-ha: back to one controller/);
    expect(stdout).toMatch(/Acknowledged [\d,]+ writes, lost 0\./);
    expect(stdout).toMatch(/its instances cost money/);
    const { environment } = await home.status();
    await home.ok('quickstart', '--cleanup');
    expect(await account.left(environment.uuid)).toEqual(NOTHING);
  });
});
