import type { Ec2Cloud } from '../../cloud/ec2/ec2-cloud.js';
import type { TaggedThings } from '../../cloud/ec2/tagged-things.js';
import { QuorateError } from '../../errors.js';
import { count } from '../../membership/words.js';
import type { EnvironmentRecord, Store } from '../../store/store.js';
import { type Judged, well, wrong } from './finding.js';

/** A region of EC2, opened as an environment there has it, or as this shell says. */
export interface Region {
  readonly name: string;
  readonly cloud: Ec2Cloud;
}

/** What lies in regions of EC2 with our tag and belongs to no environment that is known here. Nothing where there is none. */
export async function ec2Leftovers(
  store: Store,
  unknown: string | undefined,
  region: string | undefined,
): Promise<Judged[]> {
  const records = await store.readEnvironments();
  const known = new Set(records.map(({ uuid }) => uuid));
  const judged = await Promise.all(
    (await regionsOf(records, region)).map(async ({ name, cloud }) => {
      try {
        return judgeTagged(name, await cloud.tagged(), known, unknown);
      } catch (error) {
        if (!(error instanceof QuorateError)) throw error;
        return [wrong(`${name} could not be looked at: ${error.message.replace(/\.$/, '')}`, error.todo)];
      }
    }),
  );
  return judged.flat();
}

/** Regions of these environments, and `besides`, which comes first. */
export async function regionsOf(
  records: readonly EnvironmentRecord[],
  besides: string | undefined,
): Promise<readonly Region[]> {
  const places = new Map<string, Readonly<Record<string, unknown>> | null>(
    besides === undefined ? [] : [[besides, null]],
  );
  for (const record of records) {
    if (record.cloud !== 'ec2' || record.region === '') continue;
    if (!places.get(record.region)) places.set(record.region, record.cloudSettings ?? {});
  }
  if (places.size === 0) return [];
  const [{ openEc2Cloud }, { keptSettings, settingsFrom }] = await Promise.all([
    import('../../cloud/ec2/open.js'),
    import('../../cloud/ec2/settings.js'),
  ]);
  return [...places].map(([name, kept]) => ({
    name,
    cloud: openEc2Cloud(name, kept === null ? settingsFrom(process.env) : keptSettings(kept)),
  }));
}

/** Pure. */
export function judgeTagged(
  region: string,
  tagged: ReadonlyMap<string, TaggedThings>,
  known: ReadonlySet<string>,
  unknown: string | undefined,
): Judged[] {
  const strangers = [...tagged].filter(([uuid]) => !known.has(uuid));
  if (strangers.length === 0) {
    return [well(`${region}: nothing is left over, with ${tagged.size} of the environments that are known here`)];
  }
  return strangers.map(([uuid, things]) =>
    wrong(
      `${region}: environment ${uuid} is not known here, and there is of it: ${thingsText(things)}`,
      `It may be somebody else's, and hold the only copy of its data. If nobody needs it: quorate doctor --fix --unknown ${uuid} --region ${region}`,
      unknown === uuid ? { kind: 'remove-unknown', uuid, region } : null,
    ),
  );
}

const NAMED = 5;

function thingsText({ instances, volumes, interfaces, groups, bucket }: TaggedThings): string {
  const running = instances.map(({ id, machine, state }) => `${id} (machine ${machine || '?'}, ${state})`);
  return [
    some(running, 'instance'),
    some(volumes, 'volume'),
    some(interfaces, 'network interface'),
    some(groups, 'security group'),
    bucket === null ? '' : `the bucket ${bucket}`,
  ]
    .filter((text) => text !== '')
    .join('; ');
}

/** "2 volumes vol-1, vol-2"; empty for none. */
function some(ids: readonly string[], noun: string): string {
  if (ids.length === 0) return '';
  const more = ids.length > NAMED ? ', …' : '';
  return `${count(ids.length, noun)} ${ids.slice(0, NAMED).join(', ')}${more}`;
}
