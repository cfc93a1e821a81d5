import { ActivityFailure, ApplicationFailure, setWorkflowOptions, sleep } from '@temporalio/workflow';
import {
  canSurvive,
  consequencesOf,
  type Holder,
  isForced,
  othersOf,
  type RecoveryView,
  refusalOf,
  survivorOf,
} from '../src/membership/recovery.js';
import type { MachineId } from '../src/membership/types.js';
import { changeSummary } from '../src/temporal/names.js';
import { cloud, network } from './activities.js';
import { changeMembership, type MembershipInput, type MembershipResult, type Prelude } from './membership.js';
import { recordOf } from './records.js';
import type { Story } from './story.js';

export interface RecoverInput extends MembershipInput {
  /** The machine whose member is gone on with; a person has accepted what may be lost by it. */
  readonly survivor: MachineId;
}

/** Listings in a row in which nobody else must run: an instance asked for just before may appear late. */
const EMPTY_LISTINGS = 2;
/** So often may forcing fail before it is given up. */
const MOST_FAILURES = 12;

/**
 * After a majority was lost: every other controller is ended for good, a set of one is forced on the survivor by its own
 * machine, and the environment grows back as in any change. Begun again anywhere, it finds what was done.
 */
export async function recover(input: RecoverInput): Promise<MembershipResult> {
  const summary = changeSummary.recover(input.environment.name, input.survivor, input.by);
  return await changeMembership('recover', summary, input, (prelude) => new Recovery(input, prelude).run());
}

// As every change: a run stays with its code and is moved by starting again.
setWorkflowOptions({ versioningBehavior: 'PINNED' }, recover);

/** What is known of a lost majority, without a lock: what people decide on. */
export async function surveyMembers({ key }: { key: string }): Promise<RecoveryView> {
  return await network(key, { as: 'bounded', summary: 'ask every member what it holds' }).surveyMembers();
}

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, surveyMembers);

class Recovery {
  readonly #input: RecoverInput;
  readonly #story: Story;
  readonly #prelude: Prelude;

  constructor(input: RecoverInput, prelude: Prelude) {
    this.#input = input;
    this.#story = prelude.story;
    this.#prelude = prelude;
  }

  /** Returns once the survivor takes writes alone and the others are written off. */
  async run(): Promise<void> {
    const { survivor } = this.#input;
    const alone = `make machine ${survivor} a set of its own`;
    for (let failures = 0; ; ) {
      const view = await this.#survey();
      if (isForced(view, survivor)) {
        // A later run, or one that was begun again: what it has grown since is the planner's.
        if (!view.unfinished) await this.#writeOff(view);
        return;
      }
      const holder = await this.#mustSurvive(view);
      const failure = await this.#attempt(view, holder, alone);
      // What the survivor's documents say, now that they are the environment's.
      if (failure === null) return await this.#writeOff(await this.#survey());
      this.#story.fail(failure);
      failures += 1;
      if (failures >= MOST_FAILURES) {
        const todo = `Type it again: quorate recover --survivor ${survivor}`;
        await this.#prelude.block(`${alone} failed ${failures} times in a row: ${failure}`, todo);
      }
      await sleep(Math.min(100 * 2 ** failures, 5000), { summary: `before looking again, as this failed: ${alone}` });
    }
  }

  async #survey(): Promise<RecoveryView> {
    this.#story.begin('ask every member what it holds', 'only a lost majority is recovered');
    const summary = 'ask every member what it holds';
    return await network(this.#input.key, { as: 'steady', summary }).surveyMembers();
  }

  /** The survivor, if nothing speaks against it. Up to the first end of an instance the change can be cancelled. */
  async #mustSurvive(view: RecoveryView): Promise<Holder> {
    const { survivor } = this.#input;
    const refusal = refusalOf(view, survivor);
    if (refusal !== null) await this.#prelude.block(`${refusal.message}.`, refusal.todo);
    const holder = view.survey && survivorOf(view.survey, survivor);
    if (!holder || !canSurvive(holder)) throw ApplicationFailure.nonRetryable('no survivor that was not refused');
    await this.#prelude.leaveIfCancelled('Nothing was done.');
    return holder;
  }

  /** Fences and forces; why it failed, or null. */
  async #attempt(view: RecoveryView, holder: Holder, alone: string): Promise<string | null> {
    const { key, survivor } = this.#input;
    try {
      await this.#fence(view, holder);
      // The facts that forcing is fenced by are those after everybody else was gone.
      const now = await this.#survey();
      if (isForced(now, survivor)) return null;
      const { id, config } = await this.#mustSurvive(now);
      this.#story.begin(alone, 'no majority can come back: the others are gone for good');
      const outcome = await network(key, { as: 'passed-on', summary: alone }).forceRecovery({
        machine: survivor,
        survivor: id,
        fence: config,
        change: recordOf(this.#input, this.#story).id,
      });
      return outcome.applied ? null : outcome.note;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      return error.cause?.message ?? error.message;
    }
  }

  /** Stopped is not enough: started again, the others would be a majority of their own. */
  async #fence({ survey, workloads }: RecoveryView, holder: Holder): Promise<void> {
    const { environment, key } = this.#input;
    const others = survey === null ? '' : othersOf(survey, holder);
    const lost = survey === null ? [] : consequencesOf(survey, holder).lost;
    this.#story.begin(
      others === '' ? 'see that no other controller runs' : `end ${others} for good`,
      'started again they would be a majority of their own',
      lost,
    );
    this.#story.foresee([
      { text: `make machine ${holder.machine} a set of its own`, reason: 'no majority can come back' },
      { text: `grow back to ${this.#input.goal.controllers}`, reason: 'as it was asked for before' },
    ]);
    for (let empty = 0; empty < EMPTY_LISTINGS; ) {
      const standing = await this.#standing(workloads);
      await Promise.all(
        standing.map(({ machine, id, nonce }) =>
          cloud(key, { as: 'steady', summary: `end the instance of machine ${machine} for good` }).terminateInstance({
            environment,
            machine,
            instance: id,
            nonce,
            by: 'recover',
          }),
        ),
      );
      empty = standing.length === 0 ? empty + 1 : 0;
      if (empty < EMPTY_LISTINGS) await sleep(200, { summary: 'before listing the instances again' });
    }
  }

  /** Instances of others that are not confirmed to be gone for good; machines that are no controllers are left alone. */
  async #standing(workloads: readonly MachineId[]) {
    const { environment, key, survivor } = this.#input;
    const call = { as: 'steady', summary: 'list the instances of the environment' } as const;
    const instances = await cloud(key, call).listInstances({ environment });
    return instances.filter(
      ({ state, machine }) => state !== 'terminated' && machine !== survivor && !workloads.includes(machine),
    );
  }

  async #writeOff({ controllers, workloads }: RecoveryView): Promise<void> {
    const { key, survivor } = this.#input;
    const summary = 'write off the controllers that are gone';
    this.#story.begin(summary, 'others take their places');
    const standing = (await this.#standing(workloads)).map(({ machine }) => machine);
    const machines = controllers.filter((id) => id !== survivor && !standing.includes(id));
    await network(key, { as: 'steady', summary }).writeOffFenced({ machines });
  }
}
