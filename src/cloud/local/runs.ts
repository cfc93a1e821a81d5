import { join, resolve } from 'node:path';
import { QuorateError } from '../../errors.js';
import { lastSentence } from '../../log/line.js';
import { NO_CONDITIONS } from './conditions.js';
import { dropsOf, linkUp } from './faults.js';
import type { LocalInstance } from './group.js';
import type { Instances } from './instances.js';
import { type Known, known, show } from './inventory.js';
import { isolationOf } from './isolations.js';
import { killAll } from './power.js';
import { listProcesses, MARKER, startGroup } from './processes.js';
import type { InstanceRecord } from './records.js';

/** What every run of an instance begins with. */
export interface RunOptions {
  /** The directory that holds all environments' instances. */
  readonly root: string;
  /** What an instance runs, as its first process. */
  readonly startCommand: readonly string[];
  /** Passed on to instances, beside PATH and the like. */
  readonly env?: Readonly<Record<string, string>>;
}

const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'] as const;

/** Starts an instance's processes, under its lock; clears what an earlier run left. */
export async function boot(
  instances: Instances,
  options: RunOptions,
  { record }: Known,
  assertHeld: () => void,
): Promise<LocalInstance> {
  const { records } = instances;
  const { instance, tags } = record;
  const isolation = await isolationOf(record);
  await cutOff(record);
  const startedAt = new Date().toISOString();
  const starting: InstanceRecord = { ...record, power: 'on', boots: record.boots + 1, startedAt, process: null };
  await records.write(starting);
  await records.writeMetadata(starting);
  const directory = records.directory(tags.environment, instance);
  await isolation.prepare(tags.environment, records.environmentDirectory(tags.environment));
  const all = await instances.all(tags.environment);
  const { command, env } = await isolation.launch({
    instance,
    environment: tags.environment,
    directory,
    root: resolve(options.root),
    address: record.address,
    command: options.startCommand,
    env: variablesFor(options, instance, directory),
    conditions: record.conditions ?? NO_CONDITIONS,
    drops: dropsOf(record, all, isolation),
  });
  assertHeld();
  const leader = await startGroup(command, { directory, log: join(directory, 'console.log'), env });
  const started = { ...starting, process: leader };
  await records.write(started);
  const lives = async () => known(started, await listProcesses()).group.leader !== null;
  if (!(await isolation.settled(instance, lives))) {
    const reason = lastSentence(await records.console(tags.environment, instance));
    throw new QuorateError('start-failed', `instance ${instance} ended while it started: ${reason}`, {
      todo: `see all it said with \`quorate cloud log ${instance}\``,
    });
  }
  if (record.conditions !== undefined) await linkUp(instances, started, all);
  return show(known(started, await listProcesses()));
}

/** Kills all of an instance and removes what it has outside of its processes and its directory. */
export async function cutOff(record: InstanceRecord): Promise<void> {
  await killAll(record.instance, record.process);
  await (await isolationOf(record)).clear(record.instance);
}

function variablesFor({ env }: RunOptions, id: string, directory: string): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...Object.fromEntries(passed), ...env, [MARKER]: id, QUORATE_INSTANCE_DIR: directory };
}
