import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../../errors.js';
import { groupOf, type InstanceGroup } from './group.js';
import { type LeaderIdentity, listProcesses, signalGroups } from './processes.js';

/** For the kernel to take a killed process down, or to freeze one. */
const EFFECT_MS = 30_000;

/** Asks until it is so; false when it is not after `timeoutMs`. */
export async function poll(timeoutMs: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 100)) {
    if (await isSo()) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await sleep(Math.min(pause, left));
  }
}

/** SIGKILL to all of an instance, paused or not; resolves when nothing of it is left. */
export async function killAll(instance: string, leader: LeaderIdentity | null): Promise<void> {
  await signalUntil(instance, leader, 'SIGKILL', (group) => group.members.length === 0);
}

/** SIGSTOP or SIGCONT to all of an instance, until all of it has stopped or goes on. */
export async function freeze(instance: string, leader: LeaderIdentity, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  await signalUntil(instance, leader, signal, (group) =>
    group.members.every((each) => each.stopped === (signal === 'SIGSTOP')),
  );
}

/** Signals again as long as there is someone who did not take it: a child may have left the groups just seen. */
async function signalUntil(
  instance: string,
  leader: LeaderIdentity | null,
  signal: NodeJS.Signals,
  reached: (group: InstanceGroup) => boolean,
): Promise<void> {
  let group: InstanceGroup = { leader: null, members: [] };
  const done = await poll(EFFECT_MS, async () => {
    group = groupOf(instance, leader, await listProcesses());
    if (reached(group)) return true;
    signalGroups(group.members, signal);
    return false;
  });
  if (done) return;
  const pids = group.members.map((each) => each.pid).join(', ');
  throw new QuorateError('processes-left', `processes of instance ${instance} did not take ${signal}: PIDs ${pids}`, {
    todo: 'see what holds them (ps -o pid,stat,wchan) and try again',
  });
}
