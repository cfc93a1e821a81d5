import { setWorkflowOptions } from '@temporalio/workflow';
import { network } from './activities.js';
import { type Duty, runSingleton, type SingletonInput } from './singleton.js';

/** Forgets machines that are dead and whose instance is gone. */
export async function cleaner(input: SingletonInput): Promise<never> {
  return await runSingleton(input, duty);
}

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, cleaner);

const duty: Duty = {
  name: 'cleaner',
  waitingFor: 'wait for machines to forget',
  perform: async ({ key }, { kind, machine }) => {
    if (kind !== 'forget') return { failed: false };
    await network(key, { as: 'bounded', summary: `forget machine ${machine}` }).forget({ machine });
    return { failed: false };
  },
};
