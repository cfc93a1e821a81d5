import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentFiles, agentFiles } from '../../src/agent/files.js';
import { readAuthority, readPem } from '../../src/agent/keys.js';
import type { Status } from '../../src/api/status.js';
import { packageVersion } from '../../src/package.js';
import { newMachine } from '../../src/state/machines.js';
import { databaseTime, openState, type State } from '../../src/state/state.js';
import type { TestEnvironment } from '../../test/support/environment.js';
import type { Ground } from './agents.js';

/** What lies on the disk of an environment's first controller. */
export async function controllerFiles({ store }: TestEnvironment, status: Status): Promise<AgentFiles> {
  const instance = status.controllers[0]?.instance ?? '';
  return agentFiles(join(store.dirs.localCloud, status.environment.uuid, instance));
}

/** Certificates come from the environment's own authority, as a controller would give them. */
export async function groundOf(environment: TestEnvironment): Promise<Ground> {
  const status = await environment.status();
  const files = await controllerFiles(environment, status);
  const { name, uuid } = status.environment;
  return {
    environment: { name, uuid },
    addresses: status.controllers.map(({ api }) => api),
    authority: await readAuthority(files),
  };
}

/** The environment's documents, as its controllers have them. */
export async function stateOf(environment: TestEnvironment): Promise<State> {
  const status = await environment.status();
  const files = await controllerFiles(environment, status);
  const [ca, own] = await Promise.all([readFile(files.ca, 'utf8'), readPem(files.state)]);
  return await openState({ hosts: status.controllers.map(({ mongo }) => mongo), tls: { ca, ...own } });
}

/**
 * Documents of workload machines that are provisioned already, so that nobody starts anything for them: what is measured is
 * what many agents cost, and thousands of real machines would not fit on one.
 */
export async function addProvisioned(state: State, count: number): Promise<string[]> {
  const createdAt = await databaseTime(state);
  const before = await state.environment.findOneAndUpdate({}, { $inc: { nextMachine: count, version: 1 } });
  if (before === null) throw new Error('there is no environment');
  const { nextMachine, zones, url } = before;
  const machines = Array.from({ length: count }, (_, index) => {
    const id = nextMachine + index;
    const machine = newMachine({
      _id: String(id),
      jobs: ['host-units'],
      zone: zones[id % zones.length] ?? '',
      nonce: randomUUID(),
      memberId: null,
      boot: { addresses: [], url, version: packageVersion() },
      createdAt,
    });
    const instance = {
      id: `i-crowd${id}`,
      address: `127.99.${id >> 8}.${id & 255}`,
      ports: { api: 17070, mongo: 37017 },
      state: 'running',
      recordedAt: createdAt,
    };
    return { ...machine, instance, agentVersion: packageVersion() };
  });
  await state.machines.insertMany(machines);
  return machines.map(({ _id }) => _id);
}
