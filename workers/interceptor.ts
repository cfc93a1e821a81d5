import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { QuorateError } from '../src/errors.js';

/** Refusals that trying again cannot change. */
const FATAL: ReadonlySet<string> = new Set([
  'wrong-epoch',
  'no-environment',
  'proof-failed',
  'replica-set-refused',
  'store-damaged',
  'not-allowed',
  'may-not-end',
  'has-majority',
  'no-boot-token',
  'temporal-not-reached',
  'machine-zero-ended',
  // Of starts: who asked has to decide anew, in another zone or later.
  'not-found',
  'machine-not-alive',
  'zone-full',
  'not-started',
  // Whoever acts on stale facts looks again instead; deeds take it as an outcome before it comes here.
  'stale',
]);

/**
 * What every activity's failure becomes. A worker's shutdown looks like a cancellation to the activity; reported as one it
 * would cancel the change, so it becomes a failure that is tried again elsewhere. Our own errors keep their code as type.
 */
export function activityInterceptor(context: Context): ActivityInterceptors {
  return {
    inbound: {
      async execute(input, next) {
        try {
          return await next(input);
        } catch (error) {
          if (isShutdown(context)) {
            throw ApplicationFailure.create({ message: 'the worker left', type: 'WorkerLeft', category: 'BENIGN' });
          }
          if (!(error instanceof QuorateError)) throw error;
          throw ApplicationFailure.create({
            message: error.todo === '' ? error.message : `${error.message} ${error.todo}`,
            type: error.code,
            nonRetryable: FATAL.has(error.code),
          });
        }
      },
    },
  };
}

function isShutdown({ cancellationSignal, cancellationDetails }: Context): boolean {
  if (!cancellationSignal.aborted) return false;
  const { reason } = cancellationSignal;
  return (
    cancellationDetails?.workerShutdown === true || (reason instanceof Error && reason.message === 'WORKER_SHUTDOWN')
  );
}
