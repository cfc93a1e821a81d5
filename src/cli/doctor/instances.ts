import type { Machine } from '../../api/machines.js';
import type { Instance } from '../../cloud/cloud.js';
import { type Judged, well, wrong } from './finding.js';

export interface InstancesSeen {
  readonly environment: string;
  /** By tag; listed before the documents were read, as a machine's document comes before its instance. */
  readonly instances: readonly Instance[];
  readonly machines: readonly Machine[];
  /** Without a majority nobody can say what the documents are. */
  readonly stale: boolean;
  /** Machines come and go while a change runs. */
  readonly changing: boolean;
}

/** What the cloud runs for the environment against what its documents know. Pure. */
export function judgeInstances(seen: InstancesSeen): readonly Judged[] {
  if (seen.stale) return [];
  const live = seen.instances.filter(({ state }) => state !== 'terminated');
  const judged = [...live.flatMap((instance) => leftover(instance, seen)), ...missing(seen)];
  return judged.length > 0
    ? judged
    : [well(`each of ${live.length} instances belongs to a machine, and each is there`)];
}

function leftover(instance: Instance, { environment, machines, changing }: InstancesSeen): Judged[] {
  const why = whyLeftover(instance, machines, changing);
  if (why === null) return [];
  const todo = `Nothing uses it. End it with: quorate doctor --fix -e ${environment}      or: quorate cloud terminate ${instance.id} -e ${environment}`;
  return [
    wrong(`instance ${instance.id} is ${instance.state}, and ${why}`, todo, {
      kind: 'terminate',
      instance: instance.id,
      machine: instance.tags.machine,
    }),
  ];
}

/** Why an instance belongs to nobody; null when it does, or may. */
export function whyLeftover(
  { id, tags }: Pick<Instance, 'id' | 'tags'>,
  machines: readonly Pick<Machine, 'id' | 'life' | 'instance'>[],
  changing = false,
): string | null {
  const machine = machines.find((candidate) => candidate.id === tags.machine);
  if (machine === undefined) return `there is no machine ${tags.machine}`;
  if (machine.instance !== '' && machine.instance !== id) return `machine ${machine.id} has another one`;
  return machine.life === 'dead' && !changing ? `machine ${machine.id} is dead` : null;
}

function missing({ environment, instances, machines, changing }: InstancesSeen): Judged[] {
  return machines.flatMap(({ id, life, instance, jobs }) => {
    if (life !== 'alive' || instance === '' || changing) return [];
    const state = instances.find((candidate) => candidate.id === instance)?.state ?? 'not known to the cloud';
    if (state === 'stopped') {
      return [
        wrong(`the instance of machine ${id} is stopped`, `Start it with: quorate cloud start ${id} -e ${environment}`),
      ];
    }
    if (state !== 'terminated' && state !== 'not known to the cloud') return [];
    const todo = jobs.includes('manage-state')
      ? `Have another controller in its place: quorate enable-ha -e ${environment}`
      : `Nothing brings it back: quorate remove-machine ${id} -e ${environment}, and another one with: quorate add-machine -e ${environment}`;
    return [wrong(`machine ${id} is alive, and its instance ${instance} is ${state}`, todo)];
  });
}

/** What the cloud says where no controller can be asked. Pure. */
export function judgeSilent(
  environment: string,
  instances: readonly Pick<Instance, 'tags' | 'state'>[],
): readonly Judged[] {
  const live = instances.filter(({ state }) => state !== 'terminated');
  if (live.length === 0) {
    const todo = `Remove what is left of it with: quorate destroy-environment ${environment} --force`;
    return [wrong('the cloud says that none of its instances is left', todo)];
  }
  const states = live.map(({ tags, state }) => `machine ${tags.machine} ${state}`).join(', ');
  const off = live.find(({ state }) => state === 'stopped' || state === 'paused');
  const start = off?.state === 'paused' ? 'resume' : 'start';
  const todo = off
    ? `Have it run again: quorate cloud ${start} ${off.tags.machine} -e ${environment}`
    : `See what they say: quorate cloud log ${live[0]?.tags.machine} -e ${environment}`;
  return [wrong(`the cloud says: ${states}`, todo)];
}
