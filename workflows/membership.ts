import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  log,
  setWorkflowOptions,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { Observation } from '../activities/observe.js';
import { explainPlan } from '../src/membership/explain.js';
import { silentMachines, unheardMachines } from '../src/membership/facts.js';
import { plan } from '../src/membership/plan.js';
import type { Expired, Goal, InstanceSeen, MachineId, Observed, Step } from '../src/membership/types.js';
import { afterDeed, stillExpired } from '../src/membership/waits.js';
import { changeSummary, type Lost } from '../src/temporal/names.js';
import type { ChangeInput } from '../src/temporal/progress.js';
import { cloud, network } from './activities.js';
import { copyAddresses } from './addresses.js';
import { endBlocked, endCancelled, failedTooOften, MOST_FAILURES, pauseAfterFailure } from './change-ends.js';
import { perform } from './deeds.js';
import { evidenceOf } from './evidence.js';
import { answerProgress } from './query.js';
import { recordBegin, recordEnd, recordOf, recordSoFar, showPhase } from './records.js';
import { Story } from './story.js';

export interface MembershipInput extends ChangeInput {
  readonly goal: Goal;
  /** Controllers when it was asked for, for the summary. */
  readonly from: number;
  /** What the sentinel found lost and has waited its grace for; as many controllers are wanted as were asked for last. */
  readonly lost?: Lost;
  /** It was asked to cancel in an earlier run. */
  readonly cancelled?: boolean;
  /** Records of its story that earlier runs of the same change have written. */
  readonly records?: number;
  /** Steps of its story that earlier runs have told; they stay. */
  readonly earlier?: number;
}

export interface MembershipResult {
  readonly text: string;
}

type Wait = Extract<Step, { kind: 'wait' }>;
type Do = Extract<Step, { kind: 'do' }>;

/**
 * The cloud is asked about machines that are not heard more and more rarely, of those that boot after a while first: that one
 * of them ended is also what the sentinel writes down.
 */
const ASK_CLOUD_MS = { least: 2000, booting: 15_000, most: 60_000 };
/** Said at the end of a change that could not copy the addresses. */
const NOT_COPIED = 'The bucket does not have their addresses yet; the publisher writes them as soon as it can.';

/** To 3, 5 or 7 controllers, up or down; `goal` says how many. */
export async function enableHa(input: MembershipInput): Promise<MembershipResult> {
  return await changeMembership('enable-ha', membershipSummary(input), input);
}

/** To one controller. */
export async function disableHa(input: MembershipInput): Promise<MembershipResult> {
  return await changeMembership('disable-ha', membershipSummary(input), input);
}

/** Another controller in the place of those to avoid, and of what is lost; as many as before. */
export async function replace(input: MembershipInput): Promise<MembershipResult> {
  const summary = changeSummary.replace(input.environment.name, input.goal.avoid, input.by, input.lost);
  return await changeMembership('replace', summary, input);
}

/** Another primary; nobody is added or removed. */
export async function switchover(input: MembershipInput): Promise<MembershipResult> {
  const summary = changeSummary.switchover(input.environment.name, input.goal.primary, input.by);
  return await changeMembership('switchover', summary, input);
}

/** Changed settings that are in the set's own config are put into effect; nobody is added or removed. */
export async function configure(input: MembershipInput): Promise<MembershipResult> {
  const summary = changeSummary.configure(input.environment.name, input.by);
  return await changeMembership('configure', summary, input);
}

// A running change stays with the code it was planned by; it is moved by starting its loop again (workers/versions.ts).
setWorkflowOptions({ versioningBehavior: 'PINNED' }, enableHa);
setWorkflowOptions({ versioningBehavior: 'PINNED' }, disableHa);
setWorkflowOptions({ versioningBehavior: 'PINNED' }, replace);
setWorkflowOptions({ versioningBehavior: 'PINNED' }, switchover);
setWorkflowOptions({ versioningBehavior: 'PINNED' }, configure);

/**
 * Observe, plan, do one step, again. Nothing is remembered between rounds but the waits that came to their end, so a
 * crash, a failure in the middle and a change made by hand all land in the same code.
 *
 * Cancelling does not stop it where it stands: the goal becomes the nearest safe point, and it ends as cancelled there.
 */
export async function changeMembership(
  kind: string,
  summary: string,
  input: MembershipInput,
  before: (prelude: Prelude) => Promise<void> = async () => undefined,
): Promise<MembershipResult> {
  const story = new Story(kind, summary, { records: input.records ?? 0, steps: input.earlier ?? 0 });
  answerProgress(story);
  showPhase(input, 'changing', input.goal.controllers);
  const loop = new MembershipLoop(input, story);
  CancellationScope.current().cancelRequested.catch(() => loop.settle());
  return await CancellationScope.nonCancellable(async () => {
    await before({
      story,
      block: (reason, wayOut) => loop.block(reason, wayOut),
      leaveIfCancelled: (text) => loop.leaveIfCancelled(text),
    });
    return await loop.run();
  });
}

