import { setWorkflowOptions } from '@temporalio/workflow';
import { cloud, network } from './activities.js';
import { type Duty, runSingleton, type SingletonInput } from './singleton.js';

/** Forgets machines that are dead and whose instance is gone, and what outlived its time or its machine. */
export async function cleaner(input: SingletonInput): Promise<never> {
  return await runSingleton(input, duty);
}

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, cleaner);

const duty: Duty = {
  name: 'cleaner',
  waitingFor: 'wait for machines to forget',
  perform: async ({ key, environment }, work) => {
    switch (work.kind) {
      case 'forget':
        await network(key, { as: 'bounded', summary: `forget machine ${work.machine}` }).forget({
          machine: work.machine,
        });
        return { failed: false };
      case 'sweep': {
        const { machine: what, ids } = work;
        const { sweep } = network(key, { as: 'bounded', summary: `remove old ${what} (${ids.length})` });
        // What is there still, though it was to go, is left alone for a while.
        return { failed: (await sweep({ what, ids })) === 0 };
      }
      case 'tidy-bucket':
        await cloud(key, { as: 'bounded', summary: 'tidy the bucket' }).tidyBucket({ environment });
        await network(key, { as: 'bounded', summary: 'write down that the bucket is tidy' }).recordBucket({
          tidied: true,
        });
        return { failed: false };
      default:
        return { failed: false };
    }
  },
};
