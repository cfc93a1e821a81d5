import { type CloudPlace, type OpenedCloud, openCloud } from '../cloud/open.js';
import { usageError } from '../errors.js';
import type { EnvironmentRecord, Store } from '../store/store.js';

/** The cloud of an environment in the store, as it was bootstrapped. What is waited for is said on stderr. */
export async function cloudOf(store: Store, record: EnvironmentRecord): Promise<OpenedCloud> {
  return await openCloud(placeOf(record, process.env), {
    localCloud: store.dirs.localCloud,
    onWait: (sentence) => process.stderr.write(`quorate: ${sentence}\n`),
  });
}

/** Who came by logging in at a controller's address does not know the region: then the SDK's own setting says it. Pure. */
export function placeOf(record: EnvironmentRecord, env: NodeJS.ProcessEnv): CloudPlace {
  const { name, cloud, region } = record;
  if (cloud !== 'ec2' || region !== '') return record;
  const said = env.AWS_REGION?.trim() || env.AWS_DEFAULT_REGION?.trim();
  if (said) return { ...record, region: said };
  throw usageError(
    'unknown-region',
    `this machine does not know in which region of EC2 ${name} is.`,
    'Set AWS_REGION to the one that it was bootstrapped in.',
  );
}
