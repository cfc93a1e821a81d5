import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  setWorkflowOptions,
  TimeoutFailure,
} from '@temporalio/workflow';
import { changeSummary, SINGLETONS, WORKFLOW_TASK_TIMEOUT, workflowIds } from '../src/temporal/names.js';
import type { ChangeInput } from '../src/temporal/progress.js';
import { anywhere, type Call, cloud } from './activities.js';
import { enableHa } from './membership.js';
import { answerProgress } from './query.js';
import { recordEnd, showPhase } from './records.js';
import { Story } from './story.js';

export interface BootstrapInput extends ChangeInput {
  /** `local`, `ec2`. */
  readonly cloud: string;
  readonly region: string;
  /** How many controllers were asked for; all but the first come by `<env>:membership`. */
  readonly controllers: number;
  readonly settings: Readonly<Record<string, string>>;
  /** Which Temporal this is, kept in the environment's document so that another one is refused. */
  readonly temporal: { readonly clusterId: string; readonly namespace: string };
}

/**
 * From nothing to an environment with one controller, and on to more when they were asked for. It never changes
 * membership itself. Every step finds what an earlier attempt left: machine 0 by its nonce, the rest by what machine 0
 * says, so that a run that failed is simply started again.
 */
export async function bootstrap(input: BootstrapInput): Promise<{ text: string }> {
  const { environment, key, controllers, by } = input;
  const number = controllers === 1 ? 'one controller' : `${controllers} controllers`;
  const story = new Story('bootstrap', changeSummary.bootstrap(environment.name, controllers, input.cloud, by));
  answerProgress(story);
  showPhase(input, 'changing', controllers);
  const target = { environment };
  // Machines of the local cloud have all they need, and answer within a second.
  const boots = input.cloud !== 'local';
  const steps: readonly (readonly [text: string, reason: string, act: (call: Call) => Promise<unknown>])[] = [
    ...(boots
      ? [
          [
            'put what machines run into the bucket',
            'they get it there, whatever else they reach',
            (call: Call) => cloud(key, { ...call, within: UPLOAD }).prepareCloud(target),
          ] as const,
        ]
      : []),
    [
      'start machine 0',
      'everything else grows from it',
      (call) =>
        cloud(key, boots ? { ...call, within: START } : call).startMachineZero({
          ...target,
          constraints: input.settings['controller-constraints'] ?? '',
        }),
    ],
    ...(boots
      ? [['wait until machine 0 answers', 'a bare image boots in a minute or two', () => booted(input, story)] as const]
      : []),
    [
      'enrol the operator at machine 0',
      'both prove that they know the one-time token, without sending it',
      (call) => cloud(key, call).enrol({ ...target, by }),
    ],
    [
      'hand the connection to Temporal to machine 0',
      'its worker carries out all later changes',
      (call) => cloud(key, call).handOverTemporal(target),
    ],
    [
      'initiate a replica set of one',
      'more controllers are a change of membership, never a migration',
      (call) => cloud(key, call).initiate({ ...target, settings: input.settings }),
    ],
    [
      'write the first documents',
      'the environment keeps its own state from here on',
      (call) =>
        cloud(key, call).seed({
          ...target,
          cloud: input.cloud,
          region: input.region,
          controllers,
          settings: input.settings,
          temporal: input.temporal,
        }),
    ],
    ['start the API server', 'clients and agents connect to it', (call) => cloud(key, call).serve(target)],
    [
      'wait for the controller',
      'it answers as a whole: API, database, worker',
      (call) => cloud(key, call).waitForController(target),
    ],
    [
      'write the addresses into the bucket',
      'who finds no controller looks there',
      (call) => cloud(key, call).writeAddresses(target),
    ],
    ['start the singletons', SINGLETONS.join(', '), (call) => anywhere(key, call).startSingletons(target)],
  ];
  let stands = false;
  try {
    for (const [index, [text, reason, act]] of steps.entries()) {
      story.begin(text, reason);
      story.foresee(steps.slice(index + 1).map(([text, reason]) => ({ text, reason })));
      await act({ as: 'booting', summary: text });
    }
    stands = true;
    if (controllers > 1) await grow(input, story);
  } catch (error) {
    const reason = reasonOf(error);
    // Until the controller stands nobody can write that the environment is dying.
    const wayOut = `Remove what there is with: quorate destroy-environment ${environment.name}${stands ? '' : ' --force'}`;
    story.end(isCancellation(error) ? 'cancelled' : 'failed', reason, wayOut);
    throw isCancellation(error) ? error : ApplicationFailure.nonRetryable(reason, 'BootstrapFailed', { wayOut });
  }
  const text = `${environment.name} runs with ${number}`;
  showPhase(input, controllers > 1 ? 'ha' : 'default', controllers);
  story.end('done', text);
  await recordEnd(input, story);
  return { text };
}

setWorkflowOptions({ versioningBehavior: 'PINNED' }, bootstrap);

/**
 * A hundred megabytes, packed by a machine that may be busy and sent over a slow line: a beat may be late, and whoever is
 * given up for it would begin to pack again.
 */
const UPLOAD = { startToCloseTimeout: '30m', scheduleToCloseTimeout: '2h', heartbeatTimeout: '2m' } as const;
/** No room in a zone, throttling, an answer that does not come: the start itself looks and tries again for two minutes. */
const START = { startToCloseTimeout: '5m', scheduleToCloseTimeout: '15m', heartbeatTimeout: '1m' } as const;
const BOOT_MS = 15 * 60_000;
/** One look at the boot lasts at most this long. */
const LOOK_MS = 5 * 60_000;

/** Waits for machine 0, and tells what its console says: how far it is, and why it does not go on. */
async function booted({ key, environment }: BootstrapInput, story: Story): Promise<void> {
  const ends = Date.now() + BOOT_MS;
  let heard = { answers: false, step: '', fault: '' };
  while (!heard.answers) {
    const forMs = Math.min(LOOK_MS, ends - Date.now());
    if (forMs <= 0) {
      const why = heard.fault || (heard.step === '' ? 'its console says nothing' : `it came as far as ${heard.step}`);
      throw ApplicationFailure.nonRetryable(`Machine 0 did not answer within ${BOOT_MS / 60_000} minutes: ${why}`);
    }
    const { followBoot } = cloud(key, { as: 'watch', summary: 'knock at machine 0, and read its console' });
    heard = await followBoot({ environment, known: heard, forMs });
    story.hear(heard.fault || heard.step);
  }
}

/**
 * More controllers, as the change of membership that it is. A child for the sake of waiting: it goes on when bootstrap is
 * terminated, and settles when bootstrap is cancelled.
 */
async function grow(input: BootstrapInput, story: Story): Promise<void> {
  const { environment, key, controllers, by, ui, searchable } = input;
  const summary = changeSummary.membership(environment.name, 1, controllers, by);
  story.begin(`enable-ha: 1 → ${controllers} controllers`, `follow ${workflowIds.membership(key)}`);
  const goal = { controllers, keep: [], avoid: [], to: [], settle: false, primary: null };
  try {
    await executeChild(enableHa, {
      workflowId: workflowIds.membership(key),
      args: [{ environment, key, by, ui, searchable, goal, from: 1 }],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: summary,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw ApplicationFailure.nonRetryable(
      `another change runs already: ${workflowIds.membership(key)}`,
      'ChangeRunning',
    );
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    // Of what was tried until its time was over, the last failure says why.
    const { cause } = error;
    return (cause instanceof TimeoutFailure ? cause.cause?.message : undefined) ?? cause?.message ?? error.message;
  }
  return error instanceof Error ? error.message : String(error);
}
