import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../src/errors.js';
import { isSameRecord } from '../src/state/instance-record.js';
import { recordInstance } from '../src/state/machines.js';
import type { InstanceWords } from './instances.js';
import type { Network } from './network.js';

const AGAIN_MS = 1000;

/**
 * The cloud's word becomes part of the documents, where every change and every status finds it. The cloud does not say it
 * again, so what cannot be written (there is no primary, its machine is forgotten at this moment) is tried again until
 * `signal` aborts, and keeps nothing else back.
 * @param onFailure told why each time
 */
export async function writeWords(
  network: Pick<Network, 'state' | 'fence'>,
  words: InstanceWords,
  signal: AbortSignal,
  onFailure: (reasons: readonly string[]) => void,
): Promise<void> {
  while (!signal.aborted) {
    const failures = await writeOnce(network, words).catch((error) => [reasonOf(error)]);
    if (failures.length === 0) return;
    onFailure(failures);
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns why some could not be written */
async function writeOnce({ state, fence }: Pick<Network, 'state' | 'fence'>, words: InstanceWords): Promise<string[]> {
  const failures: string[] = [];
  const machines = await state.machines.find({ _id: { $in: Object.keys(words) } }).toArray();
  for (const { _id: id, nonce, instance, provisioningError } of machines) {
    const word = words[id];
    if (word === undefined || word.nonce !== nonce) continue;
    const { fault = '' } = word.instance;
    // Why a start failed is the provisioner's to say, as long as there is no instance.
    if (instance !== null && isSameRecord(instance, word.instance) && fault === provisioningError) continue;
    try {
      await recordInstance(state, fence, { id, nonce }, word.instance);
    } catch (error) {
      failures.push(reasonOf(error));
    }
  }
  return failures;
}
