import { setTimeout as sleep } from 'node:timers/promises';
import { Context, log } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { InstanceState } from '../src/cloud/cloud.js';
import { reasonOf } from '../src/errors.js';
import { votersOf } from '../src/membership/facts.js';
import { type Judged, judge } from '../src/membership/judge.js';
import type { Goal, MachineId } from '../src/membership/types.js';
import { type PastChange, recentChangesBy } from '../src/state/changes.js';
import { readEvenAlone } from '../src/state/even-alone.js';
import { affirmEvidence, writeEvidence } from '../src/state/evidence.js';
import { effectiveValue } from '../src/state/settings.js';
import { areRegistered } from '../src/temporal/attributes.js';
import { type Lost, SENTINEL } from '../src/temporal/names.js';
import type { InstanceWords } from './instances.js';
import type { Network } from './network.js';
import { look } from './observe.js';
import { seenAs } from './observed.js';
import { watching } from './watching.js';
import { writeWords } from './written-words.js';

export interface WatchRequest {
  /** What the cloud said last. */
  readonly words: InstanceWords;
  /** Machines of which the cloud's word is followed whatever it is; an older workflow has none. */
  readonly concerned?: readonly MachineId[];
  /** Rises with every watch of this environment, in whatever run: a late one overwrites nothing. */
  readonly sequence: number;
  /** No replacement is asked for before: the one just started, or the change in its way, has to be seen first. */
  readonly restMs: number;
  readonly forMs: number;
}

/** A replacement to be started now. */
export interface Replacement {
  readonly lost: Lost;
  /** Controllers that vote. */
  readonly from: number;
  readonly goal: Goal;
  /** For the change's links and search attributes. */
  readonly ui: string;
  readonly searchable: boolean;
}

/** The cloud's word on other machines is needed as well: on controllers, and on those whose instance was said not to run. */
export interface Concern {
  readonly concerned: readonly MachineId[];
}

/** A look costs each member three small commands: often enough to be in time, rare enough to be nobody's burden. */
const LOOK_MS = { well: 1000, ill: 250 } as const;
const HALTED: InstanceState[] = ['pending', 'stopping', 'stopped', 'paused'];
const NEWS_IF_WELL = {
  $or: [
    { 'instance.state': { $in: HALTED } },
    { 'instance.checks': { $exists: true } },
    { 'instance.retiresAt': { $exists: true } },
  ],
};
const MOST_HALTED = 200;
const AFFIRM_MS = 5000;
/** The cloud's word is written in some hundredths of a second; without a primary a replacement does not wait for it. */
const WRITTEN_WITHIN_MS = 300;
const DAY_MS = 86_400_000;
/** Moments that were written down stay as they are while what is seen now differs by less. */
const SAME_MOMENT_MS = 1500;

export type SentinelActivities = ReturnType<typeof sentinelActivities>;

export function sentinelActivities(network: Network) {
  return {
    /**
     * Watches the controllers from every side, keeps what is seen in the environment's `evidence`, and returns when one
     * is to be replaced now, when the cloud is to be followed on other machines as well, or with null after `forMs`.
     */
    async watchEvidence(request: WatchRequest): Promise<Replacement | Concern | null> {
      return await watching(network.self.machine, async () => {
        const over = new AbortController();
        const written = writeWords(network, request.words, over.signal, (reasons) =>
          log.warn('the cloud’s word on instances could not be written', { reasons }),
        );
        try {
          return await watchUntilNews(network, request, written);
        } finally {
          over.abort();
        }
      });
    },
  };
}

/** @param written resolves when the cloud's word is in the documents */
async function watchUntilNews(
  network: Network,
  request: WatchRequest,
  written: Promise<void>,
): Promise<Replacement | Concern | null> {
  const { client, cancellationSignal: signal } = Context.current();
  const began = performance.now();
  const told = new Told(network, request.sequence);
  for (;;) {
    const { judgement, replacement, concerned } = await lookAndJudge(network, request.words, client);
    const watchedMs = performance.now() - began;
    if (replacement !== null && watchedMs >= request.restMs) {
      // The replacement plans from the documents.
      await Promise.race([written, sleep(WRITTEN_WITHIN_MS, undefined, { signal })]);
      return { ...replacement, ...(await linksOf(network, client)) };
    }
    const { concerned: known } = request;
    if (known !== undefined && concerned.some((id) => !known.includes(id))) return { concerned };
    if (watchedMs >= request.forMs) return null;
    const amiss = judgement.controllers.filter(isAmiss);
    told.say(amiss);
    const pace = amiss.length > 0 ? LOOK_MS.ill : LOOK_MS.well;
    await sleep(Math.max(20, Math.min(pace, judgement.nextLookMs)), undefined, { signal });
  }
}

