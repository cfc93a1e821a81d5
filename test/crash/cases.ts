import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package.js';
import { SINGLETONS } from '../../src/temporal/names.js';

/** Where an activity is held: its effect has not begun, may be half done, or is done and nobody knows yet. */
export const MOMENTS = ['before', 'during', 'after'] as const;
export type Moment = (typeof MOMENTS)[number];

/** What dies while the activity is held. */
const DEATHS = ['worker', 'all workers', 'engine', 'target machine'] as const;
/** Nothing dies: the activity is held so long that its effect comes late. */
const DELAYS = ['until the run has ended', 'until the run was terminated and the next one has ended'] as const;
export type Calamity = (typeof DEATHS)[number] | (typeof DELAYS)[number];

export interface Case {
  /** Name of the recorded history that it is of. */
  readonly history: string;
  readonly activity: string;
  /** Its how manyth run, from 1. */
  readonly occurrence: number;
  readonly moment: Moment;
  readonly calamity: Calamity;
}

/** Each activity of a recorded history, and how often it ran. */
export interface Boundary {
  readonly history: string;
  readonly activity: string;
  readonly times: number;
}

interface Recorded {
  /** So many events came before what the history is named for. */
  readonly before?: number;
  readonly history: { readonly events: readonly RecordedEvent[] };
}

interface RecordedEvent {
  readonly activityTaskScheduledEventAttributes?: { readonly activityType: { readonly name: string } };
}

/** The cloud is asked about those who are silent: elsewhere that only happens to be so while a history is recorded. */
const SOMEBODY_IS_SILENT: readonly string[] = ['recover', 'replace-lost'];

/**
 * Every activity boundary of every recorded history: a new activity is covered as soon as its workflow is recorded again,
 * which the replay tests demand. The same type of workflow in another story is another history.
 */
export function boundaries(directory = join(packageRoot(), 'test/histories')): readonly Boundary[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((file) => {
      const recorded = JSON.parse(readFileSync(join(directory, file), 'utf8')) as Recorded;
      const counts = new Map<string, number>();
      for (const { activityTaskScheduledEventAttributes: scheduled } of recorded.history.events.slice(
        recorded.before,
      )) {
        if (!scheduled) continue;
        const activity = scheduled.activityType.name;
        counts.set(activity, (counts.get(activity) ?? 0) + 1);
      }
      const history = file.replace(/\.json$/, '');
      return [...counts]
        .filter(([activity]) => activity !== 'seeInstances' || SOMEBODY_IS_SILENT.includes(history))
        .map(([activity, times]) => ({ history, activity, times }));
    });
}

/**
 * Those that are brought about elsewhere by what only the local cloud has: a disk that is damaged from outside, a member that
 * is changed by hand through its files, instances that belong to nobody, ports that are closed at its panel.
 */
const ON_LOCAL_ALONE: readonly string[] = ['enableHa-evened', 'enableHa-resync', 'provisioner', 'firewaller'];

/** The boundaries that can be brought about on a cloud. */
export const boundariesOn = (cloud: 'local' | 'ec2'): readonly Boundary[] =>
  boundaries().filter(({ history }) => cloud === 'local' || !ON_LOCAL_ALONE.includes(history));

/** How often these run depends on how long everything else takes; so often they surely do. */
const LOOKS: Readonly<Record<string, number>> = { observe: 2, listInstances: 2, surveyMembers: 2, seeInstances: 1 };

/**
 * A singleton's history tells of all that was done while it was recorded; up to three controllers and down again, which is
 * what brings it about here, is two machines more and two less.
 */
const SURELY_BY_SINGLETONS = 2;

/** All that can befall one boundary. An effect that began in time cannot come late, so delays hold before it. */
export function casesAt({ history, activity, times }: Boundary, random: () => number): readonly Case[] {
  const isSingleton = SINGLETONS.some((name) => name === history);
  const most = LOOKS[activity] ?? (isSingleton ? SURELY_BY_SINGLETONS : Math.ceil(times / 2));
  const at = (moment: Moment, calamity: Calamity): Case => ({
    history,
    activity,
    // How often it runs differs from run to run; the first runs there always are.
    occurrence: 1 + Math.floor(random() * Math.max(1, Math.min(times, most))),
    moment,
    calamity,
  });
  return [
    ...MOMENTS.flatMap((moment) => DEATHS.map((calamity) => at(moment, calamity))),
    ...DELAYS.map((calamity) => at('before', calamity)),
  ];
}

/** So many boundaries are drawn where not each of them is wanted. */
const SOME = 3;

/** One case of each boundary, or of some of them, drawn by the seed; or all cases of all. */
export function choose(
  all: readonly Boundary[],
  which: 'some' | 'one of each' | 'all',
  random: () => number,
): readonly Case[] {
  const drawn = which === 'some' ? draw(all, SOME, random) : all;
  return drawn.flatMap((boundary) => {
    const cases = casesAt(boundary, random);
    return which === 'all' ? cases : [cases[Math.floor(random() * cases.length)] as Case];
  });
}

/** So many of them, in their order. */
function draw<T>(all: readonly T[], most: number, random: () => number): readonly T[] {
  const left = all.map((_, index) => index);
  while (left.length > most) left.splice(Math.floor(random() * left.length), 1);
  return left.map((index) => all[index] as T);
}

/** Numbers in [0, 1) that follow from the seed alone (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
