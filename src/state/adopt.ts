import { QuorateError } from '../errors.js';
import type { EnvironmentDocument } from './documents.js';
import { advanceEnvironment, checkFence, type Epoch } from './fence.js';
import { currentToken, follow } from './follow.js';
import { type State, transaction } from './state.js';

/** The Temporal that an environment's changes run in from now on. */
export interface AdoptedTemporal {
  readonly clusterId: string;
  readonly namespace: string;
  /** How controllers reach it (`sealConnection`). */
  readonly sealed: string;
}

/**
 * Writes another Temporal into the environment's document and raises the epoch, in one transaction fenced by the epoch that
 * was seen: every worker of the old one is refused from then on. Changes that ran there have lost their workers and count
 * as ended. Asked again with the same it answers what is there.
 */
export async function adoptTemporal(
  state: State,
  seen: Epoch,
  temporal: AdoptedTemporal,
): Promise<EnvironmentDocument> {
  return await transaction(state, async (session) => {
    const there = await state.environment.findOne({}, { session });
    const { clusterId, namespace } = temporal;
    const done = there?.temporal.clusterId === clusterId && there.temporal.namespace === namespace;
    if (there !== null && done && there.epoch === seen.epoch + 1) return there;
    const environment = await checkFence(state, session, seen);
    if (environment.life !== 'alive') {
      throw new QuorateError('environment-not-alive', `${environment.name} is being destroyed.`);
    }
    await state.changes.updateMany(
      { state: 'running' },
      { $set: { state: 'failed', result: 'The Temporal that it ran in was left behind.', endedAt: new Date() } },
      { session },
    );
    return await advanceEnvironment(state, session, environment, { epoch: seen.epoch + 1, temporal });
  });
}

/** Resolves when the environment has another epoch than the caller, or when `signal` aborts. */
export async function untilAdopted(state: State, own: Epoch, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // The place in the stream comes first, so that nothing in between is missed.
    const after = await currentToken(state, signal);
    if (after === null) return;
    const now = await state.environment.findOne({}, { readPreference: 'primaryPreferred' });
    if (now !== null && now.epoch !== own.epoch) return;
    try {
      for await (const { document } of follow(state, ['environment'], { after, signal })) {
        if (document !== null && document.epoch !== own.epoch) return;
      }
    } catch (error) {
      if (!(error instanceof QuorateError) || error.code !== 'token-too-old') throw error;
    }
  }
}
