import { setWorkflowOptions } from '@temporalio/workflow';
import { cloud, network } from './activities.js';
import { type Duty, runSingleton, type SingletonInput } from './singleton.js';

/** Keeps the addresses of the controllers in the environment's bucket, where whoever finds none of them looks. */
export async function publisher(input: SingletonInput): Promise<never> {
  return await runSingleton(input, duty);
}

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, publisher);

const duty: Duty = {
  name: 'publisher',
  waitingFor: 'wait for other addresses',
  perform: async ({ key, environment }, work) => {
    if (work.kind !== 'publish') return { failed: false };
    // However long the cloud cannot be asked: what is written then is the newest set.
    const { writeAddresses } = cloud(key, {
      as: 'steady',
      summary: `write address set ${work.version} into the bucket`,
    });
    const written = await writeAddresses({ environment });
    // A worker of an older version wrote it and does not say which.
    if (written === undefined) return { failed: true };
    const { recordBucket } = network(key, { as: 'bounded', summary: 'write down that the bucket has it' });
    await recordBucket({ version: written.version });
    return { failed: false };
  },
};
