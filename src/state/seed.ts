import { parseConstraints } from '../machines/constraints.js';
import type { InstanceType } from '../machines/instance-type.js';
import { serverAt } from './addresses.js';
import { CONTROLLER_CONSTRAINTS, offerOf, placed } from './controller-constraints.js';
import type { EnvironmentDocument } from './documents.js';
import type { InstanceRecord } from './instance-record.js';
import { newMachine } from './machines.js';
import { prepare } from './schema.js';
import { checkSetting } from './settings.js';
import { databaseTime, type State, transaction } from './state.js';

/** What an environment begins with. */
export interface Seed {
  readonly environment: {
    readonly uuid: string;
    readonly name: string;
    readonly cloud: string;
    readonly region: string;
    readonly cloudSettings?: Readonly<Record<string, unknown>>;
    readonly zones: readonly string[];
    readonly instanceTypes: readonly InstanceType[];
    readonly caFingerprint: string;
    /** Fallback URL of the published address set. */
    readonly url: string;
    readonly temporal: { readonly clusterId: string; readonly namespace: string };
    /** Controllers that bootstrap was asked for. */
    readonly desired: number;
  };
  readonly machine: {
    readonly zone: string;
    readonly nonce: string;
    readonly instance: InstanceRecord;
    readonly agentVersion: string;
  };
  /** Settings that were given with `--config`. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Makes the collections and writes the first documents: the environment, machine 0 (a controller, member 0), the address
 * set that is machine 0, the settings that were given. All or nothing; done again it changes nothing.
 */
export async function seed(state: State, given: Seed): Promise<EnvironmentDocument> {
  for (const [key, value] of Object.entries(given.settings)) checkSetting(key, value);
  await prepare(state.db);
  const now = await databaseTime(state);
  return await transaction(state, async (session) => {
    const there = await state.environment.findOne({}, { session });
    if (there !== null) return there;
    const { uuid, desired, zones, instanceTypes, ...said } = given.environment;
    const environment: EnvironmentDocument = {
      _id: uuid,
      ...said,
      zones: [...zones],
      instanceTypes: [...instanceTypes],
      life: 'alive',
      epoch: 1,
      desired,
      nextMachine: 1,
      nextMember: 1,
      nextChange: 1,
      createdAt: now,
      version: 1,
    };
    const { instance, zone, nonce, agentVersion } = given.machine;
    await state.environment.insertOne(environment, { session });
    await state.machines.insertOne(
      newMachine({
        _id: '0',
        jobs: ['manage-state', 'manage-environ'],
        zone,
        nonce,
        memberId: 0,
        boot: { addresses: [], url: '', version: agentVersion },
        instance: { ...instance, ports: { ...instance.ports }, recordedAt: now },
        agentVersion,
        createdAt: now,
        ...placed(parseConstraints([given.settings[CONTROLLER_CONSTRAINTS] ?? '']), offerOf(environment)),
      }),
      { session },
    );
    const servers = [serverAt('0', instance)];
    await state.addresses.insertOne({ _id: 'current', version: 1, servers }, { session });
    const settings = Object.entries(given.settings);
    if (settings.length > 0) {
      await state.settings.insertMany(
        settings.map(([key, value]) => ({ _id: key, value, version: 1, at: now, by: 'bootstrap', requests: [] })),
        { session },
      );
    }
    return environment;
  });
}
