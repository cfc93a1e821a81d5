import { setWorkflowOptions } from '@temporalio/workflow';
import { type Explanation, explainPlan } from '../src/membership/explain.js';
import { isVoter } from '../src/membership/facts.js';
import {
  goalAsItIs,
  goalFor,
  goalForOne,
  goalForReplace,
  goalForSwitchover,
  type Result,
} from '../src/membership/goal.js';
import type { Goal, Observed } from '../src/membership/types.js';
import { network } from './activities.js';

/** What was typed. */
export type AskedChange =
  /** Absent `n`: what was asked for before, at least 3. */
  | { readonly kind: 'enable-ha'; readonly n?: string; readonly to?: readonly string[]; readonly constraints?: string }
  /** Absent `keep`: the present primary stays. */
  | { readonly kind: 'disable-ha'; readonly keep?: readonly string[] }
  | { readonly kind: 'replace'; readonly machine: string }
  /** Absent `to`: the next in the order of succession. */
  | { readonly kind: 'switchover'; readonly to?: string }
  /** Changed settings of the set. */
  | { readonly kind: 'configure' };

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
  const constraints = input.asked.kind === 'enable-ha' ? input.asked.constraints : undefined;
  const { lookAround } = network(input.key, { as: 'bounded', summary: 'look around' });
  const { observed, desired, refusal } = await lookAround({
    named: namedBy(input.asked),
    ...(constraints === undefined ? {} : { constraints }),
  });
  if (refusal !== undefined) return { ok: false, ...refusal };
  const result = goalOf(input.asked, observed, desired);
  if (!result.ok) return result;
  const explanation = explainPlan(observed, result.goal);
  const from = explanation.maintaining.length + explanation.removing.length;
  return { ok: true, goal: result.goal, from, explanation };
}

/** Machines that may be no controllers. */
function namedBy(asked: AskedChange): readonly string[] {
  switch (asked.kind) {
    case 'enable-ha':
      return asked.to ?? [];
    case 'disable-ha':
      return asked.keep ?? [];
    case 'replace':
      return [asked.machine];
    case 'switchover':
      return asked.to === undefined ? [] : [asked.to];
    default:
      return [];
  }
}

function goalOf(asked: AskedChange, observed: Observed, desired: number): Result<{ readonly goal: Goal }> {
  switch (asked.kind) {
    case 'enable-ha':
      return goalFor(observed, asked, desired);
    case 'disable-ha':
      return goalForOne(observed, asked.keep?.[0]);
    case 'replace':
      return goalForReplace(observed, asked.machine, desired);
    case 'switchover':
      return goalForSwitchover(observed, asked.to);
    case 'configure':
      return { ok: true, goal: goalAsItIs(observed.set?.members.filter(isVoter).length ?? 1) };
    default:
      // A newer command line asks an older worker: another goal than was meant would be the worst answer.
      return {
        ok: false,
        message: `The worker that was asked does not know ${String((asked as { kind: unknown }).kind)}: it is of an older version.`,
        todo: 'Start the controllers again with the version that this command comes from.',
      };
  }
}

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, planChange);
