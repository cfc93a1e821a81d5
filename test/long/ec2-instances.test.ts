import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RebootInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bootProgress } from '../../src/cloud/ec2/boot/console.js';
import { readBootFiles } from '../../src/cloud/ec2/boot/files.js';
import type { BootSources } from '../../src/cloud/ec2/boot/sources.js';
import { bootText } from '../../src/cloud/ec2/boot/text.js';
import { Ec2Cloud } from '../../src/cloud/ec2/ec2-cloud.js';
import { PORTS } from '../../src/cloud/ec2/instance.js';
import { packageVersion } from '../../src/package.js';
import { cloudContract } from '../contract/cloud-contract.js';
import { ARCHITECTURE, packParts } from '../support/bare/parts.js';
import type { FirstProcess } from '../support/booting/guest.js';
import { BootingMoto, PROFILE } from '../support/booting-moto.js';
import { cloudAt, consoleAt, REGION } from '../support/ec2.js';
import { until } from '../support/home.js';
import { newUserData } from '../support/machine.js';
import { devicesOf, whyNoNamespaces } from '../support/namespaces.js';

/** As sources name it. */
const withoutFragment = (url: string): string => url.split('#')[0] ?? '';

const why = await whyNoNamespaces();
if (why !== '') console.warn(`Skipped, as there are no namespaces: ${why}`);
const BOOT_S = 240;
/** cloud-init keeps to itself what a hook prints. */
const SAY = 'say() { if [ -c /dev/console ]; then echo "$1" >/dev/console; else echo "$1"; fi; }';

describe.skipIf(why !== '').each<FirstProcess>(['shell', 'systemd'])(
  'an EC2 endpoint whose instances boot by %s',
  { timeout: 900_000 },
  (firstProcess) => {
    /** In whose bucket the parts lie. */
    const store = randomUUID();
    let directory: string;
    let endpoint: BootingMoto;
    let bare: Ec2Cloud;
    let cloud: Ec2Cloud;
    let environment: string;

    beforeAll(async () => {
      directory = mkdtempSync(path.join(tmpdir(), 'quorate-parts-'));
      const parts = await packParts(directory);
      endpoint = await BootingMoto.start(firstProcess);
      bare = cloudAt(endpoint.endpoint, { patienceMs: 120_000 }, { vpc: endpoint.vpc, profile: PROFILE });
      const source = async (name: 'node' | 'mongod' | 'agent') => {
        const { file, sha256 } = parts[name];
        await bare.bucket.putOnce(store, name, readFileSync(file));
        return {
          [ARCHITECTURE]: { url: withoutFragment(bare.bucket.url(store, name)), sha256, access: 'role' },
        } as const;
      };
      const sources: BootSources = {
        version: packageVersion(),
        region: REGION,
        node: await source('node'),
        mongod: await source('mongod'),
        agent: await source('agent'),
      };
      cloud = new Ec2Cloud(bare.amazon, bare.settings, ({ userData }, architecture) =>
        bootText(userData, { sources, architecture, ports: PORTS, files: readBootFiles() }),
      );
    }, 1_200_000);

    beforeEach(() => {
      environment = randomUUID();
    });

    afterEach(async () => {
      await bare.removeEnvironment(environment);
    });

    afterAll(async () => {
      bare?.amazon.destroy();
      await endpoint?.stop();
      rmSync(directory, { recursive: true, force: true });
    }, 300_000);

    async function start(machine: string, addresses: readonly string[]) {
      const data = newUserData({
        environment: { name: 'prod', uuid: environment },
        machine,
        addresses: [...addresses],
        // It is not the first one.
        ca: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n',
      });
      const [zone = ''] = await cloud.zones();
      const tags = { environment, machine, nonce: data.nonce };
      return await cloud.start({ tags, userData: JSON.stringify(data), zone });
    }

    const says = async (id: string, what: RegExp) =>
      await until(
        `the console of ${id} to say ${what}`,
        async () => {
          const said = await cloud.consoleLog(id);
          if (what.test(said)) return said;
          throw new Error(said.slice(-4_000));
        },
        BOOT_S,
        500,
      );

    test('an instance boots to its agent, goes off, boots again from its disk, and is gone in the end', async () => {
      const nobody = `${endpoint.gateway}:17070`;
      const waits = new RegExp(
        `"machine":"3","environment":"prod","msg":"Enrolment goes on: no controller of prod answers\\. Tried ${nobody}`,
      );
      const { id, address } = await start('3', [nobody]);
      expect(bootProgress(await says(id, waits))).toMatchObject({ done: true, failed: null });

      expect(await cloud.stop(id, { graceMs: 60_000 })).toMatchObject({ state: 'stopped', cause: 'user', address });
      expect(devicesOf({ id })).toEqual([]);
      await cloud.startAgain(id);
      const { done, steps } = bootProgress(await says(id, waits));
      expect(done).toBe(true);
      expect(steps.slice(5, 8).map(({ said }) => said)).toEqual(Array(3).fill('there already'));

      expect((await cloud.terminate(id)).state).toBe('terminated');
      expect(endpoint.disks()).toEqual([]);
    });

    test('instances reach each other; one boots anew when it is told to, and one goes off by itself', async () => {
      const [zone = ''] = await bare.zones();
      const run = async (machine: string, ...lines: string[]) => {
        const tags = { environment, machine, nonce: randomUUID() };
        return await bare.start({
          tags,
          userData: ['#cloud-boothook', '#!/bin/sh', SAY, ...lines, ''].join('\n'),
          zone,
        });
      };
      const served = await run(
        '0',
        'boots=$(($(cat /var/boots 2>/dev/null || echo 0) + 1))',
        'echo $boots >/var/boots',
        'cd /etc',
        'python3 -m http.server 8080 >/dev/null 2>&1 </dev/null &',
        'say "boot $boots"',
      );
      const asks = `urllib.request.urlopen("http://${served.address}:8080/debian_version", timeout=5).read()`;
      const asking = await run(
        '1',
        `until heard=$(python3 -c 'import urllib.request; print(${asks}.decode())' 2>/dev/null); do sleep 1; done`,
        'say "heard: $heard"',
        'sleep 5',
        'systemctl --no-block poweroff',
      );
      await says(asking.id, /heard: 12\./);
      const off = await until(
        `${asking.id} to be off`,
        async () => {
          const instance = await bare.describe(asking.id);
          return instance?.state === 'stopped' && instance;
        },
        BOOT_S,
      );
      expect(off).toMatchObject({ cause: 'self' });

      await says(served.id, /boot 1/);
      const console = consoleAt(endpoint.endpoint);
      await console.send(new RebootInstancesCommand({ InstanceIds: [served.id] }));
      console.destroy();
      await says(served.id, /boot 2/);
      expect(await bare.describe(served.id)).toMatchObject({ state: 'running', address: served.address });
    });

    if (firstProcess === 'shell') {
      cloudContract('EC2 whose instances boot', async () => ({
        cloud: bare,
        userData: ['#cloud-boothook', '#!/bin/sh', SAY, 'say "it boots"', ''].join('\n'),
        console: /it boots/,
        outside: false,
        close: () => endpoint.clear(),
      }));
    }
  },
);
