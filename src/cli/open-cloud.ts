import { type CloudPlace, type OpenedCloud, openCloud } from '../cloud/open.js';
import { usageError } from '../errors.js';
import type { EnvironmentRecord, Store } from '../store/store.js';

/** The cloud of an environment in the store. What is waited for is said on stderr. */
export async function cloudOf(store: Store, record: EnvironmentRecord): Promise<OpenedCloud> {
  return await openCloud(placeOf(record, process.env), {
    localCloud: store.dirs.localCloud,
    onWait: (sentence) => process.stderr.write(`quorate: ${sentence}\n`),
  });
}

/** Who came by logging in at a controller's address does not know the region: then the SDK's own setting says it. Pure. */
export function placeOf({ name, cloud, region }: EnvironmentRecord, env: NodeJS.ProcessEnv): CloudPlace {
  if (cloud !== 'ec2' || region !== '') return { cloud, region };
  const said = env.AWS_REGION?.trim() || env.AWS_DEFAULT_REGION?.trim();
  if (said) return { cloud, region: said };
  throw usageError(
    'unknown-region',
    `this machine does not know in which region of EC2 ${name} is.`,
    'Set AWS_REGION to the one that it was bootstrapped in.',
  );
}
