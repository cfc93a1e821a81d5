import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import { INSTANCE_TYPES } from '../../src/cloud/local/instance-types.js';
import { memberConfig } from '../../src/replicaset/reconfig.js';
import { type Seed, seed } from '../../src/state/seed.js';
import { openState, type State } from '../../src/state/state.js';
import { TestMembers } from './members.js';

/** A replica set of `count` voters on real mongods that the services can log in to. Dispose of it, also after a failure. */
export async function startSet(count: number): Promise<TestMembers> {
  const set = await TestMembers.start(count);
  try {
    await set.initiate(200, 1000);
    const [first] = set.members;
    if (first === undefined) return set;
    const client = first.client();
    try {
      for (const { joiner } of set.members.slice(1)) await add(client, joiner);
      await settled(client, count);
    } finally {
      await client.close();
    }
    return set;
  } catch (error) {
    await set[Symbol.asyncDispose]();
    throw error;
  }
}

/** The state of such a set, logged in as the services are. */
export async function stateOf(set: TestMembers): Promise<State> {
  return await openState({ hosts: set.hosts, tls: set.state });
}

/** Such a set with the first documents of an environment. Dispose of it, also after a failure. */
export class SeededSet implements AsyncDisposable {
  private constructor(
    readonly set: TestMembers,
    readonly state: State,
  ) {}

  static async start(count: number): Promise<SeededSet> {
    const set = await startSet(count);
    let state: State | null = null;
    try {
      state = await stateOf(set);
      await seed(state, seedOf(set));
      return new SeededSet(set, state);
    } catch (error) {
      await state?.close();
      await set[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.state.close();
    await this.set[Symbol.asyncDispose]();
  }
}

/** What an environment on such a set begins with; machine 0 answers at `api`. */
export function seedOf(set: TestMembers, port = 17070): Seed {
  const address = set.hosts[0]?.split(':')[0] ?? '';
  return {
    environment: {
      uuid: set.environment,
      name: 'demo',
      cloud: 'local',
      region: '',
      zones: ['a', 'b', 'c'],
      instanceTypes: [...INSTANCE_TYPES],
      caFingerprint: 'AA:BB',
      url: 'file:///nowhere',
      temporal: { clusterId: 'cluster', namespace: 'default' },
      desired: 1,
    },
    machine: {
      zone: 'a',
      nonce: crypto.randomUUID(),
      instance: { id: 'i-0', address, ports: { api: port, mongo: 37017 }, state: 'running' },
      agentVersion: '0.1.0',
    },
    settings: {},
  };
}

async function add(client: MongoClient, joiner: Parameters<typeof memberConfig>[0]): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      const { config } = await client.db('admin').command({ replSetGetConfig: 1 });
      const members = [...config.members, memberConfig(joiner, 1)];
      await client.db('admin').command({ replSetReconfig: { ...config, version: config.version + 1, members } });
      return;
    } catch (error) {
      // The server itself is still removing the mark of the one before.
      if (tries > 100) throw error;
      await sleep(50);
    }
  }
}

async function settled(client: MongoClient, count: number): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const { members } = await client.db('admin').command({ replSetGetStatus: 1 });
    const { config } = await client.db('admin').command({ replSetGetConfig: 1 });
    const up = (members as { stateStr: string }[]).filter(({ stateStr }) => /^(PRIMARY|SECONDARY)$/.test(stateStr));
    const voting = (config.members as { votes: number; newlyAdded?: boolean }[]).filter(
      ({ votes, newlyAdded }) => votes === 1 && newlyAdded !== true,
    );
    if (up.length === count && voting.length === count) return;
    await sleep(50);
  }
  throw new Error('the members did not all become voters');
}
