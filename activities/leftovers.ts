import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Machines } from '../src/api/machines.js';
import type { Setting } from '../src/api/settings.js';
import type { ApiClient } from '../src/client/client.js';
import type { Cloud } from '../src/cloud/cloud.js';
import { leftoversAmong, type TaggedInstance } from '../src/machines/leftover.js';
import { durationMs } from '../src/state/settings.js';
import { askControllers } from './asking.js';
import { beatingRarely } from './beating.js';
import type { CloudSide, Target } from './cloud-side.js';
import type { Network } from './network.js';

/** How often each cloud is asked; one that is not named here charges or throttles what asks. */
const ASK_MS: Readonly<Record<string, number>> = { local: 2000 };
const ASK_ELSEWHERE_MS = 60_000;

export type LeftoverActivities = ReturnType<typeof leftoverActivities>;

export function leftoverActivities(side: CloudSide) {
  return {
    /**
     * Returns as soon as instances have belonged to no machine for as long as the setting `leftover-grace` says, as far as
     * this activity watched them; with none after `forMs`. Whoever ends them asks the documents once more.
     */
    async findLeftovers({ environment, forMs }: Target & { forMs: number }): Promise<readonly TaggedInstance[]> {
      return await beatingRarely(async () => {
        const { cancellationSignal: signal } = Context.current();
        const cloud = await side.cloudFor(environment);
        const suspects = new Suspects(cloud, environment.uuid);
        const ends = performance.now() + forMs;
        for (;;) {
          const due = await suspects.look((use) => askControllers(side, environment, use));
          if (due.length > 0 || performance.now() >= ends) return due;
          await sleep(ASK_MS[cloud.kind] ?? ASK_ELSEWHERE_MS, undefined, { signal });
        }
      });
    },
  };
}

type Ask = <T>(use: (client: ApiClient) => Promise<T>) => Promise<T>;

/** Instances whose machine is not known, and since when, on this process's own clock. */
class Suspects {
  /** Those that a document names: they stay its own until they are terminated. */
  readonly #owned = new Set<string>();
  readonly #since = new Map<string, number>();

  constructor(
    private readonly cloud: Cloud,
    private readonly environment: string,
  ) {}

  /** Those that have been suspect for long enough. Controllers are asked only about instances that nobody knows yet. */
  async look(ask: Ask): Promise<readonly TaggedInstance[]> {
    const live = (await this.cloud.list(this.environment)).filter(({ state }) => state !== 'terminated');
    const unknown = live.filter(({ id }) => !this.#owned.has(id));
    if (unknown.length === 0) {
      this.#since.clear();
      return [];
    }
    const { machines, graceMs } = await ask(readOwners);
    for (const { instance } of machines) if (instance !== '') this.#owned.add(instance);
    const now = performance.now();
    const suspects = unknown.filter(({ id }) => !this.#owned.has(id));
    for (const id of this.#since.keys()) if (!suspects.some((each) => each.id === id)) this.#since.delete(id);
    for (const { id } of suspects) if (!this.#since.has(id)) this.#since.set(id, now);
    return suspects
      .filter(({ id }) => now - (this.#since.get(id) ?? now) >= graceMs)
      .map(({ id, tags: { machine, nonce } }) => ({ id, machine, nonce }));
  }
}

async function readOwners(client: ApiClient): Promise<{ machines: Machines['machines']; graceMs: number }> {
  const [{ body }, grace] = await Promise.all([
    client.request<Machines>('GET', '/v1/machines'),
    client.request<Setting>('GET', '/v1/settings/leftover-grace'),
  ]);
  return { machines: body.machines, graceMs: durationMs(grace.body.value) ?? 0 };
}

export type OwnerActivities = ReturnType<typeof ownerActivities>;

export function ownerActivities({ state }: Network) {
  return {
    /** Those of these instances that belong to no machine, by what a majority has of the documents now. */
    async withoutOwner({ instances }: { instances: readonly TaggedInstance[] }): Promise<readonly TaggedInstance[]> {
      const environment = await state.environment.findOne({});
      if (environment?.life !== 'alive') return [];
      const machines = await state.machines.find({}, { projection: { nonce: 1, instance: 1 } }).toArray();
      return leftoversAmong(instances, machines, environment.nextMachine);
    },
  };
}
