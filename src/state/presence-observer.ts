import { setTimeout as sleep } from 'node:timers/promises';
import { Attendance } from './attendance.js';
import type { PresenceDocument } from './documents.js';
import { isRollId, type RollDocument } from './roll.js';
import type { State } from './state.js';

const LOOK_MS = 500;
/** How often it is asked whom there is at all: who never was on a roll, and who is none of the environment's any more. */
const KNOW_MS = 60_000;

/**
 * Looks at presence twice a second, so that this process can say who is silent. What is read does not grow with the number
 * of agents, but when they come and go.
 */
export class PresenceObserver {
  readonly #attendance = new Attendance();
  readonly #ending = new AbortController();
  #controllers: readonly PresenceDocument[] = [];
  #knownAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly state: State) {
    void this.#run();
  }

  /** Milliseconds that the agent of a machine has been silent, while it could have been heard. */
  silentMs(machine: string): number {
    return this.#attendance.silentMs(machine);
  }

  /** Milliseconds of that silence that may be held against it: somebody else was heard meanwhile. */
  missedMs(machine: string): number {
    return this.#attendance.missedMs(machine);
  }

  /** Milliseconds that all of it was watched without a gap. */
  get watchedMs(): number {
    return this.#attendance.watchedMs;
  }

  /** What the agents of controllers said last. */
  get controllers(): readonly PresenceDocument[] {
    return this.#controllers;
  }

  /** Workload machines whose agents are connected to some API server. */
  get connected(): number {
    return this.#attendance.connected;
  }

  /** How many agents have been silent for so long, and how many have not. */
  count(silentMs: number): { readonly heard: number; readonly silent: number } {
    return this.#attendance.count(silentMs);
  }

  close(): void {
    this.#ending.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const began = performance.now();
      // Without a primary nobody can write presence, and silence says nothing.
      if (this.state.primary() !== null) await this.#look().catch(() => undefined);
      const pause = Math.max(50, LOOK_MS - (performance.now() - began));
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { state } = this;
    const heard = await state.presence
      .find<PresenceDocument & Partial<RollDocument>>({ beats: true }, { projection: { machines: 0 } })
      .toArray();
    const stale = this.#attendance.stale(heard);
    const rolls = stale.length === 0 ? [] : await state.presence.find<RollDocument>({ _id: { $in: stale } }).toArray();
    // One that has changed in between is read once more with the next look, as its version is another one then.
    const turned = new Map(rolls.map(({ _id, machines }) => [_id, machines]));
    this.#attendance.look(heard, turned, performance.now());
    this.#controllers = heard.filter(({ _id, report }) => !isRollId(_id) && Object.keys(report.services).length > 0);
    if (performance.now() - this.#knownAt > KNOW_MS) await this.#know();
  }

  async #know(): Promise<void> {
    this.#knownAt = performance.now();
    const all = await this.state.presence.find({ beats: { $ne: true } }, { projection: { _id: 1 } }).toArray();
    this.#attendance.know(all.map(({ _id }) => _id));
  }
}
