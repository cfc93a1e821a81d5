import { ActivityFailure, ApplicationFailure, setWorkflowOptions, TimeoutFailure } from '@temporalio/workflow';
import type { Work } from '../activities/work.js';
import { cloud, network } from './activities.js';
import { endLeftovers } from './leftovers.js';
import { type Duty, runSingleton, type SingletonInput } from './singleton.js';

/** Starts the instances of machines that have none, ends those of dead machines and those that belong to no machine. */
export async function provisioner(input: SingletonInput): Promise<never> {
  return await runSingleton(input, duty);
}

// Loops over fresh facts move to new code by themselves; replay tests guard them.
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, provisioner);

const duty: Duty = {
  name: 'provisioner',
  waitingFor: 'wait for machines to start or to end',
  beside: endLeftovers,
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
  const { machine, nonce, zone } = work;
  const { startInstance } = cloud(key, { as: 'bounded', summary: `start an instance for machine ${machine}` });
  const { recordInstance } = network(key, { as: 'steady', summary: `write down the instance of machine ${machine}` });
  try {
    const instance = await startInstance({ environment, machine });
    await recordInstance({ machine, nonce, instance, error: '' });
    return { failed: false };
  } catch (error) {
    if (!(error instanceof ActivityFailure) || error.activityType !== 'startInstance') throw error;
    const { cause } = error;
    const refusal = cause instanceof ApplicationFailure ? cause.type : null;
    // Removed meanwhile: then its document says what is to be done.
    if (refusal === 'machine-not-alive' || refusal === 'not-found') return { failed: false };
    if (refusal === 'zone-full') {
      const { leaveZone } = network(key, { as: 'steady', summary: `try another zone for machine ${machine}` });
      return { failed: !(await leaveZone({ machine, nonce, zone })) };
    }
    await recordInstance({ machine, nonce, instance: null, error: reasonOf(error) });
    return { failed: true };
  }
}

/** Why a start failed, for people: Temporal's own words for a task that nobody took say nothing to them. */
function reasonOf({ cause, message }: ActivityFailure): string {
  if (!(cause instanceof TimeoutFailure)) return cause?.message ?? message;
  return 'Nobody who can ask the cloud did so in time: see whether its worker runs with quorate engine status.';
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