async function lookAndJudge(network: Network, words: InstanceWords, client: Client) {
  const { state, presence } = network;
  // The changes first: one that ends after they were read has left its mark on all that is read then.
  const [running, past, environment, settings] = await readEvenAlone(state, (from) =>
    Promise.all([
      state.changes.find({ state: 'running' }, from).toArray(),
      recentChangesBy(state, SENTINEL, DAY_MS, from),
      state.environment.findOne({}, from),
      state.settings.findOne({ _id: 'auto-replace' }, from),
    ]),
  );
  const alive = new Set<string>();
  for (const { _id, workflowId } of running) if (await runs(client, workflowId, _id)) alive.add(_id);
  const history = historyOf(past, alive);
  const instances = Object.fromEntries(
    Object.entries(words).map(([machine, { instance }]) => [machine, seenAs(instance.state)]),
  );
  const [{ observed }, halted] = await Promise.all([look(network, instances, []), readHalted(network)]);
  const concerned = [...new Set([...observed.machines.map(({ id }) => id), ...halted])];
  const desired = environment?.desired ?? 1;
  const autoReplace = effectiveValue('auto-replace', settings?.value, environment?.cloud ?? '') === 'true';
  const judgement = judge(observed, desired, history, {
    autoReplace,
    watchedMs: presence.watchedMs,
    writable: state.primary() !== null,
    changeRuns: alive.size > 0,
  });
  const replacement =
    judgement.goal !== null
      ? {
          lost: { machines: judgement.machines, why: judgement.why },
          from: observed.set === null ? desired : votersOf(observed.set).length,
          goal: judgement.goal,
        }
      : null;
  return { judgement, replacement, concerned };
}

/** Machines whose instance was said not to run, or not to be well: that this is over would be news. */
async function readHalted({ state }: Network): Promise<MachineId[]> {
  const halted = await readEvenAlone(state, (from) =>
    state.machines
      .find(NEWS_IF_WELL, { ...from, projection: { _id: 1 } })
      .limit(MOST_HALTED)
      .toArray(),
  );
  return halted.map(({ _id }) => _id);
}

/** A change that was ended from outside leaves a document that still says running: it failed, when it began at the latest. */
export function historyOf(past: readonly PastChange[], alive: ReadonlySet<string>): PastChange[] {
  return past.map((change) =>
    change.state === 'running' && !alive.has(change.id)
      ? { ...change, state: 'failed', endedAgeMs: change.ageMs }
      : change,
  );
}

/** Worth telling: what is well, only begins or leaves as it should is not. */
export const isAmiss = ({ verdict }: Judged): boolean => !['well', 'starting', 'leaving'].includes(verdict);

/** Whether a change that counts as running does: Temporal holds the lock. */
async function runs(client: Client, workflowId: string, firstRunId: string): Promise<boolean> {
  try {
    const { status, raw } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' && raw.workflowExecutionInfo?.firstRunId === firstRunId;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return false;
    throw error;
  }
}

/** Links and search attributes as the environment's changes have them. */
async function linksOf({ state }: Network, client: Client): Promise<Pick<Replacement, 'ui' | 'searchable'>> {
  const [latest, searchable] = await Promise.all([
    state.changes.findOne({}, { readPreference: 'primaryPreferred', sort: { number: -1 } }),
    areRegistered({ connection: client.connection, namespace: client.options.namespace }),
  ]);
  return { ui: latest?.url.split('/namespaces/')[0] ?? '', searchable };
}

/** What people are told: written when it changes, beside the watching, which waits for nobody. */
class Told {
  #said: readonly Moments[] | null = null;
  #affirmedAt = Number.NEGATIVE_INFINITY;
  #writing = false;

  constructor(
    private readonly network: Network,
    private readonly sequence: number,
  ) {}

  say(controllers: readonly Judged[]): void {
    // What cannot be said now is said with the next look.
    if (this.#writing) return;
    const now = performance.now();
    const said = controllers.map((one) => ({
      ...one,
      since: now - one.sinceMs,
      next: one.inMs === null ? null : now + one.inMs,
      words: [one.machine, one.verdict, one.next].join('\n'),
    }));
    const isNew = this.#said === null || !sameSaid(this.#said, said);
    if (!isNew && now - this.#affirmedAt < AFFIRM_MS) return;
    this.#writing = true;
    const { state, fence } = this.network;
    const write = isNew
      ? writeEvidence(state, fence, this.sequence, controllers)
      : affirmEvidence(state, this.sequence);
    write
      .then(
        () => {
          this.#said = isNew ? said : this.#said;
          this.#affirmedAt = now;
        },
        (error) => log.warn('what is seen could not be written', { reason: reasonOf(error) }),
      )
      .finally(() => {
        this.#writing = false;
      });
  }
}

/** What was said of a controller: its words, and the moments in them on this process's clock. */
export interface Moments {
  readonly words: string;
  readonly since: number;
  readonly next: number | null;
}

/** Whether it would tell nobody anything new: the same words in the same order, with moments that are near enough. */
export function sameSaid(a: readonly Moments[], b: readonly Moments[]): boolean {
  const near = (x: number | null, y: number | null) =>
    x === y || (x !== null && y !== null && Math.abs(x - y) < SAME_MOMENT_MS);
  return (
    a.length === b.length &&
    a.every((one, index) => {
      const other = b[index];
      return (
        other !== undefined && one.words === other.words && near(one.since, other.since) && near(one.next, other.next)
      );
    })
  );
}
