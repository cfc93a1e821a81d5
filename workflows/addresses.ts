import { ActivityFailure, log } from '@temporalio/workflow';
import type { ChangeInput } from '../src/temporal/progress.js';
import { cloud } from './activities.js';

/**
 * Copies the published address set into the environment's bucket, where whoever finds no controller looks, and says whether
 * it is there. In the middle of a change that is worth a moment only (`glance`), as the copy is made again at its end; there
 * it is waited for (`bounded`), and what cannot be written then is the publisher's to write.
 */
export async function copyAddresses({ environment, key }: ChangeInput, as: 'glance' | 'bounded'): Promise<boolean> {
  const { writeAddresses } = cloud(key, { as, summary: 'write the addresses into the bucket' });
  try {
    await writeAddresses({ environment });
    return true;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn('the addresses could not be written into the bucket', { reason: error.cause?.message });
    return false;
  }
}
