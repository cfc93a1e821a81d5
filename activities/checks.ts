import type { Cloud, Instance, InstanceHealth } from '../src/cloud/cloud.js';
import { reasonOf } from '../src/errors.js';
import type { MachineId } from '../src/membership/types.js';

/** A cloud makes its checks once a minute, and no silence that they say anything of is judged within the first. */
const ASK_MS = 30_000;
/** Instances that are asked about at once, which is one call. */
const MOST_ASKED = 100;
/** So many are told of: histories hold it. */
const MOST_TOLD = 100;

type Running = Pick<Instance, 'id' | 'state' | 'tags'>;

interface Seen {
  readonly health: InstanceHealth | null;
  /** When it was asked about, by this process's monotonic clock. */
  readonly at: number;
}

/** What clouds see of running instances from outside, asked for rarely: each question counts against the account. */
export class Checks {
  readonly #askedAt = new Map<string, number>();
  /** Of each environment, by instance ID. */
  readonly #seen = new Map<string, ReadonlyMap<string, Seen>>();

  /** @param onFailure told why a cloud could not be asked; what it said last holds then */
  constructor(private readonly onFailure: (reason: string) => void) {}

  /** Those whose checks fail, and those that the cloud is going to take away, by instance ID. */
  async amiss(
    cloud: Cloud,
    environment: string,
    instances: readonly Running[],
    concerned: readonly MachineId[],
  ): Promise<ReadonlyMap<string, InstanceHealth>> {
    if (cloud.health === undefined) return new Map();
    const before = this.#seen.get(environment) ?? new Map<string, Seen>();
    const now = performance.now();
    const running = instances.filter(({ state }) => state === 'running');
    const due = now - (this.#askedAt.get(environment) ?? Number.NEGATIVE_INFINITY) >= ASK_MS;
    const asked = due && running.length > 0 ? inTurn(running, concerned, before) : [];
    if (asked.length > 0) this.#askedAt.set(environment, now);
    const found = await this.#ask(cloud, asked);
    const seen = new Map(
      running.flatMap(({ id }): [string, Seen][] => {
        const known = found.has(id) ? { health: found.get(id) ?? null, at: now } : before.get(id);
        return known === undefined ? [] : [[id, known]];
      }),
    );
    this.#seen.set(environment, seen);
    const amiss = [...seen].flatMap(([id, { health }]): [string, InstanceHealth][] =>
      health !== null && isAmiss(health) ? [[id, health]] : [],
    );
    return new Map(amiss.slice(0, MOST_TOLD));
  }

  /** What was answered of each that was asked about; nothing where nobody could be asked. */
  async #ask(cloud: Cloud, ids: readonly string[]): Promise<ReadonlyMap<string, InstanceHealth | null>> {
    if (ids.length === 0) return new Map();
    try {
      const answered = (await cloud.health?.(ids)) ?? [];
      return new Map(ids.map((id) => [id, answered.find(({ instance }) => instance === id) ?? null]));
    } catch (error) {
      this.onFailure(reasonOf(error));
      return new Map();
    }
  }
}

const isAmiss = ({ checks, retiresAt }: InstanceHealth): boolean => checks === 'failing' || retiresAt !== '';

/** Who is asked about: those that are concerned each time, the others in turn, whoever waits for longest first. Pure. */
export function inTurn(
  running: readonly Running[],
  concerned: readonly MachineId[],
  seen: ReadonlyMap<string, { readonly at: number }>,
): string[] {
  const named = new Set(concerned);
  const rank = ({ id, tags }: Running): number =>
    named.has(tags.machine) ? Number.NEGATIVE_INFINITY : (seen.get(id)?.at ?? Number.MIN_SAFE_INTEGER);
  return [...running]
    .map((one) => ({ id: one.id, rank: rank(one) }))
    .sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank))
    .slice(0, MOST_ASKED)
    .map(({ id }) => id);
}
