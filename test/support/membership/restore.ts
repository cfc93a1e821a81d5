/** Losses, and the sentinel's replacements of them, in a world in which every other step succeeds. */
import { expect } from 'vitest';
import { type Judgement, type JudgeSettings, judge } from '../../../src/membership/judge.js';
import type { Past } from '../../../src/membership/pace.js';
import { plan } from '../../../src/membership/plan.js';
import { apply, change, elect, lose, proceed, silence } from '../../../src/membership/simulate.js';
import type { Expired, Goal, MachineId, Observed, ReplicaSet, Step } from '../../../src/membership/types.js';
import { afterDeed, stillExpired } from '../../../src/membership/waits.js';
import { wrongs } from './oracle.js';

const WATCHING: JudgeSettings = { autoReplace: true, watchedMs: 3_600_000, writable: true, changeRuns: false };
const HOUR = 3_600_000;

export type Loss = 'terminated' | 'stopped' | 'silent' | 'ill';

export class Sentinel {
  seen: Observed;
  /** No new machine comes up. */
  barren = false;
  #history: Past[] = [];
  readonly #desired: number;

  constructor(seen: Observed, desired: number) {
    this.seen = seen;
    this.#desired = desired;
  }

  /** Breaks a machine for good, as if for an hour already. */
  lose(id: MachineId, how: Loss): void {
    if (how === 'terminated') {
      this.seen = lose(this.seen, id);
      this.seen = { ...this.seen, set: this.seen.set && elect(this.seen.set) };
      return;
    }
    const set = silence(this.seen.set as ReplicaSet, id);
    const members = set.members.map((member) => (member.machine === id ? { ...member, downMs: HOUR } : member));
    this.seen = change(this.seen, [id], (machine) => ({
      services: { ...machine.services, mongod: false },
      ...(how === 'ill' ? {} : { agent: 'down', silentMs: HOUR, instance: how === 'stopped' ? 'stopped' : 'running' }),
    }));
    this.seen = { ...this.seen, set: elect({ ...set, members }) };
  }

  judge(): Judgement {
    return judge(this.seen, this.#desired, this.#history, WATCHING);
  }

  /** Time passes. */
  pass(ms: number): void {
    this.#history = this.#history.map(({ state, ageMs, endedAgeMs }) => ({
      state,
      ageMs: ageMs + ms,
      endedAgeMs: (endedAgeMs ?? 0) + ms,
    }));
  }

  /** What the sentinel does when it looks; the end of the change that it started, or null when it started none. */
  act(): Step | null {
    const { goal } = this.judge();
    if (goal === null) return null;
    const end = this.#run(goal);
    this.#history.push({ state: end.kind === 'done' ? 'done' : 'blocked', ageMs: 60_000, endedAgeMs: 0 });
    return end;
  }

  #run(goal: Goal): Step {
    let expired: readonly Expired[] = [];
    const story: string[] = [];
    for (let round = 0; round < 300; round++) {
      expired = stillExpired(this.seen, expired);
      const step = plan(this.seen, goal, expired);
      expect(wrongs(this.seen, goal, step), story.join('\n')).toEqual([]);
      if (step.kind === 'done' || step.kind === 'blocked') return step;
      story.push(step.text);
      if (step.kind === 'do') {
        this.seen = apply(this.seen, step.deed);
        expired = afterDeed(expired, step.deed);
      } else if (step.for === 'healthy' || (step.for === 'boot' && this.barren)) {
        expired = [...expired, { for: step.for, machines: step.machines }];
      } else {
        this.seen = proceed(this.seen, step);
      }
    }
    throw new Error(`no end in sight:\n${story.slice(-30).join('\n')}`);
  }
}
