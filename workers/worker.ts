import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  type RuntimeOptions,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { TemporalConnection } from '../src/boot/wire.js';
import { reasonOf } from '../src/errors.js';
import { log } from '../src/log/log.js';
import { buildId, builtFile } from '../src/package.js';
import { connectionOptions } from '../src/temporal/connect.js';
import { deploymentName } from '../src/temporal/names.js';
import { workerIdentity } from '../src/temporal/watches.js';
import { tracing } from '../src/tracing/tracing.js';
import { inTime } from './ending.js';
import { activityInterceptor } from './interceptor.js';

/** One task queue that a process polls for an environment. */
export interface Queue {
  readonly name: string;
  readonly activities: object;
  /** Workflows run here too. */
  readonly workflows?: boolean;
}

/** One environment's workers in this process. */
export interface Workers {
  /** Rejects when one of them failed; the process then starts them again. */
  readonly failed: Promise<never>;
  /**
   * Drains: no new task is taken, what runs gets a moment to end, the rest is handed back to be tried elsewhere.
   * @throws NotEnded
   */
  stop(): Promise<void>;
}

/** Ended activities get this long before they are told to stop, and the worker this long in all. */
const GRACE = { activities: '500ms', all: '1200ms' } as const;

/** Caches and concurrency of a worker for one environment: few and small things happen at once. */
const SMALL: Partial<WorkerOptions> = {
  maxCachedWorkflows: 10,
  workflowThreadPoolSize: 1,
  maxConcurrentWorkflowTaskExecutions: 4,
  maxConcurrentWorkflowTaskPolls: 2,
  maxConcurrentActivityTaskExecutions: 20,
  maxConcurrentActivityTaskPolls: 2,
  maxConcurrentLocalActivityExecutions: 1,
  maxConcurrentNexusTaskExecutions: 1,
};

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/**
 * To be called once in a process, before anything else of the SDK: signals are ours, and only warnings are logged.
 * @param metrics host:port to tell the SDK's figures at, for Prometheus; where it cannot be had the worker works without
 */
export function prepareRuntime(metrics?: string): void {
  if (metrics === undefined) {
    Runtime.install(OPTIONS);
    return;
  }
  const prometheus = {
    bindAddress: metrics,
    countersTotalSuffix: true,
    unitSuffix: true,
    useSecondsForDurations: true,
  };
  try {
    Runtime.install({ ...OPTIONS, telemetryOptions: { ...OPTIONS.telemetryOptions, metrics: { prometheus } } });
  } catch (error) {
    log().warn(`The worker's figures cannot be told at ${metrics}: ${reasonOf(error)}`);
    Runtime.install(OPTIONS);
  }
}

const OPTIONS: RuntimeOptions = {
  shutdownSignals: [],
  // What its native part says comes through the logger too, instead of in colours on stdout.
  telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
    // Every queue of activities alone would say so.
    if (message.startsWith('No workflows registered')) return;
    log()[LEVELS[level]]({ sdk: meta === undefined ? {} : JSON.parse(JSON.stringify(meta, errorsAsText)) }, message);
  }),
};

function errorsAsText(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === 'bigint' ? String(value) : value;
}

/**
 * A run that cannot be replayed ends, instead of holding its ID until somebody understands why: the next change goes on from
 * facts, and singletons keep nothing; every controller's worker starts those that do not run.
 */
const FAILING = { '*': ['NondeterminismError'] };

export async function connectWorkers(target: TemporalConnection): Promise<NativeConnection> {
  return await NativeConnection.connect(connectionOptions(target));
}

/**
 * Starts an environment's workers on these queues; `where` tells people where they run: `machine 1`, `engine`. Workflow code is versioned; queues of activities alone are not: a new
 * engine's worker and controllers that were not updated yet must go on working together, and activities are fenced by facts.
 */
export async function startWorkers(
  connection: NativeConnection,
  namespace: string,
  key: string,
  queues: readonly Queue[],
  where: string,
): Promise<Workers> {
  const traced = tracing() === null ? [] : [(await import('../src/tracing/temporal.js')).activityTracing];
  const version = { deploymentName: deploymentName(key), buildId: buildId() };
  const workers = await Promise.all(
    queues.map(({ name, activities, workflows }) =>
      Worker.create({
        ...SMALL,
        connection,
        namespace,
        taskQueue: name,
        activities,
        identity: workerIdentity(process.pid, where),
        ...(workflows && { workflowBundle: { codePath: builtFile('workflow-bundle.js') } }),
        workerDeploymentOptions: workflows
          ? // Each type says for itself what becomes of its runs; this is for one that forgot to.
            { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' }
          : { version, useWorkerVersioning: false },
        workflowFailureErrorTypes: FAILING,
        // A workflow whose worker was killed goes on elsewhere after this, instead of 10 s.
        stickyQueueScheduleToStartTimeout: '500ms',
        // Cancellation and the loss of the right to act are learnt by heartbeats.
        maxHeartbeatThrottleInterval: '500ms',
        shutdownGraceTime: GRACE.activities,
        shutdownForceTime: GRACE.all,
        interceptors: { activity: [...traced, activityInterceptor] },
      }),
    ),
  );
  const runs = workers.map((worker) => worker.run());
  let stopping = false;
  const failed = new Promise<never>((_, reject) => {
    for (const run of runs) {
      run.then(
        () => stopping || reject(new Error('a worker stopped by itself')),
        (error) => stopping || reject(error),
      );
    }
  });
  // Whoever started them looks at it when there is time to.
  failed.catch(() => undefined);
  return {
    failed,
    stop: async () => {
      stopping = true;
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      // What did not end in time is tried again elsewhere, as after a kill.
      await inTime(Promise.allSettled(runs).then(() => undefined));
    },
  };
}
