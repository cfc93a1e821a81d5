import { isCancellation, log, sleep } from '@temporalio/workflow';
import type { TaggedInstance } from '../src/machines/leftover.js';
import { cloud, network } from './activities.js';
import type { SingletonInput } from './singleton.js';
import type { Takeover } from './takeover.js';

const LOOK_AGAIN_MS = 5 * 60_000;

/**
 * Ends instances that belong to no machine, once they have done so for a while: those of a start that was late, or that a
 * machine was removed in the middle of. Whatever fails is looked at again a minute later.
 */
export async function endLeftovers(input: SingletonInput, takeover: Takeover): Promise<never> {
  const { key, environment } = input;
  const summary = 'look for instances that belong to no machine';
  for (;;) {
    try {
      const { findLeftovers } = cloud(key, { as: 'watch', summary, within: takeover.watch });
      const suspects = await findLeftovers({ environment, forMs: LOOK_AGAIN_MS });
      if (suspects.length > 0 && !(await endThose(input, suspects))) await sleep('1m');
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('leftovers could not be ended', { reason: String(error) });
      await sleep('1m');
    }
  }
}

/** Whether all of them are gone. */
async function endThose({ key, environment }: SingletonInput, suspects: readonly TaggedInstance[]): Promise<boolean> {
  const { withoutOwner } = network(key, { as: 'steady', summary: 'ask the documents whose they are' });
  const leftovers = await withoutOwner({ instances: suspects });
  for (const { id: instance, machine, nonce } of leftovers) {
    log.warn('an instance that belongs to no machine is ended', { instance, machine });
    const summary = `terminate ${instance}, which belongs to no machine`;
    const { terminateInstance } = cloud(key, { as: 'bounded', summary });
    await terminateInstance({ environment, machine, instance, nonce, by: 'leftovers' });
  }
  return leftovers.length === suspects.length;
}
