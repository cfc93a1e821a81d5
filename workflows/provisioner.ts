import { ActivityFailure, setWorkflowOptions } from '@temporalio/workflow';
import type { Work } from '../activities/work.js';
import { cloud, network } from './activities.js';
import { type Duty, runSingleton, type SingletonInput } from './singleton.js';

/** Starts the instances of machines that have none, ends those of dead machines, and keeps what the cloud says of all. */
export async function provisioner(input: SingletonInput): Promise<never> {
  return await runSingleton(input, duty);
}

// Loops over fresh facts move to new code by themselves; replay tests guard them.
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, provisioner);

const duty: Duty = {
  name: 'provisioner',
  waitingFor: 'wait for machines to start or to end',
  perform: async (input, work) => {
    switch (work.kind) {
      case 'start':
        return await start(input, work);
      case 'terminate':
        return await terminate(input, work);
      default:
        return { failed: false };
    }
  },
};

type WorkOf<K extends Work['kind']> = Extract<Work, { kind: K }>;

async function start({ key, environment }: SingletonInput, work: WorkOf<'start'>): Promise<{ failed: boolean }> {
  const { machine, nonce } = work;
  const { startInstance } = cloud(key, { as: 'bounded', summary: `start an instance for machine ${machine}` });
  const { recordInstance } = network(key, { as: 'steady', summary: `write down the instance of machine ${machine}` });
  try {
    const instance = await startInstance({ environment, machine });
    await recordInstance({ machine, nonce, instance, error: '' });
    return { failed: false };
  } catch (error) {
    if (!(error instanceof ActivityFailure) || error.activityType !== 'startInstance') throw error;
    await recordInstance({ machine, nonce, instance: null, error: error.cause?.message ?? error.message });
    return { failed: true };
  }
}

async function terminate(
  { key, environment }: SingletonInput,
  work: WorkOf<'terminate'>,
): Promise<{ failed: boolean }> {
  const { machine, instance, nonce } = work;
  const { terminateInstance } = cloud(key, { as: 'bounded', summary: `terminate the instance of machine ${machine}` });
  const { recordInstance } = network(key, { as: 'steady', summary: `write down that machine ${machine} is gone` });
  const ended = await terminateInstance({ environment, machine, instance, nonce, by: 'provisioner' });
  await recordInstance({ machine, nonce, instance: ended, error: '' });
  return { failed: false };
}
