import { PresenceWatch, type Pulse, type Totals } from './presence-watch.js';
import { isRollId, type RollDocument } from './roll.js';

/** What is read twice a second: agents that beat for themselves, and rolls without who is on them. */
export type Heard = Pulse & Partial<Pick<RollDocument, 'version'>>;

interface Page {
  readonly session: string;
  readonly version: number;
  readonly machines: ReadonlySet<string>;
}

/**
 * How long each agent has been silent. Controllers' agents beat for themselves, and their own sequence numbers count. All
 * others are there as long as a roll has them that goes on being written; whoever is on none has been silent since it left
 * the last one. A monotonic clock counts, and only while somebody looked (`PresenceWatch`).
 */
export class Attendance {
  readonly #watch = new PresenceWatch();
  readonly #pages = new Map<string, Page>();
  /** Agents that were there once and are on no roll: what the totals were when they were last heard. */
  readonly #absent = new Map<string, Totals>();
  #beating = new Set<string>();
  #connected = 0;

  /**
   * To be called with what was just read, at `now`.
   * @param turned the rolls among them that `stale` named, with who is on them
   */
  look(heard: readonly Heard[], turned: ReadonlyMap<string, readonly string[]>, now: number): void {
    const before = new Set(turned.size > 0 || this.#isGone(heard) ? this.#listed() : []);
    const marks = new Map([...before].map((machine) => [machine, this.#markOf(machine)]));
    this.#watch.look(heard, now);
    this.#beating = new Set(heard.flatMap(({ _id }) => (isRollId(_id) ? [] : [_id])));
    const rolls = new Map(heard.filter(({ _id }) => isRollId(_id)).map((roll) => [roll._id, roll]));
    for (const id of [...this.#pages.keys()]) if (!rolls.has(id)) this.#pages.delete(id);
    for (const [id, machines] of turned) {
      const roll = rolls.get(id);
      if (roll === undefined) continue;
      const { session, version = 0 } = roll;
      this.#pages.set(id, { session, version, machines: new Set(machines) });
    }
    if (before.size === 0 && turned.size === 0) return;
    const listed = new Set(this.#listed());
    this.#connected = listed.size;
    for (const machine of listed) this.#absent.delete(machine);
    for (const [machine, mark] of marks) if (!listed.has(machine)) this.#absent.set(machine, mark);
  }

  /** Rolls of which who is on them has to be read anew. */
  stale(heard: readonly Heard[]): string[] {
    return heard.flatMap(({ _id, session, version }) => {
      const page = this.#pages.get(_id);
      const known = !isRollId(_id) || (page?.session === session && page.version === version);
      return known ? [] : [_id];
    });
  }

  /** Takes over who there is at all: one that was on no roll so far counts as silent from now on. */
  know(machines: readonly string[]): void {
    const there = new Set(machines);
    const { totals } = this.#watch;
    const listed = new Set(this.#listed());
    for (const machine of this.#absent.keys()) if (!there.has(machine)) this.#absent.delete(machine);
    for (const machine of there) {
      if (!listed.has(machine) && !this.#absent.has(machine)) this.#absent.set(machine, totals);
    }
  }

  get watchedMs(): number {
    return this.#watch.watchedMs;
  }

  /** Milliseconds of silence; 0 for one that was never seen. */
  silentMs(machine: string): number {
    return this.#silenceOf(machine).silentMs;
  }

  /** Milliseconds of that silence in which somebody else was heard: the rest says nothing of the agent. */
  missedMs(machine: string): number {
    return this.#silenceOf(machine).missedMs;
  }

  /** Machines that are on a roll. Asked for with every agent that comes, so it is counted with the look. */
  get connected(): number {
    return this.#connected;
  }

  /** How many have been silent for so long or longer, and how many have not. */
  count(silentMs: number): { readonly heard: number; readonly silent: number } {
    const all = new Set([...this.#beating, ...this.#listed(), ...this.#absent.keys()]);
    let silent = 0;
    for (const machine of all) if (this.silentMs(machine) >= silentMs) silent += 1;
    return { heard: all.size - silent, silent };
  }

  #silenceOf(machine: string): Totals {
    if (this.#beating.has(machine)) return this.#of(machine);
    const rolls = this.#rollsWith(machine);
    if (rolls.length > 0) return rolls.map((id) => this.#of(id)).reduce((a, b) => (b.silentMs < a.silentMs ? b : a));
    const mark = this.#absent.get(machine);
    if (mark === undefined) return { silentMs: 0, missedMs: 0 };
    const { silentMs, missedMs } = this.#watch.totals;
    return { silentMs: silentMs - mark.silentMs, missedMs: missedMs - mark.missedMs };
  }

  /** What the totals were when this machine was last heard. */
  #markOf(machine: string): Totals {
    const { silentMs, missedMs } = this.#watch.totals;
    const own = this.#silenceOf(machine);
    return { silentMs: silentMs - own.silentMs, missedMs: missedMs - own.missedMs };
  }

  #of(id: string): Totals {
    return { silentMs: this.#watch.silentMs(id), missedMs: this.#watch.missedMs(id) };
  }

  #rollsWith(machine: string): string[] {
    return [...this.#pages].flatMap(([id, { machines }]) => (machines.has(machine) ? [id] : []));
  }

  #listed(): string[] {
    return [...this.#pages.values()].flatMap(({ machines }) => [...machines]);
  }

  #isGone(heard: readonly Heard[]): boolean {
    return [...this.#pages.keys()].some((id) => !heard.some(({ _id }) => _id === id));
  }
}
