import { spawn } from 'node:child_process';
import { open, rename, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { listProcesses } from '../cloud/local/processes.js';
import { QuorateError, reasonOf } from '../errors.js';
import { markOf, type ProcessMark, signal } from '../process.js';

/** A process that leads a group of its own: it outlives the command that started it, and all of it can be ended. */
export type GroupMark = ProcessMark;

const LARGE_LOG_BYTES = 20e6;

/** Starts a program in the background as leader of its own group, its output added to a log of mode 0600. */
export async function startGroup(
  command: readonly [string, ...string[]],
  options: { readonly env: NodeJS.ProcessEnv; readonly log: string; readonly directory: string },
): Promise<GroupMark> {
  await setAside(options.log);
  const log = await open(options.log, 'a', 0o600);
  try {
    const [file, ...args] = command;
    const child = spawn(file, args, {
      env: options.env,
      cwd: options.directory,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    // One that has ended already has no mark: this one fits no process.
    return (await markOf(child.pid as number)) ?? { pid: child.pid as number, started: '' };
  } catch (error) {
    throw new QuorateError('start-failed', `${command[0]} could not be started: ${reasonOf(error)}.`, { cause: error });
  } finally {
    await log.close();
  }
}

async function setAside(log: string): Promise<void> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  ); // there is none at first
  if (size > LARGE_LOG_BYTES) await rename(log, `${log}.old`);
}

export async function isAlive(mark: GroupMark): Promise<boolean> {
  return (await markOf(mark.pid))?.started === mark.started;
}

/**
 * Ends a group: asks its leader, then kills all of it after `graceMs`. Answers whether anything was there. A leader that died
 * alone leaves others behind; they are ours as long as nobody else has its PID, for no PID is used again while a group
 * has it as its number.
 */
export async function endGroup(mark: GroupMark, graceMs: number): Promise<boolean> {
  const successor = await markOf(mark.pid);
  if (successor !== null && successor.started !== mark.started) return false;
  if (!(await hasMembers(mark.pid))) return false;
  signal(successor === null ? -mark.pid : mark.pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline) {
    if (!(await hasMembers(mark.pid))) return true;
    await sleep(20);
  }
  signal(-mark.pid, 'SIGKILL');
  while (await hasMembers(mark.pid)) await sleep(20);
  return true;
}

/** Zombies are none: they hold nothing, and who reaps them may take its time. */
async function hasMembers(group: number): Promise<boolean> {
  return signal(-group, 0) && (await listProcesses()).some((each) => each.group === group);
}
