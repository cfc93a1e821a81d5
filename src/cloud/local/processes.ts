import { execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { QuorateError, reasonOf } from '../../errors.js';
import { liveStat } from '../../process.js';

/** In the environment of every process of an instance, and inherited by its children: PIDs are used again, this is not. */
export const MARKER = 'QUORATE_INSTANCE';

export interface ProcessSeen {
  readonly pid: number;
  /** Process group ID. */
  readonly group: number;
  /** By SIGSTOP. */
  readonly stopped: boolean;
  /** With the PID it identifies a process: ticks since boot on Linux, milliseconds since the epoch elsewhere. */
  readonly startedAt: number;
  /** The value of MARKER; empty when the process has none, null when its environment cannot be seen. */
  readonly instance: string | null;
}

/** The leader of a process group, as recorded. */
export interface LeaderIdentity {
  readonly group: number;
  readonly startedAt: number;
}

/** Every process that lives; zombies hold nothing any more and are left out. */
export async function listProcesses(): Promise<ProcessSeen[]> {
  return process.platform === 'linux' ? listByProc() : listByPs();
}

function listByProc(): ProcessSeen[] {
  const seen: ProcessSeen[] = [];
  // Read synchronously: these files come from the kernel's memory, and one thread-pool trip each would cost more.
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProc(`/proc/${name}/stat`);
    const parsed = stat === null ? null : parseStat(stat);
    if (parsed === null) continue;
    const environment = readProc(`/proc/${name}/environ`);
    // Empty while the process turns into another program: then, too, it cannot be seen.
    seen.push({ ...parsed, instance: environment ? markerIn(environment.split('\0')) : null });
  }
  return seen;
}

/** Null for a process that ended meanwhile or belongs to someone else. */
function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function markerIn(variables: readonly string[]): string {
  return variables.find((each) => each.startsWith(`${MARKER}=`))?.slice(MARKER.length + 1) ?? '';
}

/** One line of /proc/PID/stat. */
export function parseStat(line: string): Omit<ProcessSeen, 'instance'> | null {
  const live = liveStat(line);
  if (live === null) return null;
  const { state, group, started } = live;
  return { pid: Number.parseInt(line, 10), group, stopped: state === 'T', startedAt: Number(started) };
}

async function listByPs(): Promise<ProcessSeen[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axEww', '-o', 'pid=,pgid=,stat=,lstart=,command='], {
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return parsePs(stdout);
}

/** Lines of PID, group, state, start, command with environment (macOS shows it of one's own processes only). */
export function parsePs(text: string): ProcessSeen[] {
  const line = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\w{3}\s+\w{3}\s+\d+\s+[\d:]+\s+\d{4})\s*(.*)$/;
  return text.split('\n').flatMap((each) => {
    const [, pid, group, state = '', start = '', command = ''] = line.exec(each) ?? [];
    if (pid === undefined || state.startsWith('Z')) return [];
    const instance = markerIn(command.split(' ')) || null;
    return [
      {
        pid: Number(pid),
        group: Number(group),
        stopped: state.startsWith('T'),
        startedAt: Date.parse(start),
        instance,
      },
    ];
  });
}

/** Signals whole groups, so that a child forked at this moment gets it too. Those that are gone are passed over. */
export function signalGroups(members: readonly ProcessSeen[], signal: NodeJS.Signals): void {
  for (const group of new Set(members.map((each) => each.group))) sendSignal(-group, signal);
}

/** To one process (or, negative, one group); who is gone or no longer ours is found out by who waits for the effect. */
export function sendSignal(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Starts a command as leader of a session and group of its own, which outlive us; its output is appended to `log`. */
export async function startGroup(
  command: readonly string[],
  options: { readonly directory: string; readonly log: string; readonly env: Readonly<Record<string, string>> },
): Promise<LeaderIdentity> {
  const [file, ...args] = command;
  if (file === undefined) throw new Error('the start command is empty');
  const log = await open(options.log, 'a', 0o600);
  try {
    const child = spawn(file, args, {
      cwd: options.directory,
      env: options.env,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    const group = child.pid as number;
    // One that has ended already gets a start that no process ever has.
    const startedAt = (await listProcesses()).find((each) => each.pid === group)?.startedAt ?? -1;
    return { group, startedAt };
  } catch (error) {
    throw new QuorateError('start-failed', `the instance's start command ${file} did not start: ${reasonOf(error)}`, {
      todo: 'correct what it names and start the instance again',
      cause: error,
    });
  } finally {
    await log.close();
  }
}