/** What is done before the loop can plan: where no majority is left to plan with. */
export interface Prelude {
  readonly story: Story;
  /** Ends the change as blocked. */
  block(reason: string, wayOut: string): Promise<never>;
  /** Ends the change as cancelled if that was asked for; `text` says where it leaves the environment. */
  leaveIfCancelled(text: string): Promise<void>;
}

const membershipSummary = ({ environment, from, goal, by }: MembershipInput): string =>
  changeSummary.membership(environment.name, from, goal.controllers, by);

class MembershipLoop {
  readonly #input: MembershipInput;
  readonly #story: Story;
  #goal: Goal;
  #cancelled: boolean;
  #expired: readonly Expired[] = [];
  /** The wait under way and when it ends (workflow time: a deadline, not a duration). */
  #wait: { readonly step: Wait; readonly at: number } | null = null;
  #waiting: CancellationScope | null = null;
  /** The cloud's word on instances, asked for while agents are silent. */
  #instances: Readonly<Record<MachineId, InstanceSeen>> = {};
  #askCloudAt = Date.now() + ASK_CLOUD_MS.booting;
  #askCloudEveryMs = ASK_CLOUD_MS.booting;
  #failures = 0;
  /** The number that was asked for, where it could not be written when the change began. */
  #unwritten: number | null = null;

  constructor(input: MembershipInput, story: Story) {
    this.#input = input;
    this.#story = story;
    this.#goal = input.goal;
    this.#cancelled = input.cancelled ?? false;
    if (input.lost) this.#expired = [{ for: 'healthy', machines: input.lost.machines }];
  }

  /** Cancelled: go on to the nearest safe point only. */
  settle(): void {
    this.#cancelled = true;
    this.#goal = { ...this.#goal, settle: true, primary: null };
    this.#waiting?.cancel();
  }

