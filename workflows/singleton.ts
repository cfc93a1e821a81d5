import {
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  setCurrentDetails,
} from '@temporalio/workflow';
import type { Follower, Work } from '../activities/work.js';
import { network } from './activities.js';
import { type BackOff, nextBackOff, stillBackingOff } from './back-off.js';
import { keepHandOvers } from './hand-overs.js';
import { isLong } from './length.js';
import { Takeover } from './takeover.js';

/** Input of every singleton; it runs for the environment's life. */
export interface SingletonInput {
  readonly environment: { readonly name: string; readonly uuid: string };
  readonly key: string;
  /** Machines that are left alone for a while, because what was tried on them failed (`BackOff`). */
  readonly backOff?: Readonly<Record<string, BackOff>>;
  /** The setting `takeover`, as the run before has read it. */
  readonly takeoverMs?: number;
}

/** One follow-up lasts at most this long, and so does a change that no change stream reported. */
const LOOK_AGAIN_MS = 5 * 60_000;
/** So many pieces of work are done beside each other. */
const MOST_AT_ONCE = 8;

/** What makes a singleton this one: what it calls work, and how one piece of it is done. */
export interface Duty {
  readonly name: Follower;
  /** What the activity that waits for work is called in the UI. */
  readonly waitingFor: string;
  /** Returns what to write down when it failed; throws for what is no failure of the work itself. */
  readonly perform: (input: SingletonInput, work: Work) => Promise<{ readonly failed: boolean }>;
  /** What it does all the time besides; ended with the run. */
  readonly beside?: (input: SingletonInput, takeover: Takeover) => Promise<never>;
}

/**
 * The loop of every singleton: an activity of bounded length follows the environment's documents and returns when there
 * is work that nobody has begun; each piece is done beside the others, so that a slow one holds up nobody, and meanwhile
 * it looks for more. Driven by change, with the length of the activity as the slow timer behind it. Facts are read anew in
 * every round, so nothing is carried over but who is to be left alone until when.
 */
export async function runSingleton(input: SingletonInput, duty: Duty): Promise<never> {
  keepHandOvers();
  const pieces = new Pieces(input, duty);
  const takeover = new Takeover(input.key, input.takeoverMs);
  await takeover.refresh();
  const beside = new CancellationScope();
  // It ends with the run alone.
  const { beside: besides } = duty;
  if (besides) beside.run(() => besides(input, takeover)).catch(() => undefined);
  for (let round = 0; !isLong(round); round++) {
    await condition(() => pieces.busy.length < MOST_AT_ONCE);
    setCurrentDetails(pieces.describe());
    const works = await nextWorks(input, duty, pieces, takeover);
    for (const work of works) pieces.begin(work);
    // Whoever has nothing to do may ask what does not matter to those that have.
    if (works.length === 0) await takeover.refresh();
  }
  await condition(() => pieces.busy.length === 0);
  beside.cancel();
  return await continueAsNew<(next: SingletonInput) => Promise<never>>({
    ...input,
    ...takeover.carried,
    backOff: pieces.backOff,
  });
}

/** Follows the documents until there is work, or until a piece fails: then who rests, and how long, is another. */
async function nextWorks(
  { key }: SingletonInput,
  duty: Duty,
  pieces: Pieces,
  takeover: Takeover,
): Promise<readonly Work[]> {
  const { failures } = pieces;
  const follow = new CancellationScope();
  const nothing: readonly Work[] = [];
  try {
    return await follow.run(() =>
      Promise.race([
        network(key, { as: 'follow', summary: duty.waitingFor, within: takeover.follow }).followWork({
          singleton: duty.name,
          busy: pieces.busy,
          most: MOST_AT_ONCE - pieces.busy.length,
          ...pieces.rests(),
        }),
        condition(() => pieces.failures > failures).then(() => nothing),
      ]),
    );
  } finally {
    follow.cancel();
  }
}

/** The pieces of work under way, and who rests after a failure. */
class Pieces {
  readonly busy: Work[] = [];
  /** Rises whenever one fails. */
  failures = 0;
  backOff: Record<string, BackOff>;

  constructor(
    private readonly input: SingletonInput,
    private readonly duty: Duty,
  ) {
    this.backOff = { ...input.backOff };
  }

  begin(work: Work): void {
    this.busy.push(work);
    this.#attempt(work).then(
      (failed) => {
        this.busy.splice(this.busy.indexOf(work), 1);
        if (failed) {
          const retries = 'retries' in work ? work.retries : 0;
          this.backOff[work.machine] = nextBackOff(this.backOff[work.machine], retries, Date.now());
          this.failures += 1;
        } else delete this.backOff[work.machine];
      },
      // Cancelled, as the loop is.
      () => undefined,
    );
  }

  /** Who is left alone, since how many retries that a person asked for, and how long until the first of them is not. */
  rests() {
    const now = Date.now();
    this.backOff = stillBackingOff(this.backOff, now);
    const resting = Object.entries(this.backOff).filter(([, { until }]) => until > now);
    return {
      resting: resting.map(([machine]) => machine),
      retries: Object.fromEntries(resting.map(([machine, { retries }]) => [machine, retries])),
      forMs: Math.max(1000, Math.min(LOOK_AGAIN_MS, ...resting.map(([, { until }]) => until - now))),
    };
  }

  describe(): string {
    const named = (machine: string) => (/^\d/.test(machine) ? `machine ${machine}` : machine);
    const busy = this.busy.map(({ kind, machine }) => `- ${named(machine)}: ${kind}`);
    const rest = Object.entries(this.backOff).map(
      ([machine, { failures, until }]) =>
        `- ${named(machine)}: failed ${failures} times, next attempt ${new Date(until).toISOString().slice(11, 19)} UTC`,
    );
    return [`Runs as long as the environment; ${this.duty.waitingFor}.`, ...busy, ...rest].join('\n');
  }

  /** Whether it failed. That must not take the others with it, nor end the singleton. */
  async #attempt(work: Work): Promise<boolean> {
    try {
      return (await this.duty.perform(this.input, work)).failed;
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('work failed', { work, reason: String(error) });
      return true;
    }
  }
}
