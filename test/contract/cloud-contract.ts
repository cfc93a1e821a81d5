import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cloud, Instance, InstanceState, StartRequest } from '../../src/cloud/cloud.js';

/** A cloud to test, with nothing on it that others use. */
export interface CloudUnderTest {
  readonly cloud: Cloud;
  /** What instances are started with: something that prints `console` (where the cloud runs it at all). */
  readonly userData: string;
  readonly console: RegExp;
  /** Instances are reached from outside; they are unless it says otherwise. */
  readonly outside?: false;
  /** Removes all that the tests started, also when they failed. */
  close(): Promise<void>;
}

/** How long a cloud may take to show what it has accepted. */
const SHOWN_MS = 30_000;

/** What every Cloud must do; each implementation runs it, and adds tests of what is its own. */
export function cloudContract(name: string, makeCloud: () => Promise<CloudUnderTest>): void {
  describe(`${name} is a cloud`, () => {
    let made: CloudUnderTest;
    let cloud: Cloud;
    let environment: string;

    beforeEach(async () => {
      made = await makeCloud();
      cloud = made.cloud;
      environment = randomUUID();
    });

    afterEach(async () => {
      await made.close();
    });

    async function requestFor(machine: string): Promise<StartRequest> {
      const [zone = ''] = await cloud.zones();
      return { tags: { environment, machine, nonce: randomUUID() }, userData: made.userData, zone };
    }

    async function shown(id: string, ...states: InstanceState[]): Promise<Instance> {
      const deadline = Date.now() + SHOWN_MS;
      for (;;) {
        const instance = await cloud.describe(id);
        if (instance !== null && states.includes(instance.state)) return instance;
        if (Date.now() > deadline) expect.unreachable(`${id} is ${instance?.state} instead of ${states.join(' or ')}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }

    async function started(machine = '0'): Promise<Instance & { readonly request: StartRequest }> {
      const request = await requestFor(machine);
      const { id } = await cloud.start(request);
      return { ...(await shown(id, 'running')), request };
    }

    test('there is at least one zone, and none twice', async () => {
      const zones = await cloud.zones();
      expect(zones.length).toBeGreaterThan(0);
      expect(new Set(zones).size).toBe(zones.length);
    });

    test('an instance carries its tags, its zone and an address with two ports', async () => {
      const instance = await started('7');
      expect(instance.tags).toEqual(instance.request.tags);
      expect(instance.zone).toBe(instance.request.zone);
      expect(instance.address).toMatch(/^[0-9a-f.:]+$/);
      expect(instance.ports.api).not.toBe(instance.ports.mongo);
      expect(new Date(instance.startedAt).getTime()).toBeGreaterThan(0);
    });

    test('one nonce is one instance, whoever asks and however often', async () => {
      const request = await requestFor('0');
      const [first, ...others] = await Promise.all(Array.from({ length: 4 }, () => cloud.start(request)));
      expect(new Set(others.map((each) => each.id))).toEqual(new Set([first?.id]));
      expect((await cloud.start(request)).id).toBe(first?.id);
      expect(await cloud.list(environment)).toHaveLength(1);
    });

    test('different nonces are different instances at different places, all listed, in no other environment', async () => {
      const all = await Promise.all(['0', '1', '2'].map((machine) => started(machine)));
      expect(new Set(all.map((each) => each.id)).size).toBe(3);
      expect(new Set(all.map((each) => `${each.address}:${each.ports.api}`)).size).toBe(3);
      const listed = await cloud.list(environment);
      expect(listed.map((each) => each.tags.machine).sort()).toEqual(['0', '1', '2']);
      expect(await cloud.list(randomUUID())).toEqual([]);
    });

    test('is found by nonce in its environment alone; what was never started is not found', async () => {
      const { id, request } = await started();
      expect((await cloud.findByNonce(environment, request.tags.nonce))?.id).toBe(id);
      expect(await cloud.findByNonce(environment, randomUUID())).toBeNull();
      expect(await cloud.findByNonce(randomUUID(), request.tags.nonce)).toBeNull();
      expect(await cloud.describe('i-00000000000000000')).toBeNull();
    });

    test('stopped twice it is stopped by the user, and keeps its place when it starts again, twice', async () => {
      const { id, address, ports, request } = await started();
      await cloud.stop(id, { graceMs: 5_000 });
      expect(await shown(id, 'stopped')).toMatchObject({ cause: 'user', address, ports });
      await cloud.stop(id, { graceMs: 5_000 });
      await shown(id, 'stopped');
      // A late start of the same nonce finds it and leaves it as it is.
      expect(await cloud.start(request)).toMatchObject({ id, state: 'stopped' });

      await cloud.startAgain(id);
      expect(await shown(id, 'running')).toMatchObject({ address, ports });
      await cloud.startAgain(id);
      expect(await shown(id, 'running')).toMatchObject({ address, ports });
      expect(await cloud.list(environment)).toHaveLength(1);
    });

    test('terminated twice it is gone for good, and its nonce starts nothing any more', async () => {
      const { id, request } = await started();
      await cloud.terminate(id);
      expect((await cloud.terminate(id)).state).toBe('terminated');
      expect((await shown(id, 'terminated')).tags).toEqual(request.tags);
      expect(await cloud.start(request)).toMatchObject({ id, state: 'terminated' });
      expect((await cloud.stop(id)).state).toBe('terminated');
      await expect(cloud.startAgain(id)).rejects.toMatchObject({ name: 'QuorateError' });
      await shown(id, 'terminated');
    });

    test('a stopped instance can be terminated', async () => {
      const { id } = await started();
      await cloud.stop(id, { graceMs: 5_000 });
      await cloud.terminate(id);
      await shown(id, 'terminated');
    });

    test('exactly what was set last is open, a late older version changes nothing, and a terminated one has nothing open', async () => {
      const { id } = await started();
      const rule = (port: number) => ({ protocol: 'tcp' as const, from: port, to: port + 1, cidrs: ['127.0.0.0/8'] });
      const open = async () => (await cloud.firewall.open(environment)).filter(({ rules }) => rules.length > 0);
      expect(await open()).toEqual([]);
      const { address } = await cloud.firewall.set({ instance: id, version: 1, rules: [rule(18080)] });
      expect(address).toMatch(made.outside === false ? /^$/ : /^[0-9a-f.:]+$/);
      expect(await cloud.firewall.set({ instance: id, version: 2, rules: [rule(18090)] })).toEqual({
        address,
        failures: [],
      });
      await cloud.firewall.set({ instance: id, version: 1, rules: [rule(18080)] });
      expect(await open()).toMatchObject([{ instance: id, rules: [rule(18090)] }]);
      await cloud.firewall.set({ instance: id, version: 3, rules: [] });
      expect(await open()).toEqual([]);
      await cloud.firewall.set({ instance: id, version: 4, rules: [rule(18080)] });
      await cloud.terminate(id);
      expect(await open()).toEqual([]);
    });

    test('what it printed is on its console', async () => {
      const { id } = await started();
      await expect.poll(() => cloud.consoleLog(id), { timeout: SHOWN_MS }).toMatch(made.console);
    });

    test('a removed environment leaves nothing, once and twice, and nothing of another goes with it', async () => {
      const { request } = await started();
      const tags = { ...request.tags, environment: randomUUID(), nonce: randomUUID() };
      const { id } = await cloud.start({ ...request, tags });
      await shown(id, 'running');
      await cloud.bucket.put(environment, 'addresses.json', { version: 1 });
      for (const _ of ['once', 'twice']) {
        await cloud.removeEnvironment(environment);
        expect((await cloud.list(environment)).filter(({ state }) => state !== 'terminated')).toEqual([]);
        expect(await cloud.bucket.list(environment)).toEqual([]);
      }
      expect((await cloud.describe(id))?.state).toBe('running');
      await cloud.removeEnvironment(tags.environment);
    });

    test('an instance that does not exist is refused in words', async () => {
      for (const order of ['stop', 'startAgain', 'terminate', 'consoleLog'] as const) {
        await expect(cloud[order]('i-00000000000000000')).rejects.toMatchObject({ code: 'unknown-instance' });
      }
    });
  });
}
