import { setWorkflowOptions } from '@temporalio/workflow';
import { type Explanation, explainPlan } from '../src/membership/explain.js';
import { goalFor, goalForOne } from '../src/membership/goal.js';
import type { Goal } from '../src/membership/types.js';
import { network } from './activities.js';

/** What was typed at `enable-ha` or `disable-ha`. Absent `n`: what was asked for before, at least 3. */
export interface AskedChange {
  readonly kind: 'enable-ha' | 'disable-ha';
  readonly n?: string;
  readonly to?: readonly string[];
  readonly keep?: readonly string[];
}

export type PlannedChange =
  | {
      readonly ok: true;
      readonly goal: Goal;
      /** Controllers there are now. */
      readonly from: number;
      readonly explanation: Explanation;
    }
  | { readonly ok: false; readonly message: string; readonly todo: string };

/**
 * What a change would do, from fresh facts; nothing is done, and no lock is held. The change itself plans anew, from its
 * own facts: this is only what a person is told before.
 */
export async function planChange(input: { key: string; asked: AskedChange }): Promise<PlannedChange> {
  const { observed, desired } = await network(input.key, { as: 'bounded', summary: 'look around' }).lookAround();
  const { asked } = input;
  const result = asked.kind === 'enable-ha' ? goalFor(observed, asked, desired) : goalForOne(observed, asked.keep?.[0]);
  if (!result.ok) return result;
  const explanation = explainPlan(observed, result.goal);
  const from = explanation.maintaining.length + explanation.removing.length;
  return { ok: true, goal: result.goal, from, explanation };
}

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, planChange);
