import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Cloud, Instance } from '../src/cloud/cloud.js';
import type { MachineId } from '../src/membership/types.js';
import type { InstanceRecord } from '../src/state/machines.js';
import { beating } from './beating.js';
import { Boots } from './boots.js';
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
  return {
    /**
     * Returns as soon as the cloud says anything else of an instance than `known`, or the same after `forMs`. Of machines
     * that are not `concerned` it tells only what does not run; an older workflow names none, and is told of all.
     */
    async followInstances({ environment, known, concerned, forMs }: FollowInstances): Promise<InstanceWords> {
      return await beating(async () => {
        const cloud = await side.cloudFor(environment);
        const tell = async (instances: readonly Instance[]) => {
          const faults = await boots.faults(cloud, instances);
          const booting = instances.filter(({ id }) => faults.has(id)).map(({ tags: { machine } }) => machine);
          return withFaults(wordsOf(instances, concerned ? [...concerned, ...booting] : null), faults);
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
  return Object.fromEntries(
    Object.entries(words).map(([machine, word]) => {
      const fault = faults.get(word.instance.id) ?? '';
      return [machine, fault === '' ? word : { ...word, instance: { ...word.instance, fault } }];
    }),
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
  const text = (words: InstanceWords) =>
    Object.entries(words)
      .map(
        ([
          machine,
          {
            instance: { id, state, address, publicAddress = '', fault = '' },
          },
        ]) => [machine, id, state, address, publicAddress, fault].join(' '),
      )
      .sort()
      .join('\n');
  return text(a) === text(b);
}
