import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { QuorateError, usageError } from '../../errors.js';
import { readAs, writeJson } from './records.js';

export const ZONES = ['a', 'b', 'c'] as const;

/** zones.json of an environment, where the control panel has said something of its zones. */
const Zones = Type.Object({ version: Type.Literal(1), full: Type.Array(Type.String()) });
type Zones = Static<typeof Zones>;

export function checkZone(zone: string): void {
  if (ZONES.some((each) => each === zone)) return;
  throw usageError('unknown-zone', `the local cloud has no zone ${zone}`, `use ${ZONES.join(', ')}`);
}

/** Of the environment in this directory. A zones.json that is lost or damaged says that there is room everywhere. */
export async function readFullZones(directory: string): Promise<readonly string[]> {
  const read = await readAs(Zones, join(directory, 'zones.json'));
  return 'value' in read ? read.value.full : [];
}

/** Call it under the environment's lock. */
export async function writeFullZone(directory: string, zone: string, full: boolean): Promise<void> {
  const others = (await readFullZones(directory)).filter((each) => each !== zone);
  const zones: Zones = { version: 1, full: full ? [...others, zone].sort() : others };
  await writeJson(join(directory, 'zones.json'), zones);
}

/** Throws `zone-full` where nothing new is to be started. */
export async function refuseFullZone(directory: string, zone: string): Promise<void> {
  if (!(await readFullZones(directory)).includes(zone)) return;
  throw new QuorateError('zone-full', `zone ${zone} has no room`, {
    todo: `wait, use another zone, or make room: quorate cloud empty-zone ${zone}`,
  });
}
