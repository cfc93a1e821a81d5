import type { ClientSession } from 'mongodb';
import { QuorateError } from '../errors.js';
import type { EnvironmentDocument } from './documents.js';
import type { State } from './state.js';

/** The epoch that the caller was started with: whoever works for an older Temporal is refused. */
export interface Epoch {
  readonly epoch: number;
}

/** The epoch, and the version of the environment's document that the act was planned on. */
export interface Fence extends Epoch {
  readonly environmentVersion: number;
}

/**
 * The environment's document, read inside the transaction, if the caller's fence still holds. Throws `wrong-epoch`
 * (another Temporal has taken over), `stale` (planned on facts that have changed) or `no-environment`.
 */
export async function checkFence(
  state: State,
  session: ClientSession,
  fence: Epoch | Fence,
): Promise<EnvironmentDocument> {
  const environment = await state.environment.findOne({}, { session });
  if (environment === null) {
    throw new QuorateError('no-environment', 'The state holds no environment: it was never seeded.', {
      todo: 'Bootstrap the environment.',
    });
  }
  if (environment.epoch !== fence.epoch) {
    throw new QuorateError(
      'wrong-epoch',
      `This process works for epoch ${fence.epoch} of ${environment.name}, which is at epoch ${environment.epoch}: another Temporal has adopted it.`,
      { todo: 'Stop this worker; the ones of the new Temporal do its work.' },
    );
  }
  if ('environmentVersion' in fence && environment.version !== fence.environmentVersion) {
    throw stale(`the environment was at version ${fence.environmentVersion} and is at ${environment.version}`);
  }
  return environment;
}

/** Raises the environment's version and sets `fields`; the filter refuses when someone else did so since `environment` was read. */
export async function advanceEnvironment(
  state: State,
  session: ClientSession,
  environment: EnvironmentDocument,
  fields: Partial<Omit<EnvironmentDocument, '_id' | 'version'>>,
): Promise<EnvironmentDocument> {
  const next = { ...environment, ...fields, version: environment.version + 1 };
  const { _id, ...replacement } = next;
  const { matchedCount } = await state.environment.replaceOne({ _id, version: environment.version }, replacement, {
    session,
  });
  if (matchedCount === 0) throw stale('the environment has changed meanwhile');
  return next;
}

/** Refusal of an act that was planned on facts that have changed; whoever planned it plans again. */
export function stale(what: string): QuorateError {
  return new QuorateError('stale', `Nothing was changed, since ${what}.`, { todo: 'Look again and decide again.' });
}
