import { SENTINEL } from '../../src/temporal/names.js';
import type { MachineState, Manner } from './acts.js';
import type { Pace } from './terrain.js';

/** What of a machine is out of reach: its agent, its member. Silent is one of which both are. */
export type Part = 'agent' | 'member';

/** Something that was done to a machine. Times are of the wall clock, which changes are told in, in milliseconds. */
export interface Outage {
  readonly machine: string;
  readonly kind: 'terminated' | 'stopped' | 'unheard';
  readonly parts: readonly Part[];
  readonly from: number;
  /** When it was taken back; null: not yet, or never. */
  to: number | null;
}

export interface Graces extends Pick<Pace, 'recoversMs' | 'lateMs'> {
  readonly silentMs: number;
  readonly stoppedMs: number;
}

/** A replacement that the sentinel asked for. */
export interface Replacement {
  readonly id: string;
  /** Whom it found lost; nobody where it tries again to bring what is missing. */
  readonly machines: readonly string[];
  readonly state: string;
  readonly startedAt: number;
}

/** What was done is known a moment before or after it took effect. */
const NEAR_MS = 1500;

/** What a fault takes from a machine; null where it stays in sight. */
export function outageOf(state: MachineState, { from }: Manner): Pick<Outage, 'kind' | 'parts'> | null {
  const parts = ['agent', 'member'] as const;
  switch (state) {
    case 'frozen':
    case 'rebooted':
      return { kind: 'unheard', parts };
    // These begin with a power cut, which the cloud tells as a stop.
    case 'off':
    case 'stopped':
    case 'clock-off':
    case 'disk-full':
      return { kind: 'stopped', parts };
    case 'partitioned':
      return from === 'everybody' ? { kind: 'unheard', parts } : null;
    case 'degraded':
      return null;
  }
}

/** The sentinel's replacements that no fault deserved, in sentences. */
export function undeserved(replacements: readonly Replacement[], outages: readonly Outage[], graces: Graces): string[] {
  return replacements.flatMap(({ id, machines, startedAt }) => {
    if (machines.length === 0) {
      const before = replacements.some((other) => other.startedAt < startedAt && other.state !== 'done');
      return before ? [] : [`${id} brings what is missing, and no replacement before it had failed`];
    }
    return machines.flatMap((machine) => {
      const mine = outages.filter((outage) => outage.machine === machine && outage.from <= startedAt + NEAR_MS);
      if (isDeserved(mine, startedAt, graces)) return [];
      return [
        `${id} replaces machine ${machine}, which was neither ended nor away for its grace${told(mine, startedAt)}`,
      ];
    });
  });
}

/** Losses for which a replacement was in order, whether or not one was asked for: a machine is lost once. */
export function losses(outages: readonly Outage[], graces: Graces, now: number): string[] {
  const machines = [...new Set(outages.map(({ machine }) => machine))];
  return machines.filter((machine) => {
    const mine = outages.filter((outage) => outage.machine === machine);
    return (
      mine.some(({ kind }) => kind === 'terminated') ||
      stretches(mine, now, 0).some(({ from, to }) => to - from >= graces.silentMs) ||
      mine.some(({ kind, from, to }) => kind === 'stopped' && (to ?? now) - from >= graces.stoppedMs)
    );
  });
}

function isDeserved(mine: readonly Outage[], at: number, { silentMs, stoppedMs, recoversMs, lateMs }: Graces): boolean {
  if (mine.some(({ kind }) => kind === 'terminated')) return true;
  const lastedFor = (graceMs: number, from: number, to: number) =>
    from + graceMs <= at + NEAR_MS && to - from >= graceMs && to + lateMs >= at;
  const isStopped = mine.some(
    ({ kind, from, to }) => kind === 'stopped' && lastedFor(stoppedMs, from, (to ?? at + lateMs) + recoversMs),
  );
  return isStopped || stretches(mine, at + lateMs, recoversMs).some(({ from, to }) => lastedFor(silentMs, from, to));
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** When both its agent and its member were out of reach, `recoversMs` after each outage included; one that lasts still does until `open`. */
function stretches(mine: readonly Outage[], open: number, recoversMs: number): readonly Stretch[] {
  const of = (part: Part) =>
    joined(
      mine
        .filter(({ parts }) => parts.includes(part))
        .map(({ from, to }) => ({ from, to: to === null ? open : to + recoversMs })),
    );
  const members = of('member');
  return of('agent').flatMap((agent) =>
    members.flatMap((member) => {
      const both = { from: Math.max(agent.from, member.from), to: Math.min(agent.to, member.to) };
      return both.to > both.from ? [both] : [];
    }),
  );
}

/** The same stretches, those that touch as one. */
function joined(all: readonly Stretch[]): readonly Stretch[] {
  const done: Stretch[] = [];
  for (const next of [...all].sort((a, b) => a.from - b.from)) {
    const last = done.at(-1);
    if (last === undefined || next.from > last.to) done.push(next);
    else done[done.length - 1] = { from: last.from, to: Math.max(last.to, next.to) };
  }
  return done;
}

function told(mine: readonly Outage[], at: number): string {
  const ago = (ms: number) => `${((at - ms) / 1000).toFixed(1)} s before`;
  const words = mine.map(
    ({ kind, parts, from, to }) =>
      `${kind} (${parts.join(' and ')}) from ${ago(from)}${to === null ? '' : ` to ${ago(to)}`}`,
  );
  return words.length === 0 ? ': nothing was done to it' : `: ${words.join('; ')}`;
}

/** The sentinel's replacements among an environment's changes, the oldest first. */
export function replacementsOf(
  changes: readonly {
    readonly id: string;
    readonly kind: string;
    readonly by: string;
    readonly state: string;
    readonly summary: string;
    readonly startedAt: string;
  }[],
): Replacement[] {
  return changes
    .filter(({ kind, by }) => kind === 'replace' && by === SENTINEL)
    .map(({ id, state, summary, startedAt }) => ({
      id,
      state,
      machines: /: replace machine ([\d, ]+), lost/.exec(summary)?.[1]?.split(', ') ?? [],
      startedAt: Date.parse(startedAt),
    }))
    .sort((a, b) => a.startedAt - b.startedAt);
}
