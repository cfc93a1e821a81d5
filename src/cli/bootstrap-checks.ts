import { checkRegion, LOCAL_REGIONS, openLocalCloud } from '../cloud/local/open.js';
import type { CloudKind } from '../cloud/open.js';
import { usageError } from '../errors.js';
import { type Constraints, parseConstraints } from '../machines/constraints.js';
import { place } from '../machines/offer.js';
import { CONTROLLER_CONSTRAINTS } from '../state/controller-constraints.js';
import type { Store } from '../store/store.js';

/** What is to be started, and where. */
export interface Asked {
  readonly name: string;
  readonly cloud: CloudKind;
  readonly region: string;
  readonly controllers: number;
  readonly settings: Readonly<Record<string, string>>;
}

export interface CheckOptions {
  /** Instances reach a loopback address of Temporal's by a way of their own. */
  readonly allowLoopbackTemporal?: boolean;
}

/** Refuses, in words, a region that no cloud of this kind can have; asks nobody. */
export async function checkRegionOf(cloud: CloudKind, region: string, name: string): Promise<void> {
  if (cloud === 'ec2') {
    const { checkRegionName } = await import('../cloud/ec2/settings.js');
    checkRegionName(region);
    return;
  }
  if (LOCAL_REGIONS.some((known) => known === region)) return;
  throw usageError(
    'unknown-region',
    `the cloud '${cloud}' has no region '${region}'.`,
    `Use: quorate bootstrap ${cloud} ${name}, ${cloud}/ports to have all on one address with a port each, or ${cloud}/namespace for machines with a network of their own (Linux, root).`,
  );
}

/**
 * Refuses what the cloud cannot have, or has not yet, before anything is written or started.
 * @returns what works, and should be known: a sentence each
 */
export async function checkCloud(store: Store, asked: Asked, options: CheckOptions): Promise<readonly string[]> {
  if (asked.cloud === 'ec2') return await checkEc2(store, asked, options);
  await checkLocal(store, asked);
  return [];
}

async function checkLocal(store: Store, asked: Asked): Promise<void> {
  await checkRegion(store.dirs.localCloud, asked.region);
  const cloud = openLocalCloud(store.dirs.localCloud, asked.region);
  const [zones, types] = await Promise.all([cloud.zones(), cloud.instanceTypes()]);
  place(constraintsOf(asked), { zones, types });
}

async function checkEc2(store: Store, asked: Asked, { allowLoopbackTemporal = false }: CheckOptions) {
  const { region, controllers } = asked;
  if (!allowLoopbackTemporal) {
    const { temporalFromOutside } = await import('./temporal-from-outside.js');
    await temporalFromOutside();
  }
  const [{ openEc2Cloud }, { settingsFrom }, { readiness, refuseUnready }] = await Promise.all([
    import('../cloud/ec2/open.js'),
    import('../cloud/ec2/settings.js'),
    import('../cloud/ec2/check.js'),
  ]);
  const intent = { controllers, constraints: constraintsOf(asked), toolchain: store.dirs.toolchain };
  const seen = await readiness(openEc2Cloud(region, settingsFrom(process.env)), intent);
  refuseUnready(seen);
  return seen.notes;
}

const constraintsOf = ({ settings }: Asked): Constraints => parseConstraints([settings[CONTROLLER_CONSTRAINTS] ?? '']);