  async run(): Promise<MembershipResult> {
    // Where nobody is added or removed, what was asked for before stays.
    const asked = this.#goal.settle || this.#input.lost ? null : this.#goal.controllers;
    const desired = await recordBegin(this.#input, this.#story, asked);
    this.#unwritten = desired === null ? asked : null;
    // What the sentinel saw may be old by now: a number that a person asked for since counts.
    if (this.#input.lost && desired !== null) this.#goal = { ...this.#goal, controllers: desired };
    for (;;) {
      const observation = await this.#observe();
      if (observation === null) continue;
      const { observed } = observation;
      if (await this.#askCloud(observation)) continue;
      this.#expired = stillExpired(observed, this.#expired);
      const step = plan(observed, this.#goal, this.#expired);
      if (step.kind === 'done') return await this.#end(step.text, observed);
      if (step.kind === 'blocked') return await this.block(step.reason, step.wayOut);
      if (workflowInfo().continueAsNewSuggested) await this.#continue(step.text);
      if (step.kind === 'wait') this.#startWait(step);
      else this.#story.begin(step.text, step.reason, evidenceOf(step, observation));
      this.#foresee(observed, step.text);
      if (step.kind === 'do') await this.#perform(step, observation);
    }
  }

  /** Fresh facts; while a wait is under way, those that end it. null when cancelling interrupted the wait. */
  async #observe(): Promise<Observation | null> {
    const wait = this.#wait;
    const scope = new CancellationScope();
    this.#waiting = wait && scope;
    const { observe } = network(this.#input.key, {
      as: 'watch',
      summary: wait?.step.text ?? 'look at the environment',
    });
    try {
      const observation = await scope.run(() =>
        observe({
          goal: this.#goal,
          expired: this.#expired,
          wait: wait && { for: wait.step.for, machines: wait.step.machines, leftMs: Math.max(0, wait.at - Date.now()) },
          instances: this.#instances,
          askCloudInMs: Math.max(0, this.#askCloudAt - Date.now()),
          record: recordOf(this.#input, this.#story),
        }),
      );
      if (wait && observation.expired) {
        this.#expired = [...this.#expired, { for: wait.step.for, machines: wait.step.machines }];
        this.#story.fail(`not within ${Math.round(wait.step.deadlineMs / 1000)} s, so: ${wait.step.otherwise}`);
        this.#wait = null;
      }
      return observation;
    } catch (error) {
      if (!isCancellation(error)) throw error;
      this.#story.fail('cancelled');
      this.#wait = null;
      return null;
    } finally {
      this.#waiting = null;
    }
  }

  #startWait(step: Wait): void {
    const before = this.#wait;
    const same = before?.step.for === step.for && before.step.machines.join() === step.machines.join();
    // The same wait answered again keeps its deadline or has an earlier one: looking in between must not prolong it.
    const at = Math.min(Date.now() + step.deadlineMs, before && same ? before.at : Number.POSITIVE_INFINITY);
    this.#wait = { step, at };
    this.#story.wait(step.text, step.reason, at, step.otherwise);
    // Why a boot does not go on is known a while after it began.
    if (step.for === 'boot' && same && step.reason !== before.step.reason) this.#story.hear(step.reason);
  }

  /**
   * Controllers cannot ask every cloud, so the cloud's word on silent machines comes by the queue that can. True when it
   * says anything else than was planned with.
   */
  async #askCloud({ observed, askCloud }: Observation): Promise<boolean> {
    const unheard = unheardMachines(observed);
    const unasked = silentMachines(observed).filter((id) => this.#instances[id] === undefined);
    if (unheard.length === 0) this.#instances = {};
    if (!askCloud) return false;
    this.#askCloudEveryMs =
      unasked.length > 0 ? ASK_CLOUD_MS.least : Math.min(2 * this.#askCloudEveryMs, ASK_CLOUD_MS.most);
    const summary = `ask the cloud about ${unheard.map((id) => `machine ${id}`).join(', ')}`;
    try {
      const { seeInstances } = cloud(this.#input.key, { as: 'glance', summary });
      const seen = await seeInstances({ environment: this.#input.environment });
      this.#instances = Object.fromEntries(unheard.map((id) => [id, seen[id] ?? 'unknown']));
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      log.warn('the cloud could not be asked', { reason: error.cause?.message });
      this.#instances = Object.fromEntries(unheard.map((id) => [id, 'unknown']));
    }
    this.#askCloudAt = Date.now() + this.#askCloudEveryMs;
    return observed.machines.some(({ id, instance }) => unheard.includes(id) && this.#instances[id] !== instance);
  }

  /** The same change in a new run, from facts as in every round; its first run ID and so its story stay. */
  async #continue(next: string): Promise<never> {
    this.#story.pause(next);
    await recordSoFar(this.#input, this.#story);
    return await continueAsNew<typeof enableHa>({
      ...this.#input,
      goal: this.#goal,
      cancelled: this.#cancelled,
      records: this.#story.nextRecord(),
      earlier: this.#story.ended,
    });
  }

  async #perform(step: Do, observation: Observation): Promise<void> {
    this.#wait = null;
    try {
      const outcome = await perform(this.#input, step, observation, recordOf(this.#input, this.#story));
      // Refused by a fence: somebody or something changed the facts first. Not an error; look again.
      if (!outcome.applied) this.#story.fail(outcome.note);
      else this.#expired = afterDeed(this.#expired, step.deed);
      this.#failures = 0;
      // What the cloud said before is no longer so.
      if (step.deed.kind === 'terminate') this.#instances = {};
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      await this.#recover(step.text, error);
    }
  }

  /** A deed that failed: its outcome is unknown, and the next round finds out. Only a lasting failure ends the change. */
  async #recover(text: string, { cause, message }: ActivityFailure): Promise<void> {
    const reason = cause instanceof TimeoutFailure ? 'it did not answer in time' : (cause?.message ?? message);
    this.#story.fail(reason);
    this.#failures += 1;
    if (cause instanceof ApplicationFailure && cause.nonRetryable) await this.block(`${text}: ${reason}`, '');
    if (this.#failures >= MOST_FAILURES) await this.block(...failedTooOften(text, this.#failures, reason));
    await pauseAfterFailure(text, this.#failures);
  }

  async #end(outcome: string, observed: Observed): Promise<MembershipResult> {
    const voters = observed.set?.members.filter(({ votes }) => votes === 1).length ?? 0;
    showPhase(this.#input, voters > 1 ? 'ha' : 'default', voters);
    const copied = await copyAddresses(this.#input, 'bounded');
    const text = copied ? outcome : `${outcome} ${NOT_COPIED}`;
    await this.leaveIfCancelled(text);
    // Else the environment would go on wanting what was asked for before, and be told to go back to it.
    if (this.#unwritten !== null) await recordBegin(this.#input, this.#story, this.#unwritten);
    this.#story.end('done', text);
    await recordEnd(this.#input, this.#story);
    return { text };
  }

  /** Ends as cancelled if that was asked for. */
  async leaveIfCancelled(text: string): Promise<void> {
    if (!this.#cancelled) return;
    await endCancelled(this.#input, this.#story, text);
  }

  async block(reason: string, wayOut: string): Promise<never> {
    showPhase(this.#input, 'degraded', this.#goal.controllers);
    return await endBlocked(this.#input, this.#story, reason, wayOut);
  }

  /** Shows what will come if all goes well; the explanation begins with the step under way. */
  #foresee(observed: Observed, current: string): void {
    const [first, ...rest] = explainPlan(observed, this.#goal).steps;
    this.#story.foresee(first && first.text !== current ? [first, ...rest] : rest);
  }
}
