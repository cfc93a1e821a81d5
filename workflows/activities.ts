import type { RetryPolicy } from '@temporalio/common';
import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { BootActivities } from '../activities/boot.js';
import type { CloudActivities } from '../activities/cloud.js';
import type { EnvironmentActivities } from '../activities/environment.js';
import type { ExposureActivities, FirewallActivities } from '../activities/firewall.js';
import type { InstanceActivities } from '../activities/instances.js';
import type { LeftoverActivities, OwnerActivities } from '../activities/leftovers.js';
import type { ObserveActivities } from '../activities/observe.js';
import type { RecoveryActivities } from '../activities/recovery.js';
import type { ReplicaSetActivities } from '../activities/replica-set.js';
import type { RotationActivities } from '../activities/rotation.js';
import type { SentinelActivities } from '../activities/sentinel.js';
import type { SingletonActivities } from '../activities/singletons.js';
import type { TakeoverActivities } from '../activities/takeover.js';
import type { WorkActivities } from '../activities/work.js';
import { taskQueues } from '../src/temporal/names.js';

/** Errors that trying again cannot heal; activities throw them with these types. */
export const NON_RETRYABLE = ['Fatal'];

/** Tried again at once at first, then at most this far apart, unless trying again cannot heal it. */
const soonAndAgain = (maximumInterval: '2s' | '5s'): RetryPolicy => ({
  initialInterval: '100ms',
  backoffCoefficient: 2,
  maximumInterval,
  nonRetryableErrorTypes: NON_RETRYABLE,
});

/**
 * The classes of activities: how long each may take, and what its failure means. Every activity belongs to one.
 */
const classes = {
  /**
   * A deed decided on facts that age: at most 10 s to be picked up, never tried again as it is. The loop observes and
   * plans anew instead, which is the retry, and a late attempt is refused by its fence.
   */
  deed: {
    scheduleToStartTimeout: '10s',
    startToCloseTimeout: '20s',
    heartbeatTimeout: '5s',
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  },
  /** A deed that only one machine's worker may do; those of others pass it on. A retry is the same request. */
  'passed-on': {
    scheduleToCloseTimeout: '30s',
    startToCloseTimeout: '20s',
    heartbeatTimeout: '5s',
    retry: { initialInterval: '200ms', backoffCoefficient: 1, nonRetryableErrorTypes: NON_RETRYABLE },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  },
  /** Reading, and waiting until the facts are others: tried again for ever, at once at first. */
  watch: {
    startToCloseTimeout: '15m',
    heartbeatTimeout: '3s',
    retry: soonAndAgain('2s'),
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  },
  /**
   * The same for a singleton’s own watch, which heartbeats twice a second: another worker has it within 3 s of a death, or within
   * what the setting `takeover` says.
   */
  follow: {
    startToCloseTimeout: '15m',
    heartbeatTimeout: '1500ms',
    // Each worker that is lost in the same round counts as an attempt, and the next is not to wait the longer for it.
    retry: {
      initialInterval: '100ms',
      backoffCoefficient: 1.2,
      maximumInterval: '1s',
      nonRetryableErrorTypes: NON_RETRYABLE,
    },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  },
  /** Idempotent by nature (a nonce, a fence, a fixed target) and needed before anything else can go on. */
  steady: {
    startToCloseTimeout: '30s',
    heartbeatTimeout: '5s',
    retry: soonAndAgain('5s'),
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  },
  /** The same, where whoever asked goes on without it after a while and says so. */
  bounded: {
    startToCloseTimeout: '30s',
    heartbeatTimeout: '5s',
    scheduleToCloseTimeout: '60s',
    retry: soonAndAgain('2s'),
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  },
  /** A question that is worth a moment only: the answer may be that nobody could say. */
  glance: {
    scheduleToCloseTimeout: '5s',
    startToCloseTimeout: '3s',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, nonRetryableErrorTypes: NON_RETRYABLE },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  },
  /** A step of bootstrap: each finds what an earlier attempt did; a machine that does not come up is given up in the end. */
  booting: {
    startToCloseTimeout: '60s',
    heartbeatTimeout: '10s',
    scheduleToCloseTimeout: '3m',
    retry: soonAndAgain('2s'),
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  },
} satisfies Record<string, ActivityOptions>;

type ActivityClass = keyof typeof classes;

/** How an activity is called: its class, its summary in the UI, and what differs from the class. */
export interface Call {
  readonly as: ActivityClass;
  readonly summary: string;
  readonly within?: Pick<
    ActivityOptions,
    'startToCloseTimeout' | 'scheduleToCloseTimeout' | 'scheduleToStartTimeout' | 'heartbeatTimeout'
  >;
}

function on<A>(taskQueue: string, { as, summary, within }: Call) {
  return proxyActivities<A>({ ...classes[as], ...within, taskQueue, summary });
}

/** On a controller: members, agents and documents. */
export function network(key: string, call: Call) {
  return on<
    ObserveActivities &
      ReplicaSetActivities &
      RecoveryActivities &
      EnvironmentActivities &
      WorkActivities &
      OwnerActivities &
      ExposureActivities &
      SentinelActivities &
      RotationActivities &
      TakeoverActivities
  >(taskQueues.network(key), call);
}

/** Where instances can be started and ended; on the local cloud the engine's worker alone. */
export function cloud(key: string, call: Call) {
  return on<CloudActivities & BootActivities & InstanceActivities & LeftoverActivities & FirewallActivities>(
    taskQueues.cloud(key),
    call,
  );
}

/** Wherever workflows run: what needs Temporal only. */
export function anywhere(key: string, call: Call) {
  return on<SingletonActivities>(taskQueues.workflows(key), call);
}
