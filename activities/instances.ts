import { setTimeout as sleep } from 'node:timers/promises';
import { Context, log } from '@temporalio/activity';
import type { Cloud, Instance, InstanceHealth } from '../src/cloud/cloud.js';
import type { MachineId } from '../src/membership/types.js';
import { type InstanceRecord, isSameRecord } from '../src/state/instance-record.js';
import { beatingRarely } from './beating.js';
import { Boots } from './boots.js';
import { Checks } from './checks.js';
import type { CloudSide, Target } from './cloud-side.js';

/** The cloud's word on one machine's instance. */
export interface InstanceWord {
  readonly nonce: string;
  readonly instance: InstanceRecord;
}
export type InstanceWords = Readonly<Record<MachineId, InstanceWord>>;

/** How often each cloud is asked; one that is not named here charges or throttles what asks. */
const ASK_MS: Readonly<Record<string, number>> = { local: 500 };
const ASK_ELSEWHERE_MS = 15_000;
/** The cloud goes on showing what is terminated; so many of them are passed on, the newest. */
const MOST_TERMINATED = 10;
/** And so many of those that neither run nor are concerned. */
const MOST_AMISS = 100;

/** What is looked at of an instance. */
type Told = Pick<Instance, 'id' | 'address' | 'publicAddress' | 'ports' | 'state' | 'startedAt' | 'tags'>;

export interface FollowInstances extends Target {
  readonly known: InstanceWords;
  readonly concerned?: readonly MachineId[];
  readonly forMs: number;
}

export type InstanceActivities = ReturnType<typeof instanceActivities>;

export function instanceActivities(side: CloudSide) {
  const boots = new Boots();
  const checks = new Checks((reason) => log.warn('the checks of instances cannot be read', { reason }));
  return {
    /**
     * Returns as soon as the cloud says anything else of an instance than `known`, or the same after `forMs`. Of machines
     * that are not `concerned` it tells only what does not run; an older workflow names none, and is told of all.
     */
    async followInstances({ environment, known, concerned, forMs }: FollowInstances): Promise<InstanceWords> {
      return await beatingRarely(async () => {
        const cloud = await side.cloudFor(environment);
        const tell = async (instances: readonly Instance[]) => {
          const faults = await boots.faults(cloud, instances);
          const amiss = await checks.amiss(cloud, environment.uuid, instances, concerned ?? []);
          const spoken = instances.filter(({ id }) => faults.has(id) || amiss.has(id)).map(({ tags }) => tags.machine);
          const words = wordsOf(instances, concerned ? [...concerned, ...spoken] : null);
          return withHealth(withFaults(words, faults), amiss);
        };
        return await nextWords(cloud, environment.uuid, known, forMs, tell);
      });
    },
  };
}

async function nextWords(
  cloud: Cloud,
  uuid: string,
  known: InstanceWords,
  forMs: number,
  tell: (instances: readonly Instance[]) => Promise<InstanceWords>,
): Promise<InstanceWords> {
  const { cancellationSignal: signal } = Context.current();
  const ends = performance.now() + forMs;
  for (;;) {
    const words = await tell(await cloud.list(uuid));
    if (!sameWords(words, known) || performance.now() >= ends) return words;
    await sleep(ASK_MS[cloud.kind] ?? ASK_ELSEWHERE_MS, undefined, { signal });
  }
}

/**
 * What is told of instances: all of the machines that are concerned, and of others what does not run, the newest of them.
 * Histories hold it twice a round, so it must not grow with the number of machines. `concerned` null: all of them. Pure.
 */
export function wordsOf(instances: readonly Told[], concerned: readonly MachineId[] | null): InstanceWords {
  const all = onePerMachine(instances);
  const named = new Set(concerned ?? []);
  const isConcerned = ({ tags }: Told) => named.has(tags.machine);
  const newest = (those: readonly Told[]) => [...those].sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  const others = all.filter((instance) => !isConcerned(instance));
  const terminated = newest(others.filter(({ state }) => state === 'terminated')).slice(0, MOST_TERMINATED);
  const alive = others.filter(({ state }) => state !== 'terminated');
  const amiss =
    concerned === null ? alive : newest(alive.filter(({ state }) => state !== 'running')).slice(0, MOST_AMISS);
  return Object.fromEntries(
    [...terminated, ...amiss, ...all.filter(isConcerned)].map(
      ({ id, address, publicAddress = '', ports, state, tags: { machine, nonce } }) => {
        const outside = publicAddress === '' ? {} : { publicAddress };
        const { api, mongo } = ports;
        return [machine, { nonce, instance: { id, address, ...outside, ports: { api, mongo }, state } }];
      },
    ),
  );
}

/** The same with why some of them do not come up, by instance ID. Pure. */
export function withFaults(words: InstanceWords, faults: ReadonlyMap<string, string>): InstanceWords {
  return withMore(words, (id) => {
    const fault = faults.get(id) ?? '';
    return fault === '' ? {} : { fault };
  });
}

/** The same with what the cloud's checks find and when it takes an instance away, by instance ID. Pure. */
export function withHealth(words: InstanceWords, amiss: ReadonlyMap<string, InstanceHealth>): InstanceWords {
  return withMore(words, (id) => {
    const { checks, retiresAt = '' } = amiss.get(id) ?? {};
    return { ...(checks === 'failing' ? { checks } : {}), ...(retiresAt === '' ? {} : { retiresAt }) };
  });
}

function withMore(words: InstanceWords, more: (instance: string) => Partial<InstanceRecord>): InstanceWords {
  return Object.fromEntries(
    Object.entries(words).map(([machine, word]) => [
      machine,
      { ...word, instance: { ...word.instance, ...more(word.instance.id) } },
    ]),
  );
}

/**
 * Where several instances carry one machine's tag, at most one of them is its own, and the word on another must not be taken
 * for the word on that one: one that lives comes before one that is terminated, the older before the younger.
 */
export function onePerMachine<I extends Pick<Instance, 'state' | 'startedAt' | 'tags'>>(
  instances: readonly I[],
): readonly I[] {
  const ended = ({ state }: I) => Number(state === 'terminated');
  const chosen = new Map<MachineId, I>();
  for (const instance of [...instances].sort((a, b) => ended(a) - ended(b) || a.startedAt.localeCompare(b.startedAt))) {
    if (!chosen.has(instance.tags.machine)) chosen.set(instance.tags.machine, instance);
  }
  return [...chosen.values()];
}

function sameWords(a: InstanceWords, b: InstanceWords): boolean {
  const machines = Object.keys(a);
  return (
    machines.length === Object.keys(b).length &&
    machines.every((machine) => {
      const [one, other] = [a[machine]?.instance, b[machine]?.instance];
      return (
        one !== undefined &&
        other !== undefined &&
        isSameRecord(one, other) &&
        (one.fault ?? '') === (other.fault ?? '')
      );
    })
  );
}
