import { setTimeout as sleep } from 'node:timers/promises';
import { RunInstancesCommand, type RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { QuorateError } from '../../errors.js';
import type { StartRequest } from '../cloud.js';
import type { Amazon } from './amazon.js';
import { AmazonError } from './errors.js';
import { type Ec2Instance, instanceOf, oldestFirst } from './instance.js';
import type { Instances } from './instances.js';

/** For so long a start whose answer did not come is looked for and tried again. */
const FOR_MS = 120_000;
/** How long an instance that was started may not be shown by its tag. */
const SHOWN_MS = 10_000;

/**
 * Starts the one instance of a nonce: what carries it is looked for first, so that nothing rests on the client token alone;
 * the token keeps two that look at the same time apart. An answer that does not come is never taken for a no.
 */
export async function launch(
  amazon: Amazon,
  instances: Instances,
  request: StartRequest,
  prepare: () => Promise<RunInstancesCommandInput>,
): Promise<Ec2Instance> {
  const { environment, machine, nonce } = request.tags;
  const there = await settle(instances, environment, nonce);
  if (there !== null) return ofMachine(there, machine);
  const input = await prepare();
  const deadline = performance.now() + FOR_MS;
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 8_000)) {
    try {
      const { Instances: [started] = [] } = await amazon.ask('RunInstances', () =>
        amazon.once.send(new RunInstancesCommand(input)),
      );
      const instance = started === undefined ? null : instanceOf(started);
      // Shown by its tag, it may turn out to have a twin; not shown yet, the answer is what there is.
      const settled = await settle(instances, environment, nonce, instance);
      if (settled !== null) return ofMachine(settled, machine);
    } catch (error) {
      if (!(error instanceof AmazonError)) throw error;
      const found = await lookAfter(instances, environment, nonce, error);
      if (found !== null) return ofMachine(found, machine);
      // A group that was just made may not be shown to who starts yet.
      const passes = error.reaction === 'retry' || error.code === 'cloud-not-found';
      if (!passes || performance.now() + pauseMs > deadline) throw error;
    }
    if (performance.now() + pauseMs > deadline) {
      throw new QuorateError('cloud-unavailable', `Amazon does not say what came of the start of machine ${machine}.`, {
        todo: 'It is tried again by itself.',
      });
    }
    await sleep(pauseMs);
  }
}

/** After a start that failed: what it may have started all the same. */
async function lookAfter(
  instances: Instances,
  environment: string,
  nonce: string,
  { code }: AmazonError,
): Promise<Ec2Instance | null> {
  // The token was used: somewhere there is, or was, an instance.
  const deadline = performance.now() + (code === 'nonce-spent' ? SHOWN_MS : 0);
  for (;;) {
    const found = await settle(instances, environment, nonce);
    if (found !== null || performance.now() >= deadline) return found;
    await sleep(1_000);
  }
}

/**
 * The instance of a nonce; null when there is none. Of several the oldest is kept, and those that came later are ended:
 * whoever looks decides the same. `started` is one that may not be shown yet.
 */
async function settle(
  instances: Instances,
  environment: string,
  nonce: string,
  started: Ec2Instance | null = null,
): Promise<Ec2Instance | null> {
  const shown = await instances.twins(environment, nonce);
  const hidden = started === null || shown.some(({ id }) => id === started.id) ? [] : [started];
  const [kept, ...others] = oldestFirst([...shown, ...hidden]);
  await Promise.all(others.filter(({ state }) => state !== 'terminated').map(({ id }) => instances.terminate(id)));
  return kept ?? null;
}

function ofMachine(instance: Ec2Instance, machine: string): Ec2Instance {
  if (instance.tags.machine === machine) return instance;
  throw new QuorateError('nonce-taken', `the nonce of machine ${machine} belongs to machine ${instance.tags.machine}`);
}
