import { ActivityFailure, log } from '@temporalio/workflow';
import type { ChangeInput } from '../src/temporal/progress.js';
import { cloud } from './activities.js';

/**
 * Copies the published address set into the environment's bucket, where whoever finds no controller looks. The change goes
 * on without it, as the copy is made again at its end, and by the next change.
 */
export async function copyAddresses({ environment, key }: ChangeInput): Promise<void> {
  const { writeAddresses } = cloud(key, { as: 'glance', summary: 'write the addresses into the bucket' });
  try {
    await writeAddresses({ environment });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn('the addresses could not be written into the bucket', { reason: error.cause?.message });
  }
}
