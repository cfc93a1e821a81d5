import { ActivityFailure, CancellationScope, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { RotationDeed, RotationSeen } from '../activities/rotation.js';
import type { RotationStep } from '../src/rotation/rotation.js';
import { changeSummary } from '../src/temporal/names.js';
import type { ChangeInput } from '../src/temporal/progress.js';
import { network } from './activities.js';
import { endBlocked, endCancelled, failedTooOften, MOST_FAILURES, pauseAfterFailure } from './change-ends.js';
import { answerProgress } from './query.js';
import { recordBegin, recordEnd, recordOf } from './records.js';
import { Story } from './story.js';

export interface RotateCaInput extends ChangeInput {
  /** Leave machines behind that are silent. */
  readonly force: boolean;
  /** How long certificates of both CAs are let in, at least. */
  readonly overlapMs: number;
  /** How long machines are waited for in each phase. */
  readonly waitMs: number;
}

/** Where a rotation that is cancelled leaves the environment. */
const RESTS = 'It rests where it stands; nothing is shut out. Go on with: quorate rotate-ca';

/**
 * A new CA and a new boot key in the place of the present ones, under the ID of all that changes controllers, as keys go to
 * controllers alone and all of them must have them. Look, do one step, again: where a rotation stands is in the environment's
 * document, so whoever comes next goes on from there.
 */
export async function rotateCa(input: RotateCaInput): Promise<{ text: string }> {
  const story = new Story('rotate-ca', changeSummary.rotateCa(input.environment.name, input.by));
  answerProgress(story);
  const rotation = new Rotation(input, story);
  CancellationScope.current().cancelRequested.catch(() => rotation.leave());
  return await CancellationScope.nonCancellable(() => rotation.run());
}

setWorkflowOptions({ versioningBehavior: 'PINNED' }, rotateCa);

const DEEDS = {
  make: ['make the next CA and boot key, and trust it beside the present one', 'nothing is issued by it yet'],
  issue: ['issue by the next CA', 'every controller trusts both'],
  drop: ['drop the CA before', 'every machine has a certificate by the next one'],
  end: ['write down that it is done', 'nobody who knew the keys before knows any that are used'],
} as const;
const TRUSTED = [
  'wait until every controller trusts both CAs',
  'a certificate of the next one is refused elsewhere',
] as const;
const MOVED = [
  'wait until every machine has a certificate by the next CA',
  'whoever has none is not let in any more',
] as const;
/** What comes after each deed, and after the waits of each phase. */
const AHEAD = {
  make: [TRUSTED, DEEDS.issue, MOVED, DEEDS.drop],
  trusting: [DEEDS.issue, MOVED, DEEDS.drop],
  issue: [MOVED, DEEDS.drop],
  issuing: [DEEDS.drop],
  drop: [],
  dropping: [],
  end: [],
} as const;

type Wait = Extract<RotationStep, { kind: 'wait' }>;

class Rotation {
  #wait: { readonly text: string; readonly at: number | null } | null = null;
  #waiting: CancellationScope | null = null;
  #cancelled = false;
  #failures = 0;

  constructor(
    private readonly input: RotateCaInput,
    private readonly story: Story,
  ) {}

  /** Cancelled: it ends where it stands, which is safe after each step. */
  leave(): void {
    this.#cancelled = true;
    this.#waiting?.cancel();
  }

  async run(): Promise<{ text: string }> {
    const { story, input } = this;
    await recordBegin(input, story, null);
    for (;;) {
      const seen = await this.#look();
      if (this.#cancelled) return await endCancelled(input, story, RESTS);
      if (seen === null) continue;
      const { step } = seen;
      if (step.kind === 'done') return await this.#end(step.text);
      if (step.kind === 'blocked') return await endBlocked(input, story, step.reason, step.wayOut);
      if (step.kind === 'wait') this.#startWait(step);
      else await this.#perform(step, seen.environmentVersion);
    }
  }

  async #look(): Promise<RotationSeen | null> {
    const { input, story } = this;
    const wait = this.#wait;
    const { force, overlapMs } = input;
    const change = workflowInfo().firstExecutionRunId;
    const call = { as: 'watch', summary: wait?.text ?? 'look where the rotation stands' } as const;
    const scope = new CancellationScope();
    this.#waiting = scope;
    try {
      return await scope.run(() =>
        network(input.key, call).watchRotation({
          asked: { change, force, overlapMs },
          wait: wait && { text: wait.text, leftMs: wait.at === null ? null : Math.max(0, wait.at - Date.now()) },
          record: recordOf(input, story),
        }),
      );
    } catch (error) {
      if (!this.#cancelled) throw error;
      return null;
    } finally {
      this.#waiting = null;
    }
  }

  /** Another wait of the same phase goes on with the time of the one before: machines come one by one. */
  #startWait({ text, reason, limited, phase }: Wait): void {
    const at = limited ? (this.#wait?.at ?? Date.now() + this.input.waitMs) : null;
    this.#wait = { text, at };
    if (at === null) this.story.begin(text, reason);
    else this.story.wait(text, reason, at, 'it ends there; both CAs stay trusted, and typed again it goes on');
    this.#foresee(phase);
  }

  async #perform(step: Extract<RotationStep, { kind: 'do' }>, environmentVersion: number): Promise<void> {
    const { input, story } = this;
    const [text, reason] = DEEDS[step.deed];
    this.#wait = null;
    story.begin(text, reason);
    this.#foresee(step.deed);
    const activities = network(input.key, { as: 'deed', summary: text });
    const deed: RotationDeed = {
      change: workflowInfo().firstExecutionRunId,
      environmentVersion,
      left: step.left,
      record: recordOf(input, story),
    };
    try {
      const { applied, note } = await {
        make: activities.makeNextAuthority,
        issue: activities.issueByNext,
        drop: activities.dropPrevious,
        end: activities.endRotation,
      }[step.deed](deed);
      // Refused by a fence: something changed the facts first. Not an error; look again.
      if (!applied) story.fail(note);
      this.#failures = 0;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      const cause = error.cause?.message ?? error.message;
      story.fail(cause);
      this.#failures += 1;
      if (this.#failures >= MOST_FAILURES) {
        await endBlocked(input, story, ...failedTooOften(text, this.#failures, cause));
      }
      await pauseAfterFailure(text, this.#failures);
    }
  }

  #foresee(from: keyof typeof AHEAD): void {
    this.story.foresee(AHEAD[from].map(([text, reason]) => ({ text, reason })));
  }

  async #end(text: string): Promise<{ text: string }> {
    this.story.end('done', text);
    await recordEnd(this.input, this.story);
    return { text };
  }
}
