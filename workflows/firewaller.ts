import { ActivityFailure, isCancellation, log, setWorkflowOptions, sleep } from '@temporalio/workflow';
import type { Ingress } from '../src/cloud/cloud.js';
import { cloud, network } from './activities.js';
import { type Duty, runSingleton, type SingletonInput } from './singleton.js';
import type { Takeover } from './takeover.js';

/** Lets in from outside what is exposed on machines and nothing else, and puts right what somebody else opened or closed. */
export async function firewaller(input: SingletonInput): Promise<never> {
  return await runSingleton(input, duty);
}

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, firewaller);

const duty: Duty = {
  name: 'firewaller',
  waitingFor: 'wait for ports to open or to close',
  beside: putRight,
  perform: async ({ key, environment }, work) => {
    if (work.kind !== 'open-ports') return { failed: false };
    const { machine, version } = work;
    const { openPorts } = cloud(key, { as: 'bounded', summary: `open what is exposed on machine ${machine}` });
    const { recordOpened } = network(key, { as: 'steady', summary: `write down what is open on machine ${machine}` });
    try {
      const opened = await openPorts({ environment, machine });
      if (opened === null) return { failed: false };
      await recordOpened(opened);
      return { failed: opened.error !== '' };
    } catch (error) {
      if (!(error instanceof ActivityFailure) || error.activityType !== 'openPorts' || isCancellation(error))
        throw error;
      const reason = error.cause?.message ?? error.message;
      await recordOpened({ machine, version, address: '', error: reason.replace(/\.?$/, '.') });
      return { failed: true };
    }
  },
};

/** What is open is judged at least so often, though nothing else was seen: it may have been opened and closed in between. */
const JUDGE_AGAIN_MS = 60_000;

/** Follows what the cloud says is open. Documents say afterwards what is to be opened again; what no machine has is closed. */
async function putRight({ key, environment }: SingletonInput, takeover: Takeover): Promise<never> {
  const summary = 'look whether other ports are open';
  const { judgeOpen } = network(key, { as: 'steady', summary: 'compare open ports with those that are exposed' });
  for (let known: readonly Ingress[] | null = null; ; ) {
    try {
      const { followPorts } = cloud(key, { as: 'watch', summary, within: takeover.watch });
      const open: readonly Ingress[] = await followPorts({ environment, known, forMs: JUDGE_AGAIN_MS });
      const { differing, leftovers } = await judgeOpen({ open });
      known = open;
      if (differing.length > 0) log.warn('ports are open that should not be, or closed', { machines: differing });
      const ports = open.filter(({ instance }) => leftovers.includes(instance));
      if (ports.length === 0) continue;
      log.warn('ports of instances that no machine has are closed', { instances: leftovers });
      const { closePorts } = cloud(key, { as: 'bounded', summary: `close ports of ${leftovers.join(', ')}` });
      await closePorts({ environment, ports });
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('open ports could not be judged', { reason: String(error) });
      await sleep('10s');
    }
  }
}
