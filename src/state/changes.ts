import { QuorateError } from '../errors.js';
import type { ChangeDocument, ChangeStep } from './documents.js';
import type { ReadOptions } from './even-alone.js';
import { advanceEnvironment, checkFence, type Epoch } from './fence.js';
import { type State, transaction } from './state.js';

/** What is known of a change when it begins. */
export interface ChangeBeginning {
  /** The workflow's first run ID. */
  readonly id: string;
  readonly kind: string;
  readonly summary: string;
  readonly workflowId: string;
  readonly url: string;
  readonly by: string;
  /** ISO 8601, when its workflow started. */
  readonly startedAt: string;
  /** How many controllers it asks for, which the environment remembers; left out where that stays as it is. */
  readonly desired?: number;
}

/**
 * Begins the story of a change, under the next number; `id` is the workflow's first run ID. Asked again it answers what
 * is there. One of the same workflow ID that still counts as running was ended from outside, since the ID is the lock; what
 * it asked for, and comes late, is not remembered any more. Where one of that ID has begun that started later, it is this
 * one that was ended so, before it began: refused as `superseded`, unless `holdsId`, which is known where a clock was set back.
 */
export async function beginChange(
  state: State,
  fence: Epoch,
  change: ChangeBeginning,
  { holdsId = false }: { readonly holdsId?: boolean } = {},
): Promise<ChangeDocument> {
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    const { id, startedAt, desired = environment.desired, ...said } = change;
    const begun = await state.changes.findOne({ _id: id }, { session });
    if (begun !== null) {
      if (begun.state === 'running' && desired !== environment.desired) {
        await advanceEnvironment(state, session, environment, { desired });
      }
      return begun;
    }
    const started = new Date(startedAt);
    const { workflowId } = said;
    if (!holdsId && (await state.changes.findOne({ workflowId, startedAt: { $gt: started } }, { session })) !== null) {
      throw new QuorateError('superseded', `This ${said.kind} was ended from outside, and another change began since.`);
    }
    const document: ChangeDocument = {
      _id: id,
      number: environment.nextChange,
      ...said,
      state: 'running',
      steps: [],
      result: '',
      startedAt: started,
      endedAt: null,
      version: 0,
    };
    await state.changes.updateMany(
      { workflowId, state: 'running' },
      {
        $set: {
          state: 'failed',
          result: 'Nobody wrote down how it ended, or its workflow was ended from outside.',
          endedAt: new Date(),
        },
      },
      { session },
    );
    await advanceEnvironment(state, session, environment, { nextChange: environment.nextChange + 1, desired });
    await state.changes.insertOne(document, { session });
    return document;
  });
}

/** The steps of the run that writes, and how many of earlier runs of the same change stay before them (none when left out). */
interface Told {
  readonly steps: readonly ChangeStep[];
  readonly earlier?: number;
}

const storyOf = (change: ChangeDocument, { steps, earlier = 0 }: Told): ChangeStep[] => [
  ...change.steps.slice(0, earlier),
  ...steps,
];

/**
 * Records the steps of a running change as they stand at `sequence`, a number that the workflow counts up with every
 * record. Older ones that arrive late, and those of an ended change, leave no trace.
 */
export async function recordSteps(
  state: State,
  fence: Epoch,
  id: string,
  record: { readonly sequence: number } & Told,
): Promise<void> {
  await transaction(state, async (session) => {
    await checkFence(state, session, fence);
    const change = await state.changes.findOne(
      { _id: id, state: 'running', version: { $lt: record.sequence } },
      { session },
    );
    if (change === null) return;
    const { _id, ...fields } = change;
    const next = { ...fields, steps: storyOf(change, record), version: record.sequence };
    await state.changes.replaceOne({ _id }, next, { session });
  });
}

/** How long ago a change began and ended (null: it has not), as far as its writers' clocks agree with the database's. */
export interface PastChange {
  readonly id: string;
  readonly state: ChangeDocument['state'];
  readonly ageMs: number;
  readonly endedAgeMs: number | null;
}

/** Changes that `by` asked for in the last `withinMs`, the newest first. */
export async function recentChangesBy(
  state: State,
  by: string,
  withinMs: number,
  from: ReadOptions,
): Promise<PastChange[]> {
  const ago = (date: string) => ({ $toDouble: { $max: [0, { $subtract: ['$$NOW', date] }] } });
  return await state.changes
    .aggregate<PastChange>(
      [
        { $match: { by, $expr: { $gt: ['$startedAt', { $subtract: ['$$NOW', withinMs] }] } } },
        { $sort: { number: -1 } },
        {
          $project: {
            _id: 0,
            id: '$_id',
            state: 1,
            ageMs: ago('$startedAt'),
            endedAgeMs: { $cond: [{ $eq: ['$endedAt', null] }, null, ago('$endedAt')] },
          },
        },
      ],
      from,
    )
    .toArray();
}

/** Ends the story of a change; the first end stands. */
export async function endChange(
  state: State,
  fence: Epoch,
  id: string,
  end: {
    readonly state: 'done' | 'blocked' | 'cancelled' | 'failed';
    readonly result: string;
  } & Told,
): Promise<void> {
  await transaction(state, async (session) => {
    await checkFence(state, session, fence);
    const change = await state.changes.findOne({ _id: id, state: 'running' }, { session });
    if (change === null) return;
    const { _id, ...fields } = change;
    const next = {
      ...fields,
      state: end.state,
      result: end.result,
      steps: storyOf(change, end),
      endedAt: new Date(),
      version: change.version + 1,
    };
    await state.changes.replaceOne({ _id }, next, { session });
  });
}

/**
 * Ends the story of a change whose workflow is gone, as failed, with the steps that it had told; one that has ended stays
 * as it is.
 */
export async function abandonChange(state: State, fence: Epoch, id: string, result: string): Promise<void> {
  await transaction(state, async (session) => {
    await checkFence(state, session, fence);
    const change = await state.changes.findOne({ _id: id, state: 'running' }, { session });
    if (change === null) return;
    const { _id, ...fields } = change;
    const steps = change.steps.map((step) =>
      step.state === 'running' || step.state === 'waiting'
        ? { ...step, state: 'failed' as const, outcome: 'how it went on is not known' }
        : step,
    );
    const next = {
      ...fields,
      state: 'failed' as const,
      result,
      steps,
      endedAt: new Date(),
      version: change.version + 1,
    };
    await state.changes.replaceOne({ _id }, next, { session });
  });
}
