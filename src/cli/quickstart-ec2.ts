import { usageError } from '../errors.js';
import type { Store } from '../store/store.js';
import { type Asked, checkCloud, checkRegionOf } from './bootstrap-checks.js';
import { typedName } from './confirm.js';
import type { Parts } from './parts.js';

/** What a person says of a quickstart on EC2. */
export interface OnEc2 {
  readonly environment: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly yes?: boolean;
}

/** Three controllers, two workload machines, and the one in the place of the one that is lost. */
const MOST_INSTANCES = 6;
/** What is no Amazon takes any region. */
const REGION_ELSEWHERE = 'us-east-1';

/**
 * What is to be started. The region is the one that is named, else the SDK's own; an endpoint holds for this process as if the
 * SDK's variable had named it, and is kept with the environment.
 */
export async function askedOnEc2({ environment: name, region: named, endpoint }: OnEc2): Promise<Asked> {
  if (endpoint !== undefined) process.env.AWS_ENDPOINT_URL = urlOf(endpoint);
  const region = named ?? (await regionSaid()) ?? (endpoint === undefined ? '' : REGION_ELSEWHERE);
  if (region === '') {
    throw usageError('bad-region', 'EC2 needs a region.', 'Say --region eu-west-1, or set AWS_REGION.');
  }
  await checkRegionOf('ec2', region, name);
  return { name, cloud: 'ec2', region, controllers: 1, settings: {} };
}

/** Refuses all that lacks before anything is written or started, and asks, as it costs money. */
export async function readyOnEc2(store: Store, asked: Asked, parts: Parts, { endpoint, yes }: OnEc2): Promise<void> {
  const where = `EC2 in ${asked.region}${endpoint === undefined ? '' : ` at ${endpoint}`}`;
  const notes = await parts.part(
    `looking at ${where}`,
    () => checkCloud(store, asked, {}),
    `${where} has what it takes`,
  );
  for (const note of notes) process.stdout.write(`  ${note}\n`);
  if (yes) return;
  const what = `This starts up to ${MOST_INSTANCES} instances on ${where}. Each costs money there until quickstart --cleanup has ended it.`;
  await typedName(asked.name, what, { say: '--yes' });
}

async function regionSaid(): Promise<string | null> {
  const { regionOfSdk } = await import('../cloud/ec2/region.js');
  return await regionOfSdk();
}

function urlOf(endpoint: string): string {
  if (/^https?:\/\/[^\s/]+/.test(endpoint) && URL.canParse(endpoint)) return endpoint;
  throw usageError(
    'bad-endpoint',
    `'${endpoint.slice(0, 80)}' is no address of an endpoint.`,
    'Write it as http://127.0.0.1:5000, or leave it out for Amazon itself.',
  );
}
